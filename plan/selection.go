package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/schema"
)

// Selection is a part of what there is to do, by volumes and nodes.
type Selection struct {
	Only   []Key // these and what they need, and nothing else; empty: everything
	Except []Key // not these, nothing that needs them, and nothing on these nodes

	// wide are sections that need all that is done before on their nodes; out are those
	// that are left out because even that is not enough.
	wide, out []Key
}

// Beyond is the selection once a section was found not to be possible without more than
// it is known to need: that is taken, too, or, where nothing but that is left out, the section
// is left out. It returns false if there is nothing more to take or to leave.
func (s Selection) Beyond(key Key) (Selection, bool) {
	switch {
	case len(s.Only) > 0 && !slices.Contains(s.wide, key):
		s.wide = append(slices.Clone(s.wide), key)
	case !slices.Contains(s.out, key):
		s.out = append(slices.Clone(s.out), key)
	default:
		return s, false
	}
	return s, true
}

// All reports whether it is everything.
func (s Selection) All() bool { return len(s.Only)+len(s.Except) == 0 }

// Of leaves of a whole plan what is selected, and says what else that takes, and what else is
// left as it is. Sections stay whole, and in each pass those that they wait for stay, too:
// what is left is what the plan does where the other sections fail before their first step.
func (s Selection) Of(p *Plan, cfg *schema.Config) *Plan {
	if s.All() {
		return p
	}
	n := needsOf(p, cfg.Cluster, s.wide)
	kept := map[Key]bool{}
	for key := range n.keys {
		kept[key] = len(s.Only) == 0 || matches(key, s.Only)
	}
	said := n.complete(kept, s.Only)
	said = append(said, n.without(kept, s.Except, s.out)...)
	out := *p
	out.Passes = nil
	for _, pass := range p.Passes {
		left := Pass{Assumes: pass.Assumes}
		for i := range pass.Sections {
			if kept[pass.Sections[i].Key()] {
				left.Sections = append(left.Sections, pass.Sections[i])
			}
		}
		if len(left.Sections) > 0 {
			out.Passes = append(out.Passes, left)
		}
	}
	out.Blocked, out.Notes = s.findings(p.Blocked, kept), append(s.findings(p.Notes, kept), said...)
	stays := func(volume string) bool {
		key := VolumeKey(volume)
		return kept[key] || len(s.Only) == 0 && !matches(key, s.Except) || matches(key, s.Only)
	}
	out.Moves = slices.DeleteFunc(slices.Clone(p.Moves), func(m Move) bool { return !kept[VolumeKey(m.Volume)] })
	out.Places = slices.DeleteFunc(slices.Clone(p.Places), func(x Placement) bool { return !stays(x.Volume) })
	out.Seats = slices.DeleteFunc(slices.Clone(p.Seats), func(x Seat) bool { return !stays(x.Volume) })
	if left := n.leftOut(kept); left != "" {
		out.Notes = append(out.Notes, Finding{About: "what is left out", Text: left})
	}
	out.Complete(cfg)
	return &out
}

// findings are those about what is selected.
func (s Selection) findings(all []Finding, kept map[Key]bool) (out []Finding) {
	for _, f := range all {
		kind, name, _ := strings.Cut(f.About, " ")
		key := Key{Kind(kind), name}
		if kind == "pool" {
			node, _, _ := strings.Cut(name, "/")
			key = NodeKey(lineage.Node(node))
		}
		_, planned := kept[key]
		switch {
		case kept[key] || matches(key, s.Only):
			out = append(out, f)
		case len(s.Only) == 0 && !planned && !matches(key, s.Except):
			out = append(out, f)
		}
	}
	return out
}

// needs is what the sections of a plan need of one another, over all passes.
type needs struct {
	keys  map[Key]bool
	of    map[Key]map[Key]bool
	about map[Key]map[Key]bool // the volumes that a section concerns, and the nodes it works on
}

func needsOf(p *Plan, c lineage.Cluster, wide []Key) *needs {
	n := &needs{keys: map[Key]bool{}, of: map[Key]map[Key]bool{}, about: map[Key]map[Key]bool{}}
	before := map[Key]map[Key]bool{} // what has a section in an earlier pass, and where that works
	for _, pass := range p.Passes {
		for i := range pass.Sections {
			n.add(&pass.Sections[i], c, before, slices.Contains(wide, pass.Sections[i].Key()))
		}
		for i := range pass.Sections {
			key := pass.Sections[i].Key()
			before[key] = n.about[key]
		}
	}
	return n
}

