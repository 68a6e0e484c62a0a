package schema

import (
	"fmt"
	"slices"

	"strata/amount"
	"strata/lineage"
)

// failover reads whether the engine goes elsewhere without a person.
func (s *spot) failover() bool {
	word, _ := s.matching(`"auto" or "manual"`, func(t string) bool { return t == "auto" || t == "manual" })
	return word == "auto"
}

// minQuorum is how few replicas leave more than half of them when the engine's node is
// gone with one.
const minQuorum = 3

// failover refuses a failover without a person where it could never be proven that no
// write is lost and that nobody reads from the old engine any more.
func (r *relations) failover(v *Volume, o object) {
	if !v.Failover {
		return
	}
	at := o.field("failover")
	switch {
	case v.Export.Kind != ExportNVMf:
		at.wrong(`export it by nvmf, or leave failover out`, `is "auto", and hosts do not reach the volume over NVMe/TCP: no other node can take over what they have`)
	case !r.cfg.Links.Wait():
		at.wrong(`write links: loss: "wait"`, `is "auto", and links drop a lost peer: no replica could prove that it has all that was written`)
	case !v.Auto.Has(DutyFence):
		at.wrong(`add "fence" to its auto`, `is "auto", and nothing is fenced without a person`)
	default:
		r.unproven(v, at)
	}
}

// unproven refuses it where the engine has a replica of its own: hosts may go on reading
// that as long as nothing has switched the node off.
func (r *relations) unproven(v *Volume, at *spot) {
	if r.broken || !r.mayServeItself(v) {
		return
	}
	const instead = "or set engine to a node that has no replica of it"
	of := ""
	if v.Part != nil {
		of = " of " + v.Name
	}
	if v.Replicas.Count < minQuorum {
		at.wrong(fmt.Sprintf("give it %d replicas, %s", minQuorum, instead), `is "auto", and with %s%s, of which the engine has one, those that are left are no majority: nobody could tell whether the engine went on alone`, amount.Of(v.Replicas.Count, "replica"), of)
		return
	}
	var lack []string
	for _, n := range r.seats(v) {
		if n.Fence == nil {
			lack = append(lack, string(n.Name))
		}
	}
	if len(lack) > 0 {
		at.wrong("write a fence command for each, "+instead, `is "auto", and nothing switches off %s: an engine there that is cut off would go on showing hosts what its own replica has`, amount.List(lack))
	}
}

// mayServeItself reports whether the engine may be where a replica is.
func (r *relations) mayServeItself(v *Volume) bool {
	if v.Engine == "" {
		return true
	}
	return slices.ContainsFunc(r.candidatesFor(v.Replicas).nodes, func(n *Node) bool { return n.Name == v.Engine })
}

// seats are the nodes that may be the engine: the one that is set, or any that may have a
// replica. After a failover it is another than the one that is set.
func (r *relations) seats(v *Volume) []*Node {
	nodes := slices.Clone(r.candidatesFor(v.Replicas).nodes)
	has := func(name lineage.Node) bool {
		return slices.ContainsFunc(nodes, func(n *Node) bool { return n.Name == name })
	}
	if n := r.nodes[v.Engine]; n != nil && !has(v.Engine) {
		nodes = append(nodes, n)
	}
	return nodes
}
