package apply

import (
	"context"
	"fmt"

	"strata/lineage"
	"strata/plan"
	"strata/secret"
	"strata/spdk"
)

// makeLinkKeys makes a pair of keys of a link and puts it on the node that attaches, and then on
// the other. It is kept nowhere else. A run that ends meanwhile leaves the other without both
// files, and then a pair of another name is made.
func (c *caller) makeLinkKeys(ctx context.Context, op plan.LinkKeysMake) error {
	names, host, target := c.cluster.LinkKeyNames(op.Keys), secret.NewHostKey(), secret.NewHostKey()
	for _, n := range []lineage.Node{op.Keys.Link.To, op.Keys.Link.From} {
		t := c.targets[n]
		if t == nil {
			return fmt.Errorf("there is no connection to %s", n)
		}
		files := t.KeyFiles()
		if files == nil {
			return fmt.Errorf("%s: %w", n, spdk.ErrNoKeyFiles)
		}
		if err := files.Write(ctx, names.Key, []byte(host.Text())); err != nil {
			return err
		}
		if err := files.Write(ctx, names.CtrlKey, []byte(target.Text())); err != nil {
			return err
		}
	}
	return nil
}

// setControllerKeys has a controller use other keys.
func setControllerKeys(ctx context.Context, t *spdk.Client, op plan.ControllerKeysSet) error {
	return t.SetControllerKeys(ctx, spdk.ControllerKeysSet{Name: op.Controller, Key: op.Keys.Key, CtrlKey: op.Keys.CtrlKey})
}
