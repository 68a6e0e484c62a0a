package report

import (
	"slices"

	"strata/lineage"
	"strata/state"
)

// Host is who is connected to an export.
type Host struct {
	NQN     lineage.NQN `json:"nqn"`
	Address string      `json:"address,omitempty"`
}

// Connect puts into a report who is connected. What it holds is not shared with
// reports that were copied from it.
func (r *Report) Connect(c state.Connections) {
	for i := range r.Volumes {
		r.Volumes[i].Exports = connected(r.Volumes[i].Exports, c)
	}
	for i := range r.Wholes {
		r.Wholes[i].Exports = connected(r.Wholes[i].Exports, c)
	}
}

func connected(exports []Export, c state.Connections) []Export {
	exports = slices.Clone(exports)
	for k := range exports {
		e := &exports[k]
		all, known := c[e.Node][lineage.NQN(e.Where)]
		if e.Kind != "nvmf" || !known {
			continue
		}
		e.Hosts = []Host{}
		for _, h := range all {
			e.Hosts = append(e.Hosts, Host{h.Host, h.Address})
		}
	}
	return exports
}
