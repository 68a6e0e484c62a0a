package backup

import (
	"context"
	"errors"
	"fmt"

	"strata/lineage"
	"strata/nvmetcp"
	"strata/spdk"
)

// proof is how strata and a node prove themselves to each other on a path between them
// (DH-HMAC-CHAP): by a key each that is made for it. A target reads keys from files of its machine.
type proof struct {
	t   *spdk.Client
	dir string // where they are there; "": nobody proves anything
	of  lineage.Cluster
	is  lineage.JobKey // of who connects
}

// pair are the keys of who connects, and of who is connected to; nil for none.
type pair struct{ host, target *nvmetcp.Key }

// names is what the node calls them; zero for none.
func (p proof) names() (k lineage.HostKeys) {
	if p.dir != "" {
		to := p.is
		to.Target = true
		k = lineage.HostKeys{Key: p.of.JobKey(p.is), CtrlKey: p.of.JobKey(to)}
	}
	return k
}

// bring makes the keys, in place of any that were there, and has the target know them by name.
func (p proof) bring(ctx context.Context) (k pair, err error) {
	if p.dir == "" {
		return pair{}, nil
	}
	files := p.t.KeyFiles()
	if files == nil {
		return pair{}, fmt.Errorf("strata has to prove itself: %w", spdk.ErrNoKeyFiles)
	}
	k = pair{nvmetcp.NewKey(), nvmetcp.NewKey()}
	names := p.names()
	for name, key := range map[string]*nvmetcp.Key{names.Key: k.host, names.CtrlKey: k.target} {
		if err := files.Write(ctx, name, []byte(key.Text()+"\n")); err != nil {
			return pair{}, err
		}
	}
	return k, p.tell(ctx)
}

// tell has the target know them by name, if it does not.
func (p proof) tell(ctx context.Context) error {
	if p.dir == "" {
		return nil
	}
	names := p.names()
	for _, name := range []string{names.Key, names.CtrlKey} {
		err := p.t.KeyAdd(ctx, spdk.KeyAdd{Name: name, Path: p.dir + "/" + name})
		if err != nil && spdk.ClassOf(err) != spdk.Exists { // one of that name reads the same file
			return err
		}
	}
	return nil
}

// known reports whether the target has the keys by name: what it is attached to then proves
// itself by them.
func (p proof) known(ctx context.Context) (bool, error) {
	var all []spdk.Key
	asked := spdk.GetKeys(&all)
	if p.t.Round(ctx, asked); asked.Err != nil {
		return false, asked.Err
	}
	names := p.names()
	for _, k := range all {
		if k.Name == names.Key && !k.Removed {
			return true, nil
		}
	}
	return false, nil
}

// listed reports whether it can be seen which files are there. Where it cannot, strata puts none there.
func (p proof) listed(ctx context.Context) bool {
	files := p.t.KeyFiles()
	if files == nil {
		return false
	}
	_, err := files.List(ctx)
	return err == nil
}

// take takes them away. Nobody may use them any more.
func (p proof) take(ctx context.Context) (err error) {
	files := p.t.KeyFiles()
	if p.dir == "" || files == nil {
		return nil
	}
	names := p.names()
	for _, name := range []string{names.Key, names.CtrlKey} {
		if gone := p.t.KeyRemove(ctx, name); gone != nil && spdk.ClassOf(gone) != spdk.NotFound {
			err = errors.Join(err, gone)
			continue
		}
		err = errors.Join(err, files.Remove(ctx, name))
	}
	return err
}
