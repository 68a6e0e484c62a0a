package report

import (
	"slices"

	"strata/lineage"
)

// VolumeNames are the names of all volumes, also of those that are laid out over others, sorted.
func (r *Report) VolumeNames() []string {
	var names []string
	for i := range r.Volumes {
		names = append(names, r.Volumes[i].Name)
	}
	for _, w := range r.Wholes {
		names = append(names, w.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Troubled is the report of what is not as it should be: volumes that are not healthy,
// nodes that could not be read; nil if there is nothing of the kind.
func (r *Report) Troubled() *Report {
	out := &Report{Format: r.Format, Cluster: r.Cluster, Nodes: []Node{}, Volumes: []Volume{}}
	for _, n := range r.Nodes {
		if n.Unknown != "" {
			out.Nodes = append(out.Nodes, n)
		}
	}
	for i := range r.Volumes {
		if r.Volumes[i].Health != Healthy {
			out.Volumes = append(out.Volumes, r.Volumes[i])
		}
	}
	for _, w := range r.Wholes {
		if w.Health != Healthy {
			out.Wholes = append(out.Wholes, w)
		}
	}
	if len(out.Nodes)+len(out.Volumes)+len(out.Wholes) == 0 {
		return nil
	}
	return out
}

// Only is the report of some volumes, and of the parts of those that are laid out: of nodes
// and of what is not strata's it says nothing.
func (r *Report) Only(volumes []string) *Report {
	out := &Report{Format: r.Format, Cluster: r.Cluster, Nodes: []Node{}, Volumes: []Volume{}}
	for _, w := range r.Wholes {
		if slices.Contains(volumes, w.Name) {
			out.Wholes = append(out.Wholes, w)
			volumes = slices.Concat(volumes, w.partNames())
		}
	}
	for i := range r.Volumes {
		if slices.Contains(volumes, r.Volumes[i].Name) {
			out.Volumes = append(out.Volumes, r.Volumes[i])
		}
	}
	for _, c := range r.Copies {
		if slices.Contains(volumes, c.Volume) {
			out.Copies = append(out.Copies, c)
		}
	}
	return out
}

func (w *Whole) partNames() (names []string) {
	for _, p := range w.Parts {
		names = append(names, p.Name)
	}
	return names
}

// On is the report of a node, and of the volumes that are served or have a replica there.
func (r *Report) On(node lineage.Node) *Report {
	var volumes []string
	for i := range r.Volumes {
		v := &r.Volumes[i]
		if v.Engine == node || slices.ContainsFunc(v.Replicas, func(x Replica) bool { return x.Node == node }) {
			volumes = append(volumes, v.Name)
		}
	}
	out := r.Only(volumes)
	for _, n := range r.Nodes {
		if n.Name == node {
			out.Nodes = append(out.Nodes, n)
		}
	}
	for _, u := range r.Unmanaged {
		if u.Node == node {
			out.Unmanaged = append(out.Unmanaged, u)
		}
	}
	return out
}
