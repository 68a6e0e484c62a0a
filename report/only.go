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
