package world

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// projectStore applies what is done to disks and lvstores.
func (w *World) projectStore(n *state.Node, op plan.Op) error {
	switch op := op.(type) {
	case plan.DiskDetach:
		bdev := op.Bdev
		if op.Kind == schema.NVMe {
			bdev += "n1"
		}
		if d := n.Disks[bdev]; d == nil || d.Claimed || !Alone(n, d) {
			return fmt.Errorf("disk %s of %s is not there, or in use", op.Bdev, n.Name)
		}
		delete(n.Disks, bdev)
	case plan.ExpectBlank:
		if d := n.Disks[op.Bdev]; d == nil || d.Claimed {
			return fmt.Errorf("disk %s of %s is not there, or in use", op.Bdev, n.Name)
		}
	case plan.LvstoreCreate:
		if d := n.Disks[op.Bdev]; d == nil || d.Claimed {
			return fmt.Errorf("disk %s of %s is not there, or in use", op.Bdev, n.Name)
		}
		n.Disks[op.Bdev].Claimed, n.Disks[op.Bdev].Unread = true, false
		n.Lvstores[op.Lvstore] = &state.Lvstore{Name: op.Lvstore, OnTarget: op.OnTarget, UUID: lineage.PendingUUID, Base: op.Bdev, ClusterSize: op.ClusterSize}
	case plan.LvstoreRename:
		lvs := n.Lvstores[op.Lvstore]
		if lvs == nil || lvs.Called() != op.From {
			return fmt.Errorf("no lvstore %s on %s", op.From, n.Name)
		}
		lvs.OnTarget = op.To
	case plan.Remind:
		name := op.Member.Lvol()
		if n.Lvols[op.Lvstore+"/"+string(name)] != nil {
			return fmt.Errorf("%s/%s exists on %s", op.Lvstore, name, n.Name)
		}
		w.addLvol(n, &state.Lvol{Lvstore: op.Lvstore, Name: name, UUID: plan.Token(op.Node, op.Lvstore, name), Size: op.Size})
	case plan.TrialDelete:
		l, err := FindLvol(n, op.Lvstore, lineage.Trial)
		if err != nil {
			return err
		}
		w.removeLvol(n, l)
	case plan.Forget:
		l, err := FindLvol(n, op.Lvstore, op.Member.Lvol())
		if err != nil {
			return err
		}
		w.removeLvol(n, l)
	default:
		return unknown(op)
	}
	return nil
}

// Renamable reports whether all lvols in an lvstore have bdevs: a target that is
// to rename one in which an lvol has none, for what that reads through is not
// attached, ends (v26.05, bdev_lvol_rename_lvstore).
func Renamable(at *state.Node, lvstore string) bool {
	for _, l := range at.Lvols {
		if l.Lvstore == lvstore && l.Degraded {
			return false
		}
	}
	return true
}

// Alone reports whether a disk can be detached and attached again by itself: of
// an NVMe controller that is all it has.
func Alone(at *state.Node, disk *state.Disk) bool {
	if disk.Kind != string(schema.NVMe) {
		return true
	}
	for _, d := range at.Disks {
		if d != disk && d.Path == disk.Path {
			return false
		}
	}
	return strings.HasSuffix(disk.Bdev, "n1")
}

// Loaded are the lvstores that a node had when the pass began.
func Loaded(at *state.Node) (all []*state.Lvstore) {
	for _, name := range slices.Sorted(maps.Keys(at.Lvstores)) {
		if lvs := at.Lvstores[name]; lvs.UUID != lineage.PendingUUID {
			all = append(all, lvs)
		}
	}
	return all
}
