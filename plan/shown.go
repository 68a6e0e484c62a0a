package plan

import (
	"fmt"

	"strata/lineage"
	"strata/state"
)

// unused refuses to delete a RAID or an lvol that anything on its node still
// shows: a target deletes it all the same, and hosts lose their disk in the
// middle of what they write.
func (c *checker) unused(op Op) error {
	n := c.w.Nodes[op.On()]
	if n == nil || n.Unknown != "" {
		return nil
	}
	switch op := op.(type) {
	case RaidDelete:
		if by := showing(n, func(bdev string) bool { return bdev == op.Raid }); by != "" {
			return fmt.Errorf("%s still shows %s on %s", by, op.Raid, n.Name)
		}
	case LvolDelete:
		l := n.Lvols[op.Lvstore+"/"+string(op.Name)]
		if l == nil {
			return nil
		}
		if by := showing(n, func(bdev string) bool { return lineage.UUID(bdev) == l.UUID || n.Backing(bdev) == l.UUID }); by != "" {
			return fmt.Errorf("%s still shows %s on %s", by, op.Name, n.Name)
		}
	}
	return nil
}

// showing names what gives a bdev to hosts or peers; "" for nothing.
func showing(n *state.Node, is func(bdev string) bool) (by string) {
	for nqn, sub := range n.Subsystems {
		for id, ns := range sub.Namespaces {
			if !is(ns.Bdev) {
				continue
			}
			if name := fmt.Sprintf("namespace %d of %s", id, nqn); by == "" || name < by {
				by = name
			}
		}
	}
	for id, bdev := range n.Ublk {
		if is(bdev) {
			by = fmt.Sprintf("/dev/ublkb%d", id)
		}
	}
	for path, bdev := range n.NBD {
		if is(bdev) {
			by = path
		}
	}
	return by
}
