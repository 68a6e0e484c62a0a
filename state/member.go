package state

import (
	"cmp"
	"slices"

	"strata/lineage"
)

// Reminder is an lvol that reminds of a pool, see lineage.Member.
type Reminder struct {
	Placed
	Member lineage.Member
}

// Reminders are all of them in pools of the cluster, by member and then by node.
// The snapshot is one that Within has returned.
func (s *Snapshot) Reminders() (all []Reminder) {
	for _, n := range s.Nodes {
		for _, l := range n.Lvols {
			if len(l.Name) == 0 || l.Name[0] != '~' {
				continue
			}
			if lvs := n.Lvstores[l.Lvstore]; lvs == nil || lvs.Doubt != "" {
				continue
			}
			if m, ok := lineage.ParseMember(l.Name); ok {
				all = append(all, Reminder{Placed{n.Name, l}, m})
			}
		}
	}
	slices.SortFunc(all, func(a, b Reminder) int {
		return cmp.Or(cmp.Compare(a.Member.Lvol(), b.Member.Lvol()), comparePlaced(a.Placed, b.Placed))
	})
	return all
}

// Missed are the members that reminders tell of and whose lvstore no node has,
// in their order, each once. Known reports whether a pool is known to be unread
// anyway, or gone for good.
func (s *Snapshot) Missed(reminders []Reminder, known func(lineage.Node, string) bool) (all []lineage.Member) {
	for _, r := range reminders {
		m := r.Member
		if (len(all) == 0 || all[len(all)-1] != m) && !s.HasStore(m) && !known(m.Node, m.Pool) {
			all = append(all, m)
		}
	}
	return all
}

// HasStore reports whether any node has the lvstore of a member.
func (s *Snapshot) HasStore(m lineage.Member) bool {
	for _, n := range s.Nodes {
		for _, lvs := range n.Lvstores {
			if m.Is(lvs.UUID) {
				return true
			}
		}
	}
	return false
}
