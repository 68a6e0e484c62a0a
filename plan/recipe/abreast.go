package recipe

import (
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// A volume that hosts wait for has its legs brought to the new engine side by side: what is
// done for one rests on nothing that is done for another. A leg that was the old engine's
// own is shown and waited for; one on a third node is withdrawn from the old engine, shown
// and waited for; the new engine's own is withdrawn.
//
// Each of these has a target ask another about a namespace, and two that ask each other hang.
// So there are only events at a time whose targets come before the peers that they ask, by
// name, or only such that come after, and the turn changes when all are seen through
// (decision 23; crossing.go in package apply would hold up what comes too soon). The order
// here is one in which the turn changes once, or twice.

// bringLegs lets the engine use all legs, or says of the first that it cannot use which
// that is and why.
func (s *subject) bringLegs() (of state.CurrentLeg, why string) {
	first := len(s.sec.Stages)
	var chains [][][]plan.Step
	for _, l := range s.Legs {
		from := len(s.sec.Stages)
		if why := s.bringLeg(l); why != "" {
			return l, why
		}
		if chain := s.sec.Stages[from:]; len(chain) > 0 {
			chains = append(chains, chain)
		}
	}
	if s.was != "" && len(chains) > 1 {
		s.sec.Stages = append(s.sec.Stages[:first:first], s.abreast(chains)...)
	}
	return of, ""
}

// abreast are the stages of several chains, each in its order, in as few as the turns
// allow. What makes the new engine ask the old one comes first: hosts wait longest for that.
func (s *subject) abreast(chains [][][]plan.Step) (stages [][]plan.Step) {
	turn := lineage.Link{From: s.was, To: s.engine}.AsksBack()
	for {
		var stage []plan.Step
		left := false
		for i, chain := range chains {
			switch {
			case len(chain) == 0:
			case s.b.onTurn(chain[0], turn):
				stage = append(stage, chain[0]...)
				chains[i] = chain[1:]
			default:
				left = true
			}
		}
		switch {
		case len(stage) > 0:
			stages = append(stages, stage)
		case left:
			turn = !turn
		default:
			return stages
		}
	}
}

// onTurn reports whether all events of a stage are of that turn; what is none always is.
func (b *builder) onTurn(stage []plan.Step, turn bool) bool {
	return !slices.ContainsFunc(stage, func(step plan.Step) bool {
		var nqn lineage.NQN
		switch op := step.Op.(type) {
		case plan.NamespaceAdd:
			nqn = op.NQN
		case plan.NamespaceRemove:
			nqn = op.NQN
		default: // no target hears of it
		}
		l, ok := b.cfg.Cluster.ParseLink(nqn)
		return ok && l.AsksBack() != turn
	})
}
