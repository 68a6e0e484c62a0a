package state

import (
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
	"strata/spdk"
)

// identity is by what a target is told from all others: UUIDs that targets draw
// at random, each its own.
type identity struct {
	// notes are the UUIDs of the bdevs that say who holds its lock, or the seat.
	notes []string
	// drawn are the UUIDs of the target's own that its bdevs have, sorted, and bdevs
	// all but those of lock and seat, which come and go.
	drawn []string
	bdevs []*spdk.Bdev
}

// identity finds what the target is told by.
func (a *answers) identity(c lineage.Cluster) identity {
	var id identity
	for i := range a.bdevs {
		b := &a.bdevs[i]
		if isNote(c, b.Name) {
			id.notes = append(id.notes, known(b.UUID))
			continue
		}
		if b.Name == c.Lock() || b.Name == c.LockWish() || b.Name == c.Seat() {
			continue
		}
		if known(b.UUID) != "" && ownUUID(b) {
			id.drawn = append(id.drawn, b.UUID)
		}
		id.bdevs = append(id.bdevs, b)
	}
	slices.Sort(id.drawn)
	return id
}

// isNote reports whether a bdev says who holds the lock or the seat.
func isNote(c lineage.Cluster, name string) bool {
	_, lock := c.ParseLockNote(name)
	_, seat := c.ParseSeatNote(name)
	return lock || seat
}

// all are the names and UUIDs of the bdevs, sorted.
func (id identity) all() (names []string) {
	for _, b := range id.bdevs {
		names = append(names, b.Name+" "+b.UUID)
	}
	slices.Sort(names)
	return names
}

// ownUUID reports whether a bdev has a UUID that its target draws for it: those
// of lvols and NVMe namespaces are written on disks, which can be copied.
func ownUUID(b *spdk.Bdev) bool {
	return b.Driver.AIO != nil || b.Driver.Uring != nil || b.ProductName == "Malloc disk"
}

// same reports whether two nodes are one target: what a holder of the lock has
// left on one of them is on the other, or all of their bdevs are the same.
func (id identity) same(as identity) bool {
	if slices.ContainsFunc(id.notes, func(u string) bool { return u != "" && slices.Contains(as.notes, u) }) {
		return true
	}
	return len(id.drawn) > 0 && slices.Equal(id.drawn, as.drawn) && slices.Equal(id.all(), as.all())
}

// unify makes nodes unknown that are one and the same target: everything would be
// done to it twice, and what it has would count as two replicas.
func (r *reading) unify() {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := slices.Sorted(maps.Keys(r.ids))
	for _, name := range names {
		if r.nodes[name].Unknown != "" && r.nodes[name].SameAs == "" {
			continue
		}
		for _, other := range names {
			if other != name && r.ids[name].same(r.ids[other]) {
				r.nodes[name] = Unread(name, fmt.Sprintf("%s and %s are one and the same target, reached under two names", min(name, other), max(name, other)))
				r.nodes[name].SameAs = other
				break
			}
		}
	}
}
