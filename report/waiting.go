package report

import (
	"fmt"
	"slices"

	"strata/schema"
	"strata/state"
)

// waiting says which replica the engine does not reach now; "" when it reaches
// all. It counts as current as long as the engine waits for it.
func waiting(cfg *schema.Config, s *state.Snapshot, verdict state.Verdict) string {
	at := s.Nodes[verdict.Engine]
	if at == nil {
		return ""
	}
	for _, w := range s.Waits(cfg.Cluster) {
		if w.At == verdict.Engine && slices.ContainsFunc(verdict.Legs, func(l state.CurrentLeg) bool { return slices.Contains(w.Legs, l.UUID) }) {
			if cfg.Suspended(w.From) {
				return fmt.Sprintf("hosts that write wait for the replica on %s, which is suspended: %s", w.From, w.How())
			}
			return fmt.Sprintf("hosts that write wait for the replica on %s: %s; strata apply waits for it, %v at most, and then lets it go", w.From, w.How(), cfg.Links.Patience())
		}
	}
	for _, l := range verdict.Legs {
		r := at.Remotes[l.UUID]
		if r == nil {
			continue
		}
		if ctrl := at.Controllers[r.Controller]; ctrl != nil && ctrl.State != "enabled" {
			return fmt.Sprintf("its engine does not reach the replica on %s: controller %s is %s, and tries %s", l.Node, ctrl.Name, ctrl.State, ctrl.Portal())
		}
	}
	return ""
}

// unreached says why hosts do not reach the engine of a volume over NVMe/TCP; ""
// when they do, or are not to.
func unreached(v *schema.Volume, verdict state.Verdict, inc *state.Incarnation) string {
	if verdict.Engine == "" || v.Export.Kind != schema.ExportNVMf {
		return ""
	}
	for _, e := range inc.Exports {
		if e.Node != verdict.Engine || e.Subsystem == nil {
			continue
		}
		open := slices.ContainsFunc(e.Subsystem.Listeners, func(l state.Listener) bool { return !l.Paused })
		switch {
		case e.Device == "":
			return "hosts are held: its export shows no disk"
		case len(e.Subsystem.Listeners) == 0:
			return "hosts are held: its export does not listen"
		case !open:
			return "hosts are held: its export is paused"
		}
		return ""
	}
	return "its engine does not export it"
}