// add takes note of a section. It needs what it waits for, what was done before to the nodes
// that it works on and to links between them, and the volume that it clones; one that is wide,
// all that was done before on any of its nodes.
func (n *needs) add(s *Section, c lineage.Cluster, before map[Key]map[Key]bool, wide bool) {
	key := s.Key()
	n.keys[key] = true
	need := func(from, to Key) {
		if from == to {
			return
		}
		if n.of[from] == nil {
			n.of[from] = map[Key]bool{}
		}
		n.of[from][to] = true
	}
	if n.about[key] == nil {
		n.about[key] = map[Key]bool{}
	}
	for _, after := range s.After {
		need(key, after)
	}
	for step := range s.Steps() {
		n.about[key][NodeKey(step.Op.On())] = true
		if v := concern(c, key, step.Op); v != "" {
			n.about[key][VolumeKey(v)] = true
			if key.Kind == KindGroup { // its snapshots are cut with those of others
				need(VolumeKey(v), key)
			}
		}
		if clone, ok := step.Op.(LvolClone); ok {
			if on, ok := lineage.ParseLayer(clone.Layer); ok {
				need(key, VolumeKey(on.Volume.Name))
			}
		}
	}
	for other, works := range before {
		if on := n.about[key]; other.Kind == KindNode && on[other] || other.Kind == KindLink && within(works, on) || wide && meets(works, on) {
			need(key, other)
		}
	}
}

// meets reports whether some have a node in common with others.
func meets(some, others map[Key]bool) bool {
	for key := range some {
		if key.Kind == KindNode && others[key] {
			return true
		}
	}
	return false
}

// within reports whether all nodes of some are among those of others.
func within(some, of map[Key]bool) bool {
	for key := range some {
		if key.Kind == KindNode && !of[key] {
			return false
		}
	}
	return true
}

// matches reports whether a section is that of one of the objects, or of a part of one.
func matches(key Key, objects []Key) bool {
	return slices.ContainsFunc(objects, func(o Key) bool {
		if key == o {
			return true
		}
		of := key.Name
		if v, ok := key.Volume(); ok {
			of = v.Name
		}
		whole := lineage.Volume{Name: of}.Whole().Name
		return o.Kind == KindVolume && (key.Kind == KindVolume || key.Kind == KindBackup) && (of == o.Name || whole == o.Name)
	})
}

// complete keeps what that which is kept needs, and says so.
func (n *needs) complete(kept map[Key]bool, only []Key) (said []Finding) {
	for again := true; again; {
		again = false
		for _, from := range n.sorted() {
			if !kept[from] && !(matches(from, only) && !n.keys[from]) {
				continue
			}
			for _, to := range slices.SortedFunc(maps.Keys(n.of[from]), Key.Compare) {
				if n.keys[to] && !kept[to] {
					kept[to], again = true, true
					said = append(said, Finding{About: to.String(), Text: fmt.Sprintf("%s needs it: it is in the plan, too", from)})
				}
			}
		}
	}
	return said
}

// without leaves out objects, and what needs them or works on them, and says so.
func (n *needs) without(kept map[Key]bool, except, alone []Key) (said []Finding) {
	out := map[Key]bool{}
	for again := true; again; {
		again = false
		for _, key := range n.sorted() {
			if out[key] || !n.keys[key] {
				continue
			}
			why := ""
			switch {
			case matches(key, except):
			case slices.Contains(alone, key):
				why = "it cannot be done without what is left out"
			default:
				if why = n.reason(key, except, out); why == "" {
					continue
				}
			}
			out[key], again = true, true
			if kept[key] && why != "" {
				said = append(said, Finding{About: key.String(), Text: why + ": it is left as it is, too"})
			}
			kept[key] = false
		}
	}
	return said
}

// reason says why a section cannot be carried out without others; "" if it can.
func (n *needs) reason(key Key, except []Key, out map[Key]bool) string {
	for _, about := range slices.SortedFunc(maps.Keys(n.about[key]), Key.Compare) {
		if matches(about, except) {
			if about.Kind == KindNode {
				return fmt.Sprintf("it takes steps on %s, which is left out", about)
			}
			return fmt.Sprintf("it is about %s, which is left out", about)
		}
	}
	for _, to := range slices.SortedFunc(maps.Keys(n.of[key]), Key.Compare) {
		if out[to] {
			return fmt.Sprintf("it needs %s, which is left out", to)
		}
	}
	return ""
}

// leftOut names what is not in the plan; "" for nothing.
func (n *needs) leftOut(kept map[Key]bool) string {
	var names []string
	for _, key := range slices.SortedFunc(maps.Keys(n.keys), Key.Compare) {
		if !kept[key] {
			names = append(names, key.String())
		}
	}
	if len(names) == 0 {
		return ""
	}
	return amount.List(names)
}

// sorted are all that need something, or have a section.
func (n *needs) sorted() []Key {
	all := maps.Clone(n.keys)
	for key := range n.of {
		all[key] = true
	}
	return slices.SortedFunc(maps.Keys(all), Key.Compare)
}
