package state

import (
	"cmp"
	"fmt"
	"iter"

	"strata/lineage"
)

// Shown is a place in which a node shows a bdev to hosts or peers: a namespace,
// or a device of its own kernel.
type Shown struct {
	Bdev string // by name or UUID
	// NQN and NSID are of the namespace; NSID is 0 when it is none.
	NQN  lineage.NQN
	NSID int
	Ublk int    // -1 unless it is that ublk device
	NBD  string // "" unless it is that device
}

// Shows are all places in which the node shows something, in no order.
func (n *Node) Shows() iter.Seq[Shown] {
	return func(yield func(Shown) bool) {
		for nqn, sub := range n.Subsystems {
			for id, ns := range sub.Namespaces {
				if !yield(Shown{Bdev: ns.Bdev, NQN: nqn, NSID: id, Ublk: -1}) {
					return
				}
			}
		}
		for id, bdev := range n.Ublk {
			if !yield(Shown{Bdev: bdev, Ublk: id}) {
				return
			}
		}
		for path, bdev := range n.NBD {
			if !yield(Shown{Bdev: bdev, Ublk: -1, NBD: path}) {
				return
			}
		}
	}
}

// Compare orders namespaces by subsystem and number, then ublk devices, then nbd.
func (s Shown) Compare(o Shown) int {
	kind := func(s Shown) int {
		switch {
		case s.NSID > 0:
			return 0
		case s.Ublk >= 0:
			return 1
		}
		return 2
	}
	return cmp.Or(cmp.Compare(kind(s), kind(o)), cmp.Compare(s.NQN, o.NQN), cmp.Compare(s.NSID, o.NSID), cmp.Compare(s.Ublk, o.Ublk), cmp.Compare(s.NBD, o.NBD))
}

func (s Shown) String() string {
	switch {
	case s.NSID > 0:
		return fmt.Sprintf("namespace %d of %s", s.NSID, s.NQN)
	case s.Ublk >= 0:
		return fmt.Sprintf("/dev/ublkb%d", s.Ublk)
	}
	return s.NBD
}

// end is the call that ends it, for rpc.py.
func (s Shown) end() string {
	switch {
	case s.NSID > 0:
		return fmt.Sprintf("nvmf_subsystem_remove_ns %s %d", s.NQN, s.NSID)
	case s.Ublk >= 0:
		return fmt.Sprintf("ublk_stop_disk %d", s.Ublk)
	}
	return "nbd_stop_disk " + s.NBD
}
