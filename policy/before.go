package policy

import (
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// forms are the step with the labels that its volume and its node have, and with
// those that they had: who changes a label is held to both.
func (s *Step) forms(was *schema.Config) []*Step {
	all := []*Step{s}
	if was == nil {
		return all
	}
	volume, node := labelsOf(was, s.Volume, s.Node)
	if was.Volume(s.Volume) != nil && !maps.Equal(labels(volume), s.Labels) {
		old := *s
		old.Labels = labels(volume)
		all = append(all, &old)
	}
	if was.Node(s.Node) != nil && !maps.Equal(labels(node), s.NodeLabels) {
		for _, f := range slices.Clone(all) {
			old := *f
			old.NodeLabels = labels(node)
			all = append(all, &old)
		}
	}
	return all
}

// labelsOf are the labels that a configuration gives a volume and a node.
func labelsOf(cfg *schema.Config, v string, n lineage.Node) (volume, node map[string]string) {
	if v := cfg.Volume(v); v != nil {
		volume = v.Labels
	}
	if n := cfg.Node(n); n != nil {
		node = n.Labels
	}
	return volume, node
}

// Relabelled says which labels a configuration changes or takes away: a change
// that does nothing else has no step that a rule could be about, and the next one
// is judged by what it leaves.
func (p *Policy) Relabelled(cfg *schema.Config) []plan.Finding {
	var out []plan.Finding
	say := func(about string, was, is map[string]string, at schema.Pos) {
		for _, key := range sorted(was) {
			switch value, kept := is[key]; {
			case !kept:
				out = append(out, plan.Finding{About: about, Text: fmt.Sprintf("label %s goes; it was %q", key, was[key]), Pos: at})
			case value != was[key]:
				out = append(out, plan.Finding{About: about, Text: fmt.Sprintf("label %s is %q now; it was %q", key, value, was[key]), Pos: at})
			}
		}
	}
	if p.Was == nil {
		return nil
	}
	for _, v := range p.Was.Volumes {
		if now := cfg.Volume(v.Name); now != nil {
			say("volume "+v.Name, v.Labels, now.Labels, now.Pos)
		}
	}
	for _, n := range p.Was.Nodes {
		if now := cfg.Node(n.Name); now != nil {
			say("node "+string(n.Name), n.Labels, now.Labels, now.Pos)
		}
	}
	return out
}
