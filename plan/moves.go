package plan

import (
	"cmp"
	"slices"

	"strata/lineage"
	"strata/schema"
)

// Move is a replica, or the engine, of a volume that is elsewhere once a plan is carried
// out. It follows from the operations of the plan.
type Move struct {
	Volume string       `json:"volume"`
	Engine bool         `json:"engine,omitempty"` // it is the engine that moves
	From   lineage.Node `json:"from"`
	To     lineage.Node `json:"to"`
	Bytes  int64        `json:"bytes,omitempty"` // that are copied, at most
	// Begins and Ends are when its copying begins and ends at the soonest, in seconds after the
	// first copy of the plan, by the bandwidth that is set for the node that is copied to;
	// 0 and 0 where none is set.
	Begins int64 `json:"begins,omitempty"`
	Ends   int64 `json:"ends,omitempty"`
	// Copies is how many current replicas the volume has when it has fewest.
	Copies int    `json:"copies,omitempty"`
	Why    string `json:"why,omitempty"`
}

// moving is what the steps of a plan do to where a volume is.
type moving struct {
	first  int                    // the step that copies first
	gets   []lineage.Node         // where a replica is made, in order
	gone   []lineage.Node         // where one that was current goes, in order
	fenced map[lineage.Node]bool  // where one was current, and is not any more
	has    map[lineage.Place]bool // where one is known to be current
	bytes  map[lineage.Node]int64 // copied there
	span   map[lineage.Node]*span // when
	serves [2]lineage.Node        // first and last
	left   lineage.Node           // served it, until it was taken down for something
	sealed bool                   // it is taken down on purpose
	copies int                    // fewest; -1: none is known
}

type span struct{ begins, ends int64 }

// NoteMoves notes which replicas and engines a plan moves that was checked, in the order in
// which they are copied, and why those do that a person wishes to.
func (p *Plan) NoteMoves(cfg *schema.Config, w Wishes) {
	all, order := map[string]*moving{}, []string{}
	filled := map[lineage.Node]int64{}
	number := 0
	for s := range p.sections() {
		for step := range s.Steps() {
			number++
			name := concern(cfg.Cluster, s.Key(), step.Op)
			if name == "" {
				continue
			}
			of := func(name string) *moving {
				if all[name] == nil {
					all[name] = &moving{fenced: map[lineage.Node]bool{}, has: map[lineage.Place]bool{}, bytes: map[lineage.Node]int64{}, span: map[lineage.Node]*span{}, copies: -1}
					order = append(order, name)
				}
				return all[name]
			}
			of(name).copying(cfg, step, number, filled)
			if w := cfg.WholeOf(cfg.Volume(name)); w != nil {
				name = w.Name // all parts have one engine
			}
			of(name).serving(cfg, step.Op)
		}
	}
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(all[a].first, all[b].first) })
	p.Moves = nil
	for _, name := range order {
		for _, m := range all[name].moves(cfg, name) {
			why := w[m.Volume].Why[m.To]
			if m.Engine {
				why = w[m.Volume].ServeWhy
			}
			m.Why = cmp.Or(why, m.Why)
			p.Moves = append(p.Moves, m)
		}
	}
}

// copying notes what a step does to replicas. filled is how much is copied to each node so far.
func (m *moving) copying(cfg *schema.Config, step *Step, number int, filled map[lineage.Node]int64) {
	if step.Copies >= 0 && (m.copies < 0 || step.Copies < m.copies) {
		m.copies = step.Copies
	}
	n := step.Op.On()
	switch op := step.Op.(type) {
	case ShallowCopy:
		if m.first == 0 {
			m.first = number
		}
		m.bytes[op.Dest] += op.Bytes
		m.lasts(cfg.Node(op.Dest), filled[op.Dest], op.Bytes)
		filled[op.Dest] += op.Bytes
	case LvolSetParent:
		m.arrives(n)
	case LvolRename:
		from, to := marked(op.From), marked(op.To)
		if to == current && from == none {
			m.arrives(n)
		}
		m.fenced[n] = m.fenced[n] || from == current && to == stale
		m.has[lineage.Place{Node: n, Lvstore: op.Lvstore}] = to == current
	case LvolDelete:
		if _, ok := lineage.ParseHead(op.Name); ok && m.fenced[n] && !slices.Contains(m.gone, n) {
			m.gone = append(m.gone, n)
		}
	default: // neither makes one nor lets one go
	}
}

