package plan

import (
	"slices"
	"strings"

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

// Concerning leaves of a plan what is about some volumes or nodes: whole sections, of
// which a step is about one or done there, and what is said of them. It is to be shown, and
// not carried out.
func (p *Plan) Concerning(cfg *schema.Config, about ...Key) *Plan {
	out := &Plan{}
	for _, pass := range p.Passes {
		kept := Pass{Assumes: pass.Assumes}
		for i := range pass.Sections {
			if s := &pass.Sections[i]; s.concerns(cfg.Cluster, about) {
				kept.Sections = append(kept.Sections, *s)
			}
		}
		if len(kept.Sections) > 0 {
			out.Passes = append(out.Passes, kept)
		}
	}
	is := func(f Finding) bool {
		return slices.ContainsFunc(about, func(k Key) bool { return f.About == k.String() || strings.HasPrefix(f.About, k.String()+".") })
	}
	one := func(keys ...Key) bool {
		return slices.ContainsFunc(about, func(k Key) bool { return slices.Contains(keys, k) })
	}
	for _, f := range p.Blocked {
		if is(f) {
			out.Blocked = append(out.Blocked, f)
		}
	}
	for _, f := range p.Notes {
		if is(f) {
			out.Notes = append(out.Notes, f)
		}
	}
	for _, m := range p.Moves {
		if one(VolumeKey(m.Volume), NodeKey(m.From), NodeKey(m.To)) {
			out.Moves = append(out.Moves, m)
		}
	}
	for _, place := range p.Places {
		if one(VolumeKey(place.Volume)) {
			out.Places = append(out.Places, place)
		}
	}
	for _, seat := range p.Seats {
		if one(VolumeKey(seat.Volume)) {
			out.Seats = append(out.Seats, seat)
		}
	}
	out.label(cfg)
	return out
}

// concerns reports whether a section has a step that is about one of some volumes, or done
// on one of some nodes.
func (s *Section) concerns(c lineage.Cluster, about []Key) bool {
	if slices.Contains(about, s.Key()) {
		return true
	}
	for step := range s.Steps() {
		if slices.Contains(about, VolumeKey(concern(c, s.Key(), step.Op))) || slices.Contains(about, NodeKey(step.Op.On())) {
			return true
		}
	}
	return false
}

// concern names the volume that a step of a section is about; "" is none.
func concern(c lineage.Cluster, section Key, op Op) string {
	if v, ok := section.Volume(); ok {
		return v.Name
	}
	v, _ := op.Facts().of.volume(c)
	return v.Name
}
