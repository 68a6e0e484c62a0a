package schema

import (
	"slices"

	"cuelang.org/go/cue"

	"strata/lineage"
)

const defaultReplicas = 2

const wantReplicas = `a number such as 3, {count: 3, spread: "zone", pool: "fast"} or {on: ["n1", "n2"]}`

func (s *spot) replicas(r *Replicas) {
	if s == nil || !s.resolve() && s.value.Err() == nil {
		return
	}
	if s.value.Kind() == cue.IntKind {
		s.count(r)
		return
	}
	o, ok := s.object(wantReplicas)
	if !ok {
		return
	}
	o.only(placementFields)
	r.Pool, _ = o.field("pool").ownName("pool")
	if on := o.field("on"); on != nil {
		for _, name := range []string{"count", "spread", "require"} {
			if f := o.field(name); f != nil {
				f.wrong("leave out one of the two", "does not go together with on, which names the nodes")
			}
		}
		on.nodeNames(r)
		return
	}
	o.field("count").count(r)
	if t, ok := o.field("spread").matching("the key of a label", labelKey.MatchString); ok {
		r.Spread = t
	}
	if f := o.field("require"); f != nil {
		r.Require = f.labels()
	}
}

func (s *spot) count(r *Replicas) {
	if n, ok := s.integer("a number of replicas from 1 to 99", 1, maxReplicas); ok {
		r.Count = int(n)
	}
}

// nodeNames reads the nodes that replicas are on.
func (s *spot) nodeNames(r *Replicas) {
	elems, ok := s.list(`a list of nodes such as ["n1", "n2"]`)
	if ok && len(elems) == 0 {
		s.wrong("", "must name at least one node")
	}
	for _, e := range elems {
		name, ok := e.ownName("node")
		if !ok {
			continue
		}
		if slices.Contains(r.On, lineage.Node(name)) {
			e.wrong("", "names %q again", name)
		}
		r.On = append(r.On, lineage.Node(name))
	}
	slices.Sort(r.On)
	r.Count = len(r.On)
}
