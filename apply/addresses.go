package apply

import (
	"context"
	"errors"

	"strata/lineage"
	"strata/schema"
	"strata/vip"
)

// Addresses returns what moves the address of a volume of a configuration; nil: such programs are not run
// here.
type Addresses func(*schema.Config, *schema.Volume) (*vip.Mover, error)

// mover is that of the volume that a subsystem is the export of.
func (c *caller) mover(nqn lineage.NQN) (*vip.Mover, error) {
	v, ok := c.cluster.ParseExport(nqn)
	conf := c.cfg.Volume(v.Name)
	switch {
	case c.addresses == nil:
		return nil, errors.New("programs that move addresses are not run here")
	case !ok || conf == nil || conf.Export.VIP == nil:
		return nil, errors.New("the volume has no address that moves")
	}
	return c.addresses(c.cfg, conf)
}

// expectAddress fails when the program that moves an address does not say where it is.
func (c *caller) expectAddress(ctx context.Context, nqn lineage.NQN) error {
	m, err := c.mover(nqn)
	if err == nil {
		_, err = m.Where(ctx)
	}
	return err
}

// moveAddress has an address moved to a node.
func (c *caller) moveAddress(ctx context.Context, nqn lineage.NQN, to lineage.Node) error {
	m, err := c.mover(nqn)
	if err == nil {
		err = m.Move(ctx, to)
	}
	return err
}
