package recipe

import (
	"fmt"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// subject is a volume while its recipes are tried: what the projected
// Snapshot says of it, and the section its steps go to.
type subject struct {
	*state.Verdict
	b   *builder
	v   *schema.Volume
	id  lineage.Volume
	inc *state.Incarnation
	sec *section
	// engine is the node that serves the volume, or will.
	engine lineage.Node
	handover
	places  plan.Placement
	weighed *weighed // how these were chosen
	// keep has the lvols that a rebuild shows to a node, beside the legs.
	keep map[lineage.UUID]lineage.Node
	// joins are lvols that the RAID is to have beside the legs, and cutAt the
	// epoch of the layer that was cut for them.
	joins  []lineage.UUID
	cutAt  lineage.Epoch
	hidden int // nodes that may have a replica and were not read
	// late is set when a layer is due that cannot be cut before all replicas have grown.
	late bool
	// minted is set once an epoch was: a rebuild or a move may have to wait for
	// links then, and who is current must not.
	minted bool
	// toldAt is how many stages the section had once the replicas that are not the
	// authority were told of the epoch that it has just minted; 0 for none.
	toldAt int
	// layered has the layers of all legs, as they were before anything is done to them.
	layered []*layer
}

// handover is what becomes of a volume's engine in a pass, each a node or "".
type handover struct {
	// awaited is the node that is to be the engine and cannot be yet, for it is to
	// have a replica and has no current one.
	awaited lineage.Node
	to      lineage.Node // is to serve it when it is started again in this pass
	was     lineage.Node // served it until it was taken down in this pass
	// witness is the node of the replica that takes over from an engine that is gone.
	witness lineage.Node
	// vouched is the node of one that has taken over in this pass on the operator's word,
	// whom names need not bear out: too few replicas may have been read.
	vouched lineage.Node
	// heardAt is the node that this pass has listen no more at the address of the volume that
	// moves: it has that address.
	heardAt lineage.Node
}

// volume plans one volume.
func (b *builder) volume(v *schema.Volume) {
	s := b.open(v)
	if s == nil {
		return
	}
	if s.busy() {
		s.urgent()
		return
	}
	if !s.settle() || b.opt.ResumeOnly != nil {
		return
	}
	b.subjects[v.Name] = s
	s.layers()
	s.followsNoMore()
	s.report()
}

// busy reports whether a layer of the volume is being copied.
func (s *subject) busy() bool {
	_, busy := s.b.opt.Busy[plan.VolumeKey(s.v.Name)]
	return busy
}

// open finds a volume, or makes it, and judges it. It returns nil where nothing more can be
// done to it in this pass.
func (b *builder) open(v *schema.Volume) *subject {
	if b.left(plan.VolumeKey(v.Name)) {
		return nil
	}
	if u, is := b.suspension.keeps(v.Name); is {
		u.stays(b, v)
		return nil
	}
	s := &subject{b: b, v: v, keep: map[lineage.UUID]lineage.Node{}}
	if s.busy() && len(b.begun(v)) > 0 {
		return nil // it is being made of what an archive has
	}
	p, why, hint := b.pick(v)
	if why != "" {
		b.blockAlone("volume "+v.Name, v.Pos, hint, "%s", why)
		return nil
	}
	b.leftBehind(v, p)
	found := p.id.Name != ""
	s.id, s.sec = p.id, b.section(plan.VolumeKey(v.Name))
	if s.busy() && !found {
		return nil // what is to become the volume is being copied
	}
	if found {
		s.adopted()
	} else if s.through(making); s.id.Name == "" {
		return nil
	}
	if found && (s.unseat() != idle || s.failover() != idle) {
		return nil
	}
	if !s.judge() || s.foreign() == blocked {
		return nil
	}
	if b.opt.ResumeOnly == nil && !s.busy() && s.may(schema.DutyFence) {
		s.supersede(p)
	}
	return s
}

// settle brings a volume that can be judged to what is configured. It reports
// whether its layers may be looked at: nothing is in the way of them.
func (s *subject) settle() bool {
	return s.through(beginning) && s.settleOn()
}

func (s *subject) settleOn() bool {
	resumes := s.b.opt.ResumeOnly != nil
	switch {
	case s.Engine != "" && resumes:
		s.try(naming)
		return s.through(relieving)
	case s.Engine != "":
		s.through(moving)
		if s.Unknown != "" {
			return false // it was taken down, and cannot be judged
		}
	}
	if s.Engine == "" {
		return s.serveUnserved()
	}
	return s.through(keeping)
}

// foreign leaves a volume as it is while something uses a replica which is not the
// cluster's: another cluster's engine, whose configuration has the same lvstore.
// What it writes this one does not know.
func (s *subject) foreign() result {
	if len(s.inc.Foreign) == 0 {
		return idle
	}
	s.b.blockAlone("volume "+s.v.Name, s.v.Pos, "an lvstore is one cluster's: take it out of the pools of the other, or end what the other has made of it", "%s, which is not of cluster %s", s.inc.Foreign[0], s.b.cfg.Cluster)
	return blocked
}

// urgent does what must not wait while a layer of the volume is being copied:
// hosts found paused go on, and a leg that was lost is told from the others.
func (s *subject) urgent() {
	s.try(resuming)
	if s.Engine != "" && s.try(counting) != blocked && s.try(enduring) == idle {
		s.try(naming)
	}
	for _, l := range s.Legs {
		if l.Node != s.engine {
			s.b.links.need(s.b.cfg.Link(l.Node, s.engine))
		}
	}
}

// chosen reports whether the placement wants a replica on n.
func (s *subject) chosen(n lineage.Node) bool {
	return slices.ContainsFunc(s.places.Chosen, func(c plan.Choice) bool { return c.Node == n })
}

// wantsAt reports whether the placement wants a replica in a place.
func (s *subject) wantsAt(at lineage.Place) bool {
	return slices.ContainsFunc(s.places.Chosen, func(c plan.Choice) bool { return c.Place() == at })
}

// wanted reports whether the placement wants a replica where a leg is, or may be.
func (s *subject) wanted(l state.CurrentLeg) bool {
	return slices.ContainsFunc(s.places.Chosen, func(c plan.Choice) bool { return l.In(c.Place()) })
}

// isLeg reports whether the lvol is a current replica.
func (s *subject) isLeg(u lineage.UUID) bool {
	return slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool { return l.UUID == u })
}

