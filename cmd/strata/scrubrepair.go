package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/scrub"
)

// differs notes of a finding which copy of a snapshot a person may have made anew.
func (r *comparison) differs(f scrub.Finding) {
	of, _ := lineage.ParseLayer(f.Layer)
	if of.Own {
		return // it has no name that a person could say
	}
	name := plan.LayerGrant(of.Volume.Name, of.Snapshot).String()
	if r.odd[name] = append(r.odd[name], f.Odd...); len(f.Odd) == 0 {
		r.odd[name] = append(r.odd[name], "")
	}
}

// repairs says how copies that are damaged, or differ, are made anew.
func (r *comparison) repairs(out io.Writer) {
	for _, n := range slices.Sorted(maps.Keys(r.bad)) {
		volumes := r.bad[n]
		slices.Sort(volumes)
		for _, v := range slices.Compact(volumes) {
			fmt.Fprintf(out, "repair: strata apply has what is damaged of %s on %s copied again from a replica that is well, and strata plan says how; see that the disk of %s is well first\n", v, n, n)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.odd)) {
		nodes := r.odd[name]
		slices.Sort(nodes)
		if nodes = slices.Compact(nodes); len(nodes) == 1 && nodes[0] != "" {
			fmt.Fprintf(out, "repair: if the copy of %s on %s is not to be kept, strata apply --allow-destroy %s:%s has it copied again from another\n", name, nodes[0], name, nodes[0])
			continue
		}
		fmt.Fprintf(out, "repair: if you know which copy of %s is not to be kept, for a host or a record in an archive may tell, strata apply --allow-destroy %s:NODE has it copied again from another\n", name, name)
	}
}
