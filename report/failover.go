package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// Failover says what becomes of a volume in use when its engine's node goes now.
type Failover struct {
	// Auto is set when another node would take over without a person.
	Auto bool         `json:"auto"`
	To   lineage.Node `json:"to,omitempty"`  // which that is likely to be
	Why  string       `json:"why,omitempty"` // it would not
}

// Words are for people.
func (f *Failover) Words() string {
	if f.Auto {
		return "by itself, to " + string(f.To)
	}
	return "not by itself: " + f.Why
}

// failover looks at a volume that is served; nil where there is nothing to say: it has no
// hosts on the network, or links give a peer up by themselves.
func failover(cfg *schema.Config, s *state.Snapshot, v *schema.Volume, verdict state.Verdict) *Failover {
	if verdict.Engine == "" || verdict.Unknown != "" || v.Export.Kind != schema.ExportNVMf || !cfg.Links.Wait() {
		return nil
	}
	if !v.Failover {
		return &Failover{Why: `failover is "manual"`}
	}
	if !v.Auto.Has(schema.DutyFence) {
		return &Failover{Why: `its auto lacks "fence"`}
	}
	var left []lineage.Node
	var name lineage.Head
	var unnamed []string
	bare := true
	for _, l := range verdict.Legs {
		bare = bare && l.Node != verdict.Engine
		switch {
		case l.Head == nil || l.Head.Name.Epoch != verdict.Top || !l.Head.Name.Wait || !l.Head.Lvol.Complete():
			unnamed = append(unnamed, string(l.Node))
		case l.Node != verdict.Engine:
			left = append(left, l.Node)
			name = l.Head.Name
		default:
			name = l.Head.Name
		}
	}
	switch {
	case len(unnamed) > 0:
		return &Failover{Why: fmt.Sprintf("it is not known of the replicas on %s that they have everything", strings.Join(unnamed, ", "))}
	case len(left) == 0:
		return &Failover{Why: "no replica is elsewhere that could prove that it has everything"}
	case len(left) < name.Untold():
		return &Failover{Why: fmt.Sprintf("%d of %d replicas would be left, and it takes %d to know that the engine has not gone on without them", len(left), name.Legs, name.Untold())}
	}
	if conf := cfg.Node(verdict.Engine); !bare && (conf == nil || conf.Fence == nil) {
		return &Failover{Why: fmt.Sprintf("%s has a replica of its own, and nothing switches it off", verdict.Engine)}
	}
	path := func(n lineage.Node) int {
		if sub := s.Nodes[n].Subsystems[cfg.Cluster.ExportNQN(name.Volume)]; sub != nil {
			return 0
		}
		return 1
	}
	to := slices.MinFunc(left, func(x, y lineage.Node) int { return cmp.Or(cmp.Compare(path(x), path(y)), cmp.Compare(x, y)) })
	return &Failover{Auto: true, To: to}
}
