package world

import (
	"fmt"

	"strata/plan"
	"strata/state"
)

// projectBackup finds the layers that go into an archive. On the node it leaves nothing:
// what it attaches to is gone when it has ended.
func projectBackup(n *state.Node, op plan.Backup) error {
	for _, name := range append(op.Below[:len(op.Below):len(op.Below)], op.Layer) {
		l, err := FindLvol(n, op.Lvstore, name)
		if err != nil {
			return err
		}
		if !l.Snapshot && len(l.Children) == 0 {
			return fmt.Errorf("%s on %s is no snapshot", l.Alias(), n.Name)
		}
	}
	return nil
}

// projectFill has an lvol with what is written to it at most.
func (w *World) projectFill(n *state.Node, op plan.Fill) error {
	l, err := FindLvol(n, op.Lvstore, op.Name)
	if err != nil {
		return err
	}
	cluster := int64(1 << 20)
	if s := n.Lvstores[op.Lvstore]; s != nil && s.ClusterSize > 0 {
		cluster = s.ClusterSize
	}
	w.change(n, func() { l.Allocated = (op.Bytes + cluster - 1) / cluster }, l)
	return nil
}
