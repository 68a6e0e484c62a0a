package sweep

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// ending is what there is in the end, by volume and beside the volumes, with
// everything left out that may differ: ids, UUIDs, epochs, namespace numbers.
type ending map[string][]string

func (e ending) String() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(e)) {
		fmt.Fprintf(&b, "%s\n", k)
		for _, l := range e[k] {
			fmt.Fprintf(&b, "    %s\n", l)
		}
	}
	return b.String()
}

func (e ending) add(key, format string, args ...any) {
	e[key] = append(e[key], fmt.Sprintf(format, args...))
}

const beside = "nodes"

// describe makes the ending of a snapshot.
func describe(cfg *schema.Config, s *state.Snapshot) ending {
	e := ending{}
	for _, name := range slices.Sorted(maps.Keys(s.Nodes)) {
		n := s.Nodes[name]
		if n.Unknown != "" {
			e.add(beside, "%s cannot be read: %s", name, n.Unknown)
			continue
		}
		for _, d := range n.Disks {
			e.disk(n, d)
		}
		for _, l := range n.Lvstores {
			e.lvstore(n, l)
		}
		for _, c := range n.Controllers {
			at := c.Portals() // by which of them it goes changes by itself
			slices.SortFunc(at, func(a, b lineage.Portal) int { return strings.Compare(a.String(), b.String()) })
			e.add(beside, "%s controller %s to %s at %v %s", name, c.Name, c.NQN, at, c.State)
		}
		for _, l := range n.Lvols {
			e.lvol(s, name, l)
		}
		for _, r := range n.Raids {
			e.raid(cfg, s, name, r)
		}
		for _, sub := range n.Subsystems {
			e.subsystem(cfg, s, name, sub)
		}
	}
	for _, lines := range e {
		slices.Sort(lines)
	}
	return e
}

// disk is one, whatever its bdev is called: that says only which pool it had when
// it was attached.
func (e ending) disk(n *state.Node, d *state.Disk) {
	bdevs := 0
	for _, o := range n.Disks {
		if o.Path == d.Path {
			bdevs++
		}
	}
	e.add(beside, "%s disk %s %s claimed=%v bdevs=%d", n.Name, d.Kind, d.Path, d.Claimed, bdevs)
}

func (e ending) lvstore(n *state.Node, l *state.Lvstore) {
	name := l.Name
	if s, ok := lineage.ParseStore(name); ok && s.ID != "" {
		s.ID = lineage.Pending
		name = s.Lvstore()
	}
	e.add(beside, "%s lvstore %s on %s", n.Name, name, n.Paths()[l.Called()])
}

// strange is an lvol that no volume's name is on.
func (e ending) strange(s *state.Snapshot, node lineage.Node, l *state.Lvol) {
	switch m, ok := lineage.ParseMember(l.Name); {
	case ok:
		e.add(beside, "%s reminds of %s/%s, which is there=%v", node, m.Node, m.Pool, s.HasStore(m))
	case string(l.Name) != theirs:
		e.add(beside, "%s lvol %s", node, l.Name)
	}
}

func (e ending) lvol(s *state.Snapshot, node lineage.Node, l *state.Lvol) {
	switch n := l.Parsed.(type) {
	case lineage.Head:
		mark := "open"
		if n.Mark != 0 {
			mark = string(rune(n.Mark))
		}
		what := fmt.Sprintf("legs=%d size=%d complete=%v%s", n.Legs, l.Size, l.Complete(), standsOn(l))
		if n.Mark == lineage.Fenced {
			what = ""
		} else if n.Epoch != topOf(s, n.Volume) {
			what += " old"
		}
		e.add(n.Volume.Name, "%s/%s head %s %s", node, poolOf(l), mark, what)
	case lineage.Layer:
		what := ""
		if n.Own {
			what = " of strata's own"
		}
		e.add(n.Volume.Name, "%s/%s layer %s%s size=%d%s", node, poolOf(l), n.Snapshot, what, l.Size, standsOn(l))
	case nil:
		e.strange(s, node, l)
	default:
		e.add(n.Of().Name, "%s %T", node, n)
	}
}

// poolOf is the pool that an lvol is in, whatever id its lvstore has.
func poolOf(l *state.Lvol) string {
	if s, ok := lineage.ParseStore(l.Lvstore); ok {
		return s.Pool
	}
	return l.Lvstore
}

