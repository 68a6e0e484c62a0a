package schema

import (
	"slices"
	"strings"

	"strata/lineage"
)

// adopt reads the lvol that becomes the volume, after from.
func (o object) adopt(v *Volume) {
	at := o.field("adopt")
	if at == nil {
		return
	}
	fields, ok := at.object(`a struct such as {node: "n1", head: "lvs0/old"}`)
	if !ok {
		return
	}
	fields.only(adoptFields)
	node, _ := fields.required("node", `"n1"`).ownName("node")
	alias, _ := fields.required("head", `"lvs0/old"`).matching(`the names of an lvstore and an lvol, such as "lvs0/old"`, lvolAlias.MatchString)
	if o.field("from") != nil {
		at.wrong("leave out one of the two", "does not go together with from: a volume has one beginning")
	}
	lvstore, lvol, _ := strings.Cut(alias, "/")
	v.Adopt = &Adopt{lineage.Node(node), lvstore, lineage.LvolName(lvol)}
}

// adopt checks where the lvol is that a volume adopts.
func (r *relations) adopt(v *Volume, o object) {
	if v.Adopt == nil {
		return
	}
	at := o.field("adopt").placement()
	n := r.nodes[v.Adopt.Node]
	if n == nil {
		at.field("node").noNode(v.Adopt.Node, r)
		return
	}
	if !r.broken && !slices.ContainsFunc(n.Pools, func(p *Pool) bool { return p.Lvstore == v.Adopt.Lvstore }) {
		var have []string
		for _, p := range n.Pools {
			have = append(have, p.Lvstore)
		}
		hint := "give it one: " + `pools: old: {aio: "/dev/sdb", lvstore: "` + v.Adopt.Lvstore + `"}`
		if _, near := nearest(v.Adopt.Lvstore, have); near {
			hint = Hint(v.Adopt.Lvstore, "lvstores", have)
		}
		at.field("head").wrong(hint, "%q: node %s has no pool with lvstore %s", v.Adopt.Alias(), n.Name, v.Adopt.Lvstore)
		return
	}
	key := string(n.Name) + " " + v.Adopt.Alias()
	if other, taken := r.adopted[key]; taken {
		at.field("head").wrong("", "%q is adopted by volume %s already", v.Adopt.Alias(), other)
		return
	}
	r.adopted[key] = v.Name
}
