package schema

import (
	"maps"
	"slices"

	"strata/lineage"
)

// volume checks a volume against the nodes and the volumes before it. Good
// tells that it was read without a problem.
func (r *relations) volume(v *Volume, o object, good bool) {
	if r == nil {
		return
	}
	if !good {
		r.unread[v.Name] = true
		return
	}
	if v.From != nil {
		r.clones[v.Name] = o
	}
	r.adopt(v, o)
	if v.Engine != "" && r.nodes[v.Engine] == nil {
		o.field("engine").noNode(v.Engine, r)
	}
	if dev, ok := device(v); ok {
		key := string(v.Engine) + " " + dev
		if other, taken := r.devices[key]; taken {
			o.field("export").wrong("", "is %s on node %s, and so is that of volume %s", dev, v.Engine, other)
		} else {
			r.devices[key] = v.Name
		}
	}
	r.standby(v, o)
	r.vip(v, o)
	r.tls(v, o)
	r.overRDMA(v, o)
	r.backup(v, o)
	r.restore(v, o)
	r.encrypted(v, o)
	if known := r.known(v, o.field("replicas").placement()); known && !r.broken {
		r.fit(v, o)
		r.failover(v, o)
		r.sent(v, r.served(v), o)
	}
}

// placement returns the spot's fields if it is a struct, else none.
func (s *spot) placement() object {
	if s == nil {
		return object{}
	}
	o := object{spot: s}
	if it, err := s.value.Fields(); err == nil {
		for it.Next() {
			name := it.Selector().Unquoted()
			o.fields = append(o.fields, &spot{s.doc, s, name, it.Value(), s.place.field(name)})
		}
	}
	return o
}

// known reports names in v's replicas that no node bears. It returns whether
// all are known.
func (r *relations) known(v *Volume, o object) bool {
	ok := true
	for _, name := range v.Replicas.On {
		if r.nodes[name] == nil {
			ok = false
			elems, _ := o.field("on").list("")
			for _, e := range elems {
				if t, _ := e.value.String(); t == string(name) {
					e.noNode(name, r)
				}
			}
		}
	}
	if r.broken {
		return ok
	}
	if p := v.Replicas.Pool; p != "" && !r.hasPool(p) {
		ok = false
		o.field("pool").wrong(Hint(p, "pools", r.poolNames()), "%q: no node has a pool of that name", p)
	}
	if k := v.Replicas.Spread; k != "" && !r.hasLabel(k, "") {
		ok = false
		o.field("spread").wrong(Hint(k, "labels", r.labelKeys()), "%q: no node has a label of that name", k)
	}
	for _, k := range slices.Sorted(maps.Keys(v.Replicas.Require)) {
		value := v.Replicas.Require[k]
		switch at := o.field("require").placement().field(k); {
		case !r.hasLabel(k, ""):
			ok = false
			at.wrong(Hint(k, "labels", r.labelKeys()), "is a label that no node has")
		case !r.hasLabel(k, value):
			ok = false
			at.wrong(Hint(value, "values", r.labelValues(k)), "%q: no node has that value", value)
		}
	}
	return ok
}

func (s *spot) noNode(name lineage.Node, r *relations) {
	s.wrong(Hint(string(name), "nodes", r.nodeNames()), "%q: there is no node of that name", name)
}

func (r *relations) hasPool(name string) bool {
	for _, n := range r.cfg.Nodes {
		if n.Pool(name) != nil {
			return true
		}
	}
	return false
}

// hasLabel reports whether a node has the label, with that value unless it is "".
func (r *relations) hasLabel(key, value string) bool {
	for _, n := range r.cfg.Nodes {
		if v, ok := n.Labels[key]; ok && (value == "" || v == value) {
			return true
		}
	}
	return false
}
