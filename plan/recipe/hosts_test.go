package recipe

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"strata/lineage"
	"strata/state"
)

// reachable reports whether I/O to an lvol gets through from m.
func (c *cluster) reachable(m *machine, u lineage.UUID) bool {
	if l := m.LvolByUUID(u); l != nil {
		return !l.Degraded
	}
	r := m.Remotes[u]
	if r == nil || r.Absent {
		return false
	}
	ctrl := m.Controllers[r.Controller]
	link, _ := c.cfg.Cluster.ParseLink(ctrl.NQN)
	from := c.machines[link.From]
	return ctrl.State == "enabled" && !from.down && from.LvolByUUID(u) != nil && !from.LvolByUUID(u).Degraded
}

func (c *cluster) allocated(u lineage.UUID) {
	for _, m := range c.machines {
		if l := m.LvolByUUID(u); l != nil {
			l.Allocated = max(l.Allocated, 1)
		}
	}
}

// served is a volume as hosts reach it on a machine.
type served struct {
	m    *machine
	legs []lineage.UUID
	raid *state.Raid
}

// serving finds every way by which hosts reach volumes.
func (c *cluster) serving() map[lineage.Volume][]served {
	out := map[lineage.Volume][]served{}
	for _, name := range slices.Sorted(maps.Keys(c.machines)) {
		m := c.machines[name]
		if m.down {
			continue
		}
		add := func(v lineage.Volume, dev string) {
			s := served{m: m}
			if r := m.Raids[dev]; r != nil {
				s.raid = r
				for _, l := range r.Legs {
					if l.Configured {
						s.legs = append(s.legs, l.UUID)
					}
				}
			} else if u := m.Backing(dev); u != "" {
				s.legs = []lineage.UUID{u}
			}
			// One that reaches none of its legs any more makes its hosts wait.
			if slices.ContainsFunc(s.legs, func(u lineage.UUID) bool { return c.reachable(m, u) }) {
				out[v] = append(out[v], s)
			}
		}
		for _, nqn := range slices.Sorted(maps.Keys(m.Subsystems)) {
			sub := m.Subsystems[nqn]
			v, ok := c.cfg.Cluster.ParseExport(nqn)
			ns := sub.Namespaces[state.ExportNSID]
			if ok && ns != nil && (sub.AnyHost || len(sub.Hosts) > 0) &&
				slices.ContainsFunc(sub.Listeners, func(l state.Listener) bool { return !l.Paused }) {
				add(v, ns.Bdev)
			}
		}
		var kernel []string
		for _, id := range slices.Sorted(maps.Keys(m.Ublk)) {
			kernel = append(kernel, m.Ublk[id])
		}
		for _, path := range slices.Sorted(maps.Keys(m.NBD)) {
			kernel = append(kernel, m.NBD[path])
		}
		for _, dev := range kernel {
			if v, ok := c.volumeOf(m, dev); ok {
				add(v, dev)
			}
		}
	}
	return out
}

func (c *cluster) volumeOf(m *machine, dev string) (lineage.Volume, bool) {
	if v, ok := c.cfg.Cluster.ParseRaid(dev); ok {
		return v, true
	}
	u := m.Backing(dev)
	for _, o := range c.machines {
		if l := o.LvolByUUID(u); l != nil && l.Parsed != nil {
			return l.Parsed.Of(), true
		}
	}
	return lineage.Volume{}, false
}

// hosts lets hosts read all volumes they reach, and write some.
func (c *cluster) hosts(write bool) {
	serving := c.serving()
	for _, v := range slices.SortedFunc(maps.Keys(serving), func(a, b lineage.Volume) int { return strings.Compare(a.String(), b.String()) }) {
		ways := serving[v]
		for _, w := range ways[1:] {
			if w.m != ways[0].m {
				c.broken("%s is served by %s and by %s", v, ways[0].m.Name, w.m.Name)
			}
		}
		for _, w := range ways {
			c.io(v, w, write && c.rng.Intn(3) == 0)
		}
	}
}

// drain waits for the I/O of a namespace, which ends when the leg that holds it
// up is given up, or takes too long.
func (c *cluster) drain(m *machine, sub *state.Subsystem, nsid int) error {
	if sub.Namespaces[nsid] == nil {
		return nil
	}
	raid := m.Raids[sub.Namespaces[nsid].Bdev]
	if raid == nil {
		return nil
	}
	for _, l := range slices.Clone(raid.Legs) {
		if _, waits := c.queued[waiting{m.Name, l.UUID}]; !waits {
			continue
		}
		c.disturbed = true
		if c.waitsFor(m, l.UUID) || c.rng.Intn(2) == 0 {
			return errors.New("it does not come to rest")
		}
		c.note("  %s gives up leg %s of %s", m.Name, l.UUID, raid.Name)
		raid.Drop(l.UUID)
		delete(c.queued, waiting{m.Name, l.UUID})
	}
	return nil
}

func (c *cluster) io(v lineage.Volume, w served, write bool) {
	var up, away []lineage.UUID
	for _, u := range w.legs {
		if c.reachable(w.m, u) {
			up = append(up, u)
		} else {
			away = append(away, u)
		}
	}
	if len(up) == 0 {
		return
	}
	have := c.view(up[0])
	for _, u := range up {
		if c.view(u) != have {
			c.broken("%s on %s mirrors %s and %s, which differ", v, w.m.Name, up[0], u)
		}
	}
	if !c.truth[v][have] {
		c.broken("%s serves a stale copy of %s: %s", w.m.Name, v, up[0])
	}
	waits, patient := false, false
	for _, u := range away {
		patient = patient || c.waitsFor(w.m, u)
		_, q := c.queued[waiting{w.m.Name, u}]
		waits = waits || q
	}
	if !waits {
		c.truth[v] = map[uint64]bool{have: true}
	}
	if !write || waits && (patient || c.rng.Intn(2) == 0) {
		return
	}
	c.disturbed = true
	var sent hostWrite
	if !waits {
		c.writes++
		sent = hostWrite{c.rng.Intn(blocks), c.writes}
		for _, u := range up {
			c.blobs[u].own[sent.block] = sent.value
			c.allocated(u)
		}
	}
	now := c.view(up[0])
	if patient {
		c.note("  a write to %s reached %v and waits for %v", v, up, away)
		for _, u := range away {
			c.queued[waiting{w.m.Name, u}] = sent
		}
		c.truth[v] = map[uint64]bool{have: true, now: true}
		return
	}
	if len(away) == 0 || waits || c.rng.Intn(2) == 0 {
		for _, u := range away {
			c.note("  %s gives up leg %s of %s", w.m.Name, u, v)
			w.raid.Drop(u)
			delete(c.queued, waiting{w.m.Name, u})
		}
		c.note("  written to %s: %v", v, up)
		c.truth[v] = map[uint64]bool{now: true}
		return
	}
	c.note("  a write to %s reached %v and waits for %v", v, up, away)
	for _, u := range away {
		c.queued[waiting{w.m.Name, u}] = sent
	}
	c.truth[v] = map[uint64]bool{have: true, now: true}
}
