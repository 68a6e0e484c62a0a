package recipe

import (
	"fmt"

	"strata/amount"
	"strata/plan"
	"strata/state"
)

// expand grows every leg of a volume that is configured larger than it is.
// The RAID and the exported namespace follow by themselves once the engine has
// seen all legs grow.
func (s *subject) expand() result {
	var places []plan.Choice
	for _, l := range s.Legs {
		if l.Head != nil {
			places = append(places, plan.Choice{Node: l.Node, Lvstore: l.Head.Lvol.Lvstore})
		}
	}
	want := s.b.size(s.v, places)
	var ops, waits []plan.Op
	for _, l := range s.Legs {
		if l.Head == nil {
			continue
		}
		h := l.Head
		if h.Lvol.Size > want && len(places) < len(s.Legs) {
			return idle // one that could not be read may be in larger clusters
		}
		if h.Lvol.Size > want {
			s.b.block("volume "+s.v.Name, s.v.At("size"), fmt.Sprintf("set size to %s", amount.Bytes(h.Lvol.Size)),
				"it has %s and is configured with %s; strata never shrinks a volume, for what lies beyond would be lost", amount.Bytes(h.Lvol.Size), amount.Bytes(want))
			return blocked
		}
		if h.Lvol.Size < want {
			ops = append(ops, plan.LvolResize{At: plan.At{Node: h.Node}, Lvstore: h.Lvol.Lvstore, Name: h.Lvol.Name, From: h.Lvol.Size, To: want})
			if s.Engine != "" && l.Node != s.Engine {
				waits = append(waits, plan.LegWait{At: plan.At{Node: s.Engine}, Leg: l.UUID, Size: want})
			}
		}
	}
	if len(ops) == 0 || s.fills() {
		return idle
	}
	if why := s.ungrowable(); why != "" {
		s.b.block("volume "+s.v.Name, s.v.At("size"), "only the last part of a linear volume grows; write its size back, or add a part", "it cannot grow: %s", why)
		return blocked
	}
	if why := s.unheard(); why != "" {
		s.b.block("volume "+s.v.Name, s.v.At("size"), "", "it cannot grow: %s", why)
		return blocked
	}
	larger := because(s.v.At("size"), "%s is configured with %s", s.v.Name, amount.Bytes(s.v.Size))
	s.sec.then(larger, plan.RiskCreate, ops...)
	s.sec.then(larger, plan.RiskCreate, waits...)
	s.reread()
	return acted
}

// unheard says which leg cannot grow now, or can but the engine would not hear
// of it; "" for none.
func (s *subject) unheard() string {
	for _, l := range s.Legs {
		switch {
		case l.Head == nil:
			return "the replica " + s.b.away(l.Node)
		case s.Engine != "" && l.Node != s.Engine:
			if why := s.b.connected(s.b.cfg.Link(l.Node, s.Engine)); why != "" {
				return why
			}
		}
	}
	return ""
}

// outgrown is a leg that is larger than the engine sees it; nil for none.
func (s *subject) outgrown() *state.CurrentLeg {
	for i, l := range s.Legs {
		if l.Head != nil && l.Node != s.Engine && s.b.outgrown(s.b.cfg.Link(l.Node, s.Engine), l.Head.Lvol) {
			return &s.Legs[i]
		}
	}
	return nil
}

// widen lets the engine of a volume in use see a leg as large as it is: it is
// taken down and started again, and the leg shown anew before (offer.go). A
// swap that waits for a link starts it again as well.
func (s *subject) widen() result {
	l := s.outgrown()
	if s.minted || s.to != "" || l == nil {
		return idle
	}
	if s.kernelExport() {
		s.b.block("volume "+s.v.Name, s.v.At("size"), "let its host go, "+s.byHand()+", and apply",
			"its host sees less than it has: %s did not hear that the replica on %s grew, and a kernel device shows the volume, whose I/O cannot be held", s.Engine, l.Node)
		return blocked
	}
	if s.prepare(s.engine, "size") == blocked {
		return blocked
	}
	s.takeDown(nil, because(s.v.At("size"), "%s did not hear that the replica on %s grew to %s, so its RAID did not grow", s.Engine, l.Node, amount.Bytes(l.Head.Lvol.Size)))
	return acted
}