// serving notes what an operation does to the engine.
func (m *moving) serving(cfg *schema.Config, op Op) {
	n := op.On()
	switch op := op.(type) {
	case LvolRename:
		if h, _ := lineage.ParseHead(op.To); h.Mark == lineage.Sealed {
			m.sealed = true
			m.serve(m.left, false)
		}
	case RaidDelete:
		m.serve(n, false)
	case RaidCreate:
		m.serve(n, true)
	case NamespaceRemove:
		if _, ok := cfg.Cluster.ParseExport(op.NQN); ok {
			m.serve(n, false)
		}
	case NamespaceAdd:
		if _, ok := cfg.Cluster.ParseExport(op.NQN); ok {
			m.serve(n, true)
		}
	default: // leaves it where it is
	}
}

// arrives notes that a replica is whole on a node.
func (m *moving) arrives(n lineage.Node) {
	if !slices.Contains(m.gets, n) {
		m.gets = append(m.gets, n)
	}
}

// What the name of an lvol says of whether it has all that was written.
const (
	none    = iota // it is no head
	current        // or as good as that
	stale
)

func marked(name lineage.LvolName) int {
	switch h, ok := lineage.ParseHead(name); {
	case !ok:
		return none
	case h.Mark == lineage.Fenced:
		return stale
	}
	return current
}

// lasts notes from when until when so much is copied to a node that has got something already.
func (m *moving) lasts(to *schema.Node, before, bytes int64) {
	if to == nil || to.Rebuild.Bandwidth == 0 {
		return
	}
	rate := to.Rebuild.Bandwidth
	if m.span[to.Name] == nil {
		m.span[to.Name] = &span{begins: before / rate}
	}
	m.span[to.Name].ends = (before + bytes + rate - 1) / rate
}

// serve notes that a node serves the volume no more, or from now on.
func (m *moving) serve(n lineage.Node, from bool) {
	switch {
	case from:
		m.serves[1], m.left = n, ""
	case !m.sealed:
		m.left = n
	case m.serves[0] == "":
		m.serves[0] = n
	}
}

// holds reports whether a node has a current replica still, in another pool.
func (m *moving) holds(n lineage.Node) bool {
	for at, current := range m.has {
		if at.Node == n && current {
			return true
		}
	}
	return false
}

// moves are those of the volume: where a replica goes for each that comes.
func (m *moving) moves(cfg *schema.Config, name string) (all []Move) {
	gets := slices.DeleteFunc(slices.Clone(m.gets), func(n lineage.Node) bool { return slices.Contains(m.gone, n) })
	left := slices.DeleteFunc(slices.Clone(m.gone), m.holds)
	for i, to := range gets {
		if i >= len(left) {
			break
		}
		move := Move{Volume: name, From: left[i], To: to, Bytes: m.bytes[to], Copies: max(0, m.copies)}
		if s := m.span[to]; s != nil {
			move.Begins, move.Ends = s.begins, s.ends
		}
		if n := cfg.Node(move.From); n != nil && n.Drain {
			move.Why = string(n.Name) + " " + n.Leaves()
		}
		all = append(all, move)
	}
	if v := cfg.Shown(name); v == nil || v.Part != nil || v.Replicas.Count == 1 && v.Export.Kind == schema.ExportNone {
		return all // it has an engine only while a replica is made
	}
	if from, to := m.serves[0], m.serves[1]; from != "" && to != "" && from != to {
		move := Move{Volume: name, Engine: true, From: from, To: to}
		if n := cfg.Node(from); n != nil && n.Drain {
			move.Why = string(n.Name) + " " + n.Leaves()
		}
		all = append(all, move)
	}
	return all
}
