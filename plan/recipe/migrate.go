package recipe

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// A volume migrates when all its replicas go: none of the current ones is where the
// configuration wants one. It is usable at its destination at once, whatever its size:
//
//	ahead    the engine moves to where a replica is to be, and its legs are brought to it
//	         over links: hosts are held once, and nothing was copied yet
//	copied   the replicas that are wanted are made, as any that is lacking (rebuild.go)
//	gone     the old ones go, as any that are too many (reduce.go)
//
// Until then the old replicas have all that hosts write: the wish can be taken back at any
// point, and neither a crash nor the loss of the destination costs more than what was
// copied. That rests on the engine being provable without a replica of its own.

// migrates reports whether no replica of the volume stays where one is. One that an
// engine writes to already and that is not complete would have to begin anew on another.
func (s *subject) migrates() bool {
	stays := slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool { return s.chosen(l.Node) })
	return len(s.places.Chosen) > 0 && len(s.Legs) > 0 && !stays && !s.completing()
}

// forward is the node that the engine of a volume that migrates goes to before its replicas
// do, which nobody has set; "" when it stays.
func (s *subject) forward() (n lineage.Node, why string) {
	if !s.migrates() || s.chosen(s.Engine) {
		return "", ""
	}
	var open []lineage.Node
	for _, c := range s.places.Chosen {
		if why := s.awaitsCopy(c.Node); why == "" && s.uncopyable(c) == "" {
			open = append(open, c.Node)
		} else if why != "" {
			s.b.warn(s.v, `with links: loss: "wait" it is usable there at once`, "it is served by %s until a replica on %s is current: %s", s.Engine, c.Node, why)
		}
	}
	return s.lightest(open)
}

// wasAhead is the node that served a volume that migrates until its engine ended: what is
// left there of that are legs that are shown to it. "" where an engine runs, and where another
// node is set.
func (s *subject) wasAhead() lineage.Node {
	if s.Engine != "" || s.to != "" || s.was != "" || s.v.Engine != "" || !s.migrates() {
		return ""
	}
	for _, c := range s.places.Chosen {
		if s.shownTo(c.Node) && s.b.reachable(c.Node) && s.awaitsCopy(c.Node) == "" {
			return c.Node
		}
	}
	return ""
}

// awaitsCopy says why an engine on a node that is to have a replica, and has none yet, has to
// wait for that; "" when it need not. When such an engine ends, its legs have to prove by
// themselves that they are current: the only one does, and so do all over links that wait.
func (s *subject) awaitsCopy(to lineage.Node) string {
	if !s.migrates() {
		return fmt.Sprintf("%s is to have a current replica first", to)
	}
	for _, l := range s.Legs {
		if link := s.b.cfg.Link(l.Node, to); len(s.Legs) > 1 && !link.Wait {
			return fmt.Sprintf("should it end over there before, nobody could tell which replica is current, for the link %s drops what it loses", link)
		}
	}
	return ""
}

// uncopyable says why what the volume has cannot be copied to a place; "" when it can.
func (s *subject) uncopyable(c plan.Choice) string {
	for _, l := range s.Legs {
		if l.Head == nil {
			continue
		}
		lacking := s.missing(c, l, 0)
		if why, _ := s.misfit(c, l, lacking); why != "" {
			return why
		}
		return s.room(c, l, lacking)
	}
	return "no node with a current replica can be read"
}
