package report

import "slices"

// VolumeNames are the names of all volumes, sorted.
func (r *Report) VolumeNames() []string {
	var names []string
	for i := range r.Volumes {
		names = append(names, r.Volumes[i].Name)
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

// Only is the report of some volumes: of nodes and of what is not strata's it says
// nothing.
func (r *Report) Only(volumes []string) *Report {
	out := &Report{Format: r.Format, Cluster: r.Cluster, Nodes: []Node{}, Volumes: []Volume{}}
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
