package report

import (
	"cmp"
	"slices"

	"strata/lineage"
	"strata/schema"
	"strata/state"
	"strata/takeover"
)

// Whole is a volume that is laid out over others, which are its parts: these are volumes
// of the report, too.
type Whole struct {
	Name   string       `json:"name"`
	ID     lineage.ID   `json:"id,omitempty"`
	Health Health       `json:"health"` // the worst of its parts', or down when it is not laid out
	Why    string       `json:"why,omitempty"`
	Layout string       `json:"layout"`              // linear or stripe
	Strip  int64        `json:"stripSize,omitempty"` // bytes, of a striped one
	Size   int64        `json:"size"`                // bytes, that hosts see; as configured while they see none
	Engine lineage.Node `json:"engine,omitempty"`    // where it is laid out
	Device string       `json:"device,omitempty"`    // bdev that is laid out
	Limits *Limits      `json:"limits,omitempty"`    // nil: none
	// Failover is what becomes of all parts when the engine's node goes.
	Failover *takeover.Fate `json:"failover,omitempty"`
	// Exports are the ways by which hosts reach it; its parts have none of their own.
	Exports []Export `json:"exports,omitempty"`
	Parts   []Part   `json:"parts"` // in their order
}

// Part is where a part of a whole begins, and how long it is.
type Part struct {
	Name  string         `json:"name"`  // of the volume that it is
	Start int64          `json:"start"` // bytes; of a striped whole, of its first strip
	Size  int64          `json:"size"`  // bytes
	Nodes []lineage.Node `json:"nodes"` // with a current replica
}

// Over has, for each volume that is a part of a whole, that whole.
func (r *Report) Over() map[string]*Whole {
	over := map[string]*Whole{}
	for i := range r.Wholes {
		for _, p := range r.Wholes[i].Parts {
			over[p.Name] = &r.Wholes[i]
		}
	}
	return over
}

// Seen counts volumes as hosts see them, by health: wholes, and volumes that are no parts.
func (r *Report) Seen() map[Health]int {
	count, over := map[Health]int{}, r.Over()
	for i := range r.Volumes {
		if over[r.Volumes[i].Name] == nil {
			count[r.Volumes[i].Health]++
		}
	}
	for _, w := range r.Wholes {
		count[w.Health]++
	}
	return count
}

// whole describes a whole of which the parts are in the report.
func (r *Report) whole(cfg *schema.Config, s *state.Snapshot, w *schema.Whole) Whole {
	out := Whole{Name: w.Name, Health: Healthy, Layout: "linear", Size: w.Size, Parts: []Part{}}
	if w.Layout.StripKiB > 0 {
		out.Layout, out.Strip = "stripe", int64(w.Layout.StripKiB)<<10
	}
	worst := func(h Health, why string) {
		if slices.Index(Healths, h) > slices.Index(Healths, out.Health) {
			out.Health, out.Why = h, why
		}
	}
	start := int64(0)
	for i, v := range cfg.Parts(w) {
		p := Part{Name: v.Name, Size: v.Size, Start: start, Nodes: []lineage.Node{}}
		for j := range r.Volumes {
			vol := &r.Volumes[j]
			if vol.Name != v.Name {
				continue
			}
			worst(vol.Health, cmp.Or(vol.Why, "of "+v.Name+", "+vol.Copies()))
			out.ID, p.Size = cmp.Or(out.ID, vol.ID), vol.Size
			for _, c := range vol.Replicas {
				if c.Leg == Current {
					p.Nodes = append(p.Nodes, c.Node)
				}
			}
			vol.Exports = nil
		}
		if start += p.Size; w.Layout.StripKiB > 0 {
			start = int64(i+1) * out.Strip
		}
		out.Parts = append(out.Parts, p)
	}
	inc := s.Incarnation(cfg.Cluster, lineage.Volume{Name: w.Name, ID: out.ID})
	for _, m := range inc.Laid {
		if m.Raid.State == "online" {
			out.Engine, out.Device, out.Size = m.Node, m.Raid.Name, m.Raid.Laid.Size
			out.Limits = limits(s, state.Verdict{Engine: m.Node, Device: m.Raid.Name})
		}
	}
	out.Exports = exports(state.Verdict{Engine: out.Engine}, inc)
	if out.Device == "" && w.Export.Kind != schema.ExportNone {
		worst(Down, "its parts are not laid out")
	}
	return out
}
