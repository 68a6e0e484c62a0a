package world

import (
	"maps"
	"slices"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// Lose returns the Snapshot that a look would give once the targets of some nodes have
// ended, each for the reason given, and all others have noticed: links that wait look for
// their peers, and those that give a peer up have done so, with all that stood on what it
// showed. Links that were never to be given up keep what they showed, and no mirror has it
// any more. Who is connected to standby paths nobody has asked then, and no I/O waits that
// would show in a RAID.
func Lose(cfg *schema.Config, s *state.Snapshot, gone map[lineage.Node]string) *state.Snapshot {
	shown := map[lineage.NQN]bool{} // by those nodes
	for n := range gone {
		if at := s.Nodes[n]; at != nil {
			for nqn := range at.Subsystems {
				shown[nqn] = true
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(gone)) {
		s = s.Foresee(cfg.Cluster, n).Hide(cfg.Cluster, n, gone[n])
	}
	w := New(cfg.Cluster, s)
	for _, n := range slices.Sorted(maps.Keys(w.Nodes)) {
		for _, name := range slices.Sorted(maps.Keys(w.Nodes[n].Controllers)) {
			if c := w.Nodes[n].Controllers[name]; shown[c.NQN] && !c.GivenUp() {
				w.losePeer(w.edit(n), name, cfg.Links)
			}
		}
	}
	return w.Snapshot
}

// losePeer leaves a controller without its peer.
func (w *World) losePeer(n *state.Node, name string, links schema.Links) {
	ctrl := n.Controllers[name]
	link, ours := w.cluster.ParseLink(ctrl.NQN)
	forGood := ours && !link.Wait && links.CtrlrLossTimeoutSec >= 0
	switch {
	case forGood:
		delete(n.Controllers, name)
		w.dropController(n, name)
	case !link.Wait:
		ctrl.State = lookingFor
		for _, u := range w.Remotes(n.Name, name) {
			w.gone(n, w.dropLeg(n, u)...)
		}
	default:
		ctrl.State = lookingFor
	}
}

// lookingFor is the state of a controller most of the time while it has no peer.
const lookingFor = "reconnect_is_delayed"
