package plan

import (
	"strata/lineage"
	"strata/schema"
)

// Labels are those of the volumes and nodes that a plan's steps concern, as
// configured. What has no labels is not among them.
type Labels struct {
	Volumes map[string]map[string]string       `json:"volumes"`
	Nodes   map[lineage.Node]map[string]string `json:"nodes"`
}

// label notes the labels of what the steps concern.
func (p *Plan) label(cfg *schema.Config) {
	p.Labels = Labels{map[string]map[string]string{}, map[lineage.Node]map[string]string{}}
	for s := range p.sections() {
		for step := range s.Steps() {
			if n := cfg.Node(step.Op.On()); n != nil && len(n.Labels) > 0 {
				p.Labels.Nodes[n.Name] = n.Labels
			}
			if v := cfg.Shown(concern(cfg.Cluster, s.Key(), step.Op)); v != nil && len(v.Labels) > 0 {
				p.Labels.Volumes[v.Name] = v.Labels
			}
		}
	}
}

// concern names the volume that a step of a section is about; "" is none.
func concern(c lineage.Cluster, section Key, op Op) string {
	if v, ok := section.Volume(); ok {
		return v.Name
	}
	v, _ := op.Facts().of.volume(c)
	return v.Name
}
