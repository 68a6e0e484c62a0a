package state

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/spdk"
)

// disagreement says what in a target's answers cannot be, each listing being
// made at about the same moment; "" when they fit together. What follows from
// answers that do not would be wrong, and nobody knows where.
func (a *answers) disagreement(c lineage.Cluster) string {
	for _, f := range []func() string{a.repeated, a.lvolBdevs, func() string { return a.repeatedNamespaces(c) }} {
		if what := f(); what != "" {
			return what
		}
	}
	return ""
}

// copied finds a disk and a copy of it, or of a peer's, on one target: of two
// lvols with one UUID, each is meant by some calls. "" for none.
func (a *answers) copied() string {
	stores, lvols := map[string]spdk.Lvstore{}, make(map[string]string, len(a.lvols))
	for _, s := range a.lvstores {
		if o, twice := stores[s.UUID]; twice {
			return fmt.Sprintf("%s and %s have the same lvstore, %s (UUID %s), so one is a copy of the other", o.BaseBdev, s.BaseBdev, s.Name, s.UUID)
		}
		stores[s.UUID] = s
	}
	for _, l := range a.lvols {
		lvols[l.UUID] = l.Lvs.Name
	}
	for i := range a.bdevs {
		b := &a.bdevs[i]
		if len(b.Driver.NVMe) == 0 {
			continue
		}
		if lvs, ok := lvols[b.UUID]; ok {
			return fmt.Sprintf("lvstore %s has an lvol that a peer shows, too (%s, UUID %s), so its disk is a copy of the peer's", lvs, b.Name, b.UUID)
		}
	}
	return ""
}

// repeated finds a name or UUID that two things have: a target makes no second
// one of a name, and loads no second lvstore of one.
func (a *answers) repeated() string {
	for _, list := range []struct {
		what string
		of   func() []string
	}{
		{"bdevs named", func() []string { return each(a.bdevs, func(b *spdk.Bdev) string { return b.Name }) }},
		{"bdevs with UUID", func() []string { return each(a.bdevs, func(b *spdk.Bdev) string { return b.UUID }) }},
		{"lvstores named", func() []string { return each(a.lvstores, func(s *spdk.Lvstore) string { return s.Name }) }},
		{"lvstores with UUID", func() []string { return each(a.lvstores, func(s *spdk.Lvstore) string { return s.UUID }) }},
		{"lvols named", func() []string {
			return each(a.lvols, func(l *spdk.Lvol) string { return l.Lvs.Name + "/" + l.Name })
		}},
		{"lvols with UUID", func() []string { return each(a.lvols, func(l *spdk.Lvol) string { return l.UUID }) }},
		{"RAIDs named", func() []string { return each(a.raids, func(r *spdk.Raid) string { return r.Name }) }},
		{"RAIDs with UUID", func() []string { return each(a.raids, func(r *spdk.Raid) string { return known(r.UUID) }) }},
		{"RAIDs on a base with UUID", a.bases},
		{"subsystems with NQN", func() []string { return each(a.subsystems, func(s *spdk.Subsystem) string { return s.NQN }) }},
		{"controllers named", func() []string { return each(a.controllers, func(c *spdk.Controller) string { return c.Name }) }},
		{"ublk disks with number", func() []string {
			return each(a.ublk, func(d *spdk.UblkDisk) string { return fmt.Sprint(d.ID) })
		}},
		{"nbd disks at", func() []string { return each(a.nbd, func(d *spdk.NbdDisk) string { return d.Device }) }},
	} {
		if s := twice(list.of()); s != "" {
			return fmt.Sprintf("it lists two %s %s", list.what, s)
		}
	}
	return ""
}

const noUUID = "00000000-0000-0000-0000-000000000000"

// known is a UUID, or "" for one that says nothing.
func known(uuid string) string {
	if uuid == noUUID {
		return ""
	}
	return uuid
}

