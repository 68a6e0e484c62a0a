package whatif

import (
	"slices"

	"strata/lineage"
	"strata/report"
	"strata/schema"
	"strata/state"
)

// moment is what there is at one moment, and what status says of it.
type moment struct {
	cfg    *schema.Config
	snap   *state.Snapshot
	report *report.Report
	waits  []state.Waiting
}

func newMoment(cfg *schema.Config, snap *state.Snapshot) *moment {
	return &moment{cfg, snap, report.Build(cfg, snap), snap.Waits(cfg.Cluster)}
}

// standing is how a volume is at a moment: of one that is laid out, how all its parts are.
type standing struct {
	served  bool
	why     string         // it is not
	engine  lineage.Node   // that serves it
	held    []lineage.Node // hosts that write wait for replicas there
	current []lineage.Node // with a current replica; of several parts, of all of them
	copies  int            // that are current, of the part that has fewest
	wanted  int
}

// standing is how a volume is that hosts know by that name.
func (m *moment) standing(name string) standing {
	w := m.cfg.Whole(name)
	if w == nil {
		return m.of(name)
	}
	var all standing
	for i, v := range m.cfg.Parts(w) {
		p := m.of(v.Name)
		for _, n := range p.held {
			if !slices.Contains(all.held, n) {
				all.held = append(all.held, n)
			}
		}
		if i == 0 {
			all.current, all.copies, all.wanted = p.current, p.copies, p.wanted
			continue
		}
		all.current = slices.DeleteFunc(slices.Clone(all.current), func(n lineage.Node) bool { return !slices.Contains(p.current, n) })
		all.copies = min(all.copies, p.copies)
	}
	for _, r := range m.report.Wholes {
		if r.Name == name {
			all.served, all.why, all.engine = serves(r.Health), r.Why, r.Engine
		}
	}
	return all
}

// of is how a volume is that is no whole: of several incarnations, the one that is served, or
// has current replicas.
func (m *moment) of(name string) (s standing) {
	best := -1
	for i := range m.report.Volumes {
		v := &m.report.Volumes[i]
		rank := v.Current
		if serves(v.Health) {
			rank += 1000
		}
		if v.Name != name || rank <= best {
			continue
		}
		best = rank
		s = standing{served: serves(v.Health), why: v.Why, engine: v.Engine, copies: v.Current, wanted: v.Wanted, held: m.held(v), current: slices.Clone(v.Unread)}
		for _, r := range v.Replicas {
			if r.Leg == report.Current && !slices.Contains(s.current, r.Node) {
				s.current = append(s.current, r.Node)
			}
		}
		slices.Sort(s.current)
	}
	return s
}

func serves(h report.Health) bool { return h == report.Healthy || h == report.Degraded }

// held are the nodes with a replica that the engine of a volume does not reach and waits for.
func (m *moment) held(v *report.Volume) (nodes []lineage.Node) {
	if v.Engine == "" {
		return nil
	}
	at := m.snap.Nodes[v.Engine]
	device := at.Deciphered(v.Device)
	uses := func(u lineage.UUID) bool { return at.Raids[device].Has(u) || at.Backing(device) == u }
	for _, w := range m.waits {
		if w.At == v.Engine && slices.ContainsFunc(w.Legs, uses) {
			nodes = append(nodes, w.From)
		}
	}
	return nodes
}