// empty reports whether nothing was ever written to the volume.
func (s *subject) empty() bool {
	return !slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool { return l.Head == nil || !l.Head.Lvol.Empty() })
}

// reread follows the projection after steps that changed names or legs.
func (s *subject) reread() {
	s.inc = s.b.w.Incarnation(s.id)
	for i, l := range s.Legs {
		for j := range s.inc.Heads {
			if s.inc.Heads[j].Lvol.UUID == l.UUID {
				s.Legs[i].Head = &s.inc.Heads[j]
			}
		}
	}
	s.Top = s.inc.Top()
}

// report says what the volume still lacks when nothing more can be done.
func (s *subject) report() {
	s.b.decided(s.places)
	s.undrained()
	have, want := state.Spread(s.Legs), s.v.Replicas.Count
	s.misplaced(have)
	for _, l := range s.Legs {
		if n := s.b.cfg.Node(l.Node); n != nil && have <= want && !(n.Drain && slices.Contains(s.v.Replicas.On, n.Name)) {
			if why := s.v.KeptOff(n); why != "" {
				if n.Drain && len(s.places.Chosen) < want {
					_, shortage := s.b.place(s.v, map[lineage.Place]stick{}, s.blockSize(), "")
					s.b.blockAlone("volume "+s.v.Name, s.v.At("replicas"), "give it a place elsewhere, or fewer replicas", "the replica on %s stays, though %s %s: %s", l.Node, l.Node, why, shortage)
					continue
				}
				s.b.blockAlone("volume "+s.v.Name, s.v.At("replicas"), s.movers(), "the replica on %s stays until one where the configuration wants it is current, and that rebuild is pending: %s %s", l.Node, l.Node, why)
			}
		}
	}
	if have >= want {
		return
	}
	var on []string
	for _, l := range s.Legs {
		on = append(on, string(l.Node))
	}
	_, shortage := s.b.place(s.v, map[lineage.Place]stick{}, s.blockSize(), "")
	var missing []string
	for _, c := range s.places.Chosen {
		if !slices.Contains(on, string(c.Node)) {
			missing = append(missing, string(c.Node))
		}
	}
	text := fmt.Sprintf("%s current (%s)", amount.OutOf(have, want, "replica", "is", "are"), strings.Join(on, ", "))
	if len(missing) > 0 {
		text += "; the rebuild of " + strings.Join(missing, ", ") + " is pending"
	}
	if shortage != "" {
		text += "; " + shortage
	}
	s.b.blockAlone("volume "+s.v.Name, s.v.At("replicas"), "", "%s", text)
}

// misplaced says of replicas in pools where none is to be why they are there still.
func (s *subject) misplaced(have int) {
	for _, l := range s.Legs {
		p := s.b.pool(l.Node, l.Place().Lvstore)
		if p == nil || s.v.KeptOff(p.node) != "" || have > s.v.Replicas.Count {
			continue
		}
		why := s.v.Replicas.KeptOut(p.node, p.conf)
		switch {
		case why == "":
		case len(s.places.Chosen) < s.v.Replicas.Count:
			_, shortage := s.b.place(s.v, map[lineage.Place]stick{}, s.blockSize(), "")
			s.b.blockAlone("volume "+s.v.Name, s.v.At("replicas"), "give it a place elsewhere", "the replica on %s stays in pool %s, though %s: %s", l.Node, p.conf.Name, why, shortage)
		default:
			s.b.blockAlone("volume "+s.v.Name, s.v.At("replicas"), s.movers(), "the replica on %s stays in pool %s until one where the configuration wants it is current, and that rebuild is pending: %s", l.Node, p.conf.Name, why)
		}
	}
}