func (a *answers) bases() (uuids []string) {
	for _, r := range a.raids {
		for _, b := range r.Bases {
			if b.Configured {
				uuids = append(uuids, known(b.UUID))
			}
		}
	}
	return uuids
}

func each[T any](list []T, of func(*T) string) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = of(&list[i])
	}
	return out
}

// twice returns a string that is there twice, but for empty ones; "" for none.
func twice(list []string) string {
	seen := make(map[string]bool, len(list))
	for _, s := range list {
		if s != "" && seen[s] {
			return s
		}
		seen[s] = true
	}
	return ""
}

// repeatedNamespaces finds a number that two namespaces of a subsystem have, or
// an lvol that a subsystem of the cluster shows under two.
func (a *answers) repeatedNamespaces(c lineage.Cluster) string {
	for i := range a.subsystems {
		s := &a.subsystems[i]
		if n := twice(each(s.Namespaces, func(n *spdk.Namespace) string { return fmt.Sprint(n.NSID) })); n != "" {
			return fmt.Sprintf("it lists two namespaces %s of subsystem %s", n, s.NQN)
		}
		_, link := c.ParseLink(lineage.NQN(s.NQN))
		if _, export := c.ParseExport(lineage.NQN(s.NQN)); !link && !export {
			continue
		}
		if u := twice(each(s.Namespaces, func(n *spdk.Namespace) string { return known(n.UUID) })); u != "" {
			return fmt.Sprintf("it lists two namespaces with UUID %s of subsystem %s", u, s.NQN)
		}
	}
	return ""
}

// lvolBdevs compares the two listings in which every lvol is.
func (a *answers) lvolBdevs() string {
	bdevs := a.byUUID
	stores := make(map[string]string, len(a.lvstores)) // UUID by name
	for _, s := range a.lvstores {
		stores[s.Name] = s.UUID
	}
	external := map[string]bool{} // lvstores with a clone whose external snapshot may be missing
	for i := range a.lvols {
		l := &a.lvols[i]
		external[l.Lvs.Name] = external[l.Lvs.Name] || l.EsnapClone && bdevs[l.UUID] == nil
	}
	listed := make(map[string]bool, len(a.lvols))
	for i := range a.lvols {
		l := &a.lvols[i]
		listed[l.UUID] = true
		alias := l.Lvs.Name + "/" + l.Name
		b := bdevs[l.UUID]
		switch {
		case stores[l.Lvs.Name] == "":
			return fmt.Sprintf("it lists lvol %s and no lvstore %s", alias, l.Lvs.Name)
		case b == nil && !l.Degraded && !l.EsnapClone && !(l.Clone && external[l.Lvs.Name]):
			return fmt.Sprintf("it lists lvol %s without its bdev, though nothing that the lvol reads through is missing", alias)
		case b == nil:
		case b.Driver.Lvol == nil:
			return fmt.Sprintf("it lists lvol %s, and as the bdev of its UUID one that is no lvol", alias)
		case b.Driver.Lvol.LvstoreUUID != stores[l.Lvs.Name]:
			return fmt.Sprintf("it lists lvol %s, and its bdev as one of another lvstore", alias)
		}
	}
	for i := range a.bdevs {
		if b := &a.bdevs[i]; b.Driver.Lvol != nil && !listed[b.UUID] {
			return fmt.Sprintf("it lists bdev %s, which is an lvol, and not the lvol", slices.Concat(b.Aliases, []string{b.Name})[0])
		}
	}
	return ""
}

// missingBases are the RAIDs one of whose bases is in use and has no bdev, and
// what that base is called.
func (a *answers) missingBases() map[string]string {
	var missing map[string]string
	for _, r := range a.raids {
		for _, b := range r.Bases {
			if b.Configured && a.byUUID[b.UUID] == nil {
				if missing == nil {
					missing = map[string]string{}
				}
				missing[r.Name] = b.Name
			}
		}
	}
	return missing
}
