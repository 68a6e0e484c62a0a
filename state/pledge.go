package state

import (
	"fmt"

	"strata/amount"
	"strata/lineage"
)

// open are the heads of an epoch that are not fenced, and complete.
func (inc *Incarnation) open(epoch lineage.Epoch) (heads []Head) {
	for _, h := range inc.Heads {
		if h.Name.Epoch == epoch && h.Name.Mark != lineage.Fenced && h.Lvol.Complete() {
			heads = append(heads, h)
		}
	}
	return heads
}

// Unserved counts the legs of an epoch that nobody was served without since: those that
// are as they were named in it, and those that a failover from it has pledged and gone no
// further with. Name is one of the former; false where there is none.
func (inc *Incarnation) Unserved(epoch lineage.Epoch) (n int, name lineage.Head, ok bool) {
	open := inc.open(epoch)
	if len(open) == 0 {
		return 0, lineage.Head{}, false
	}
	name = open[0].Name
	for _, h := range open {
		if h.Name.Legs > name.Legs || h.Name.Legs == name.Legs && name.Quorum && !h.Name.Quorum {
			name = h.Name // of names that contradict each other the one that asks for more
		}
	}
	n = len(open)
	for _, h := range inc.Heads {
		if h.Name.Pledged && h.Name.Epoch > epoch && (h.Name.Epoch-epoch)%lineage.Forced == 0 {
			n++
		}
	}
	return n, name, true
}

// Highest is the highest epoch that any head names, of whatever it tells.
func (inc *Incarnation) Highest() lineage.Epoch {
	top := inc.Top()
	for _, h := range inc.Heads {
		top = max(top, h.Name.Epoch)
	}
	return top
}

// void reports whether a head's epoch counts for nothing: a failover was about to begin
// it, and so many legs of the one before are left that nothing was served in it.
func (inc *Incarnation) void(h Head, top lineage.Epoch) bool {
	if !h.Name.Pledged || h.Name.Epoch <= top {
		return false
	}
	n, name, ok := inc.Unserved(top)
	return ok && name.Untold() > 0 && n >= name.Untold()
}

// spread says that too few replicas of the latest epoch were read to start one without
// the others, where that promises that half of its legs are told of the next; "" when
// they are enough.
func (inc *Incarnation) spread() string {
	n, name, ok := inc.Unserved(inc.Top())
	if !ok || !name.Quorum || n >= name.Told() {
		return ""
	}
	return fmt.Sprintf("%d of the %d replicas of epoch %d could be read, and another node may have taken over with the others; %d %s to be told before one goes on", n, name.Legs, name.Epoch, name.Told(), amount.Verb(name.Told(), "has", "have"))
}