// standsOn says which layer an lvol stands on.
func standsOn(l *state.Lvol) string {
	n, _ := lineage.Parse(l.Parent)
	if below, ok := n.(lineage.Layer); ok {
		return fmt.Sprintf(" on %s@%s", below.Volume.Name, below.Snapshot)
	}
	return ""
}

func topOf(s *state.Snapshot, v lineage.Volume) lineage.Epoch { return s.Incarnation("lab", v).Top() }

// whose says which node's lvol a UUID is.
func whose(s *state.Snapshot, u lineage.UUID) string {
	for name, n := range s.Nodes {
		if l := n.LvolByUUID(u); l != nil && l.Parsed != nil {
			return fmt.Sprintf("%s's %s", name, l.Parsed.Of().Name)
		}
	}
	return "nobody's " + string(u)
}

func (e ending) raid(cfg *schema.Config, s *state.Snapshot, node lineage.Node, r *state.Raid) {
	key := beside
	if v, ok := cfg.Cluster.ParseRaid(r.Name); ok {
		key = v.Name
	}
	var legs []string
	for _, l := range r.Legs {
		if of, raid := raidOf(cfg.Cluster, l.Base); l.Configured && raid {
			legs = append(legs, of)
		} else if l.Configured {
			legs = append(legs, whose(s, l.UUID))
		}
	}
	if r.Laid != nil { // in their order
		e.add(key, "%s %s striped=%v, %d bytes of: %s", node, r.State, r.Laid.Striped, r.Laid.Size, strings.Join(legs, ", "))
		return
	}
	if alone(r) {
		return
	}
	slices.Sort(legs)
	e.add(key, "%s raid %s rebuilding=%q legs: %s", node, r.State, r.Rebuilding, strings.Join(legs, ", "))
}

// alone reports whether a RAID has one leg: a volume of one replica that had more is served
// by such a one, and by the leg as it is once its engine was started again.
func alone(r *state.Raid) bool {
	n := 0
	for _, l := range r.Legs {
		if l.Configured {
			n++
		}
	}
	return n == 1
}

// shownLeg is the lvol that a device is, or is made of alone; "" for a mirror.
func shownLeg(n *state.Node, bdev string) lineage.UUID {
	if r := n.Raids[bdev]; r != nil && alone(r) {
		for _, l := range r.Legs {
			if l.Configured {
				return l.UUID
			}
		}
	}
	return n.Backing(bdev)
}

func (e ending) subsystem(cfg *schema.Config, s *state.Snapshot, node lineage.Node, sub *state.Subsystem) {
	key, name := beside, string(sub.NQN)
	if v, ok := cfg.Cluster.ParseExport(sub.NQN); ok {
		key, name = v.Name, "export"
	}
	var ls []string
	for _, l := range sub.Listeners {
		ls = append(ls, fmt.Sprintf("%s:%s paused=%v", l.Address, l.Port, l.Paused))
	}
	slices.Sort(ls)
	e.add(key, "%s %s any=%v hosts=%v at %v", node, name, sub.AnyHost, sub.Hosts, ls)
	for _, ns := range sub.Namespaces {
		u := shownLeg(s.Nodes[node], ns.Bdev)
		switch {
		case key != beside:
			device := "raid"
			if u != "" {
				device = whose(s, u)
			}
			e.add(key, "%s export shows %s as %d", node, device, ns.NSID)
		default:
			v := whose(s, u)
			_, volume, _ := strings.Cut(v, "'s ")
			e.add(volume, "%s shows %s by %s", node, v, name)
		}
	}
}

// accept compares an ending with the one without any trouble: whatever went
// wrong, what is there in the end is the same, unless nothing was left but what is damaged.
func (w *world) accept(got, want ending) error {
	if w.damaged() {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(joined(got, want))) {
		for _, l := range got[key] {
			if !slices.Contains(want[key], l) {
				return fmt.Errorf("%s: there is too much: %s", key, l)
			}
		}
		for _, l := range want[key] {
			if !slices.Contains(got[key], l) {
				return fmt.Errorf("%s: there is missing: %s", key, l)
			}
		}
	}
	return nil
}

func joined(a, b ending) ending {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
