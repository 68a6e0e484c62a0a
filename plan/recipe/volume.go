package recipe

import (
	"fmt"
	"slices"
	"strings"

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
	// awaited is the node that is to be the engine and cannot be yet, for it is to
	// have a replica and has no current one; "" for none.
	awaited lineage.Node
	to      lineage.Node // is to serve it when it is started again in this pass
	was     lineage.Node // served it until it was taken down in this pass
	places  plan.Placement
	// keep has the lvols that a rebuild shows to a node, beside the legs.
	keep map[lineage.UUID]lineage.Node
	// joins are lvols that the RAID is to have beside the legs, and cutAt the
	// epoch of the layer that was cut for them.
	joins  []lineage.UUID
	cutAt  lineage.Epoch
	hidden int // nodes that may have a replica and were not read
	// late is set when a layer is due that cannot be cut before all replicas have grown.
	late bool
}

// volume plans one volume.
func (b *builder) volume(v *schema.Volume) {
	if b.left(plan.VolumeKey(v.Name)) {
		return
	}
	p, why, hint := b.pick(v)
	if why != "" {
		b.blockAlone("volume "+v.Name, v.Pos, hint, "%s", why)
		return
	}
	b.leftBehind(v, p)
	found := p.id.Name != ""
	s := &subject{b: b, v: v, id: p.id, sec: b.section(plan.VolumeKey(v.Name)), keep: map[lineage.UUID]lineage.Node{}}
	_, busy := b.opt.Busy[plan.VolumeKey(v.Name)]
	if busy && !found {
		return // what is to become the volume is being copied
	}
	if found {
		s.adopted()
	} else if !s.create() {
		return
	}
	if !s.look() || s.foreign() {
		return
	}
	if busy {
		s.urgent()
		return
	}
	if b.opt.Relieve == nil {
		s.supersede(p)
	}
	if !s.settle() || b.opt.Relieve != nil {
		return
	}
	b.subjects[v.Name] = s
	s.layers()
	s.report()
}

// foreign reports, and says, that something uses a replica which is not the
// cluster's: another cluster's engine, whose configuration has the same lvstore.
// What it writes this one does not know.
func (s *subject) foreign() bool {
	if len(s.inc.Foreign) == 0 {
		return false
	}
	s.b.blockAlone("volume "+s.v.Name, s.v.Pos, "an lvstore is one cluster's: take it out of the pools of the other, or end what the other has made of it", "%s, which is not of cluster %s", s.inc.Foreign[0], s.b.cfg.Cluster)
	return true
}

// urgent does what must not wait while a layer of the volume is being copied:
// hosts found paused go on, and a leg that was lost is told from the others.
func (s *subject) urgent() {
	s.resume()
	if s.Engine != "" && !s.spent() {
		s.names()
	}
	for _, l := range s.Legs {
		if l.Node != s.engine {
			s.b.links.need(lineage.Link{From: l.Node, To: s.engine})
		}
	}
}

// settle brings a volume that can be judged to what is configured. It returns
// false when it has said why it cannot.
func (s *subject) settle() bool {
	s.resume()
	if s.spent() {
		return false
	}
	s.endOthers()
	if why := s.idle(); why != "" {
		s.b.block("volume "+s.v.Name, s.v.Pos, "make its other replicas readable, or say that it is current: --authority "+s.v.Name+"="+string(s.Engine), "its engine on %s serves no host yet and is left as it is: %s", s.Engine, why)
		return false
	}
	if !s.peersStand() {
		return false
	}
	minted := false
	if s.Engine != "" {
		before := s.sec.steps()
		s.names()
		// A rebuild or a move may have to wait for links; who is current must not.
		minted = s.sec.steps() > before
		if s.b.opt.Relieve == nil && !s.reshape(minted) {
			return false
		}
	}
	if s.Engine == "" {
		return s.stand()
	}
	if s.shaken() {
		return false
	}
	if !s.mirror() {
		return false
	}
	if s.b.opt.Relieve != nil {
		return s.export()
	}
	s.reduce()
	s.expand()
	if !s.export() {
		return false
	}
	if !minted {
		s.rebuild()
	}
	s.tidy()
	return true
}

// reshape takes a volume in use down, to be started again in another shape, if
// that is due. It returns false when it has said why it cannot.
func (s *subject) reshape(minted bool) bool {
	if !minted && s.v.Engine != "" && s.v.Engine != s.Engine && s.canRestart(s.v.Engine, "engine") {
		return s.takeDown(nil, because(s.v.At("engine"), "the engine moves from %s to %s; hosts connect to the new one%s", s.Engine, s.v.Engine, s.bare(s.v.Engine)))
	}
	if link, ok := s.relinks(); !minted && ok && s.canRestart(s.Engine, "replicas") {
		return s.takeDown(nil, because(s.v.At("replicas"), "the link from %s to %s is called otherwise now; hosts wait while it is exchanged", link.From, link.To))
	}
	if to := s.refuge(); !minted && to != "" && s.canRestart(to, "replicas") {
		return s.takeDown(nil, because(s.v.At("replicas"), "the engine moves from %s to %s, for no replica of %s stays on %s; hosts connect to the new one", s.Engine, to, s.v.Name, s.Engine))
	}
	if missing := s.swappable(); len(missing) > 0 && s.canRestart(s.engine, "replicas") {
		return s.swap(missing)
	}
	l := s.outgrown()
	return minted || l == nil || s.widen(l)
}

// bare is a warning of an engine that will have no replica of its own.
func (s *subject) bare(to lineage.Node) string {
	if s.legOn(to) {
		return ""
	}
	return "; it has no replica, so after a restart of it you will have to say which one is current, with --authority"
}

// peersStand lets go of the peers that have been given up and have the only
// legs the volume has: the volume goes down with them, whatever else is to be
// done, so it is judged anew in the next pass. It returns false then, and when
// it has said why the links cannot be made again.
func (s *subject) peersStand() bool {
	stand := true
	for _, l := range s.Legs {
		if s.Engine == "" || l.Node == s.Engine || l.Node == "" {
			continue
		}
		link := lineage.Link{From: l.Node, To: s.Engine}
		ctrl := s.b.w.Nodes[s.Engine].Controllers[s.b.w.Controller(link)]
		if ctrl == nil || ctrl.NQN != s.b.cfg.Cluster.LinkNQN(link) || !ctrl.GivenUp() {
			continue
		}
		stand = false
		if why := s.b.link(link); why != "" {
			s.b.links.need(link)
			s.b.block("volume "+s.v.Name, s.v.Pos, "", "the replica on %s cannot be brought to the engine: %s", l.Node, why)
		}
	}
	return stand
}

// idle says why an engine that serves nobody must not go on: it may have been
// overtaken while it could not be read, so it needs as many votes as one that
// is started; "" when it may.
func (s *subject) idle() string {
	if s.Engine == "" || s.serves() || s.b.opt.Authority[s.v.Name] == s.Engine {
		return ""
	}
	return s.inc.Minority(s.b.question(s.v))
}

// serves reports whether hosts reach the volume already.
func (s *subject) serves() bool {
	return slices.ContainsFunc(s.inc.Exports, func(e state.Exported) bool {
		return e.Device != "" && (e.Subsystem == nil || len(e.Subsystem.Listeners) > 0)
	})
}

// stand brings a volume that no engine serves to what is configured. One that
// nobody is to reach and that has one replica needs no engine: it is rebuilt as
// it is.
func (s *subject) stand() bool {
	before := s.sec.steps()
	if !s.raise() {
		return false
	}
	if s.Device == "" && s.v.Export.Kind == schema.ExportNone && s.sec.steps() == before && !s.shaken() {
		s.rebuild()
	}
	s.tidy()
	return true
}

// start serves a volume that no engine serves, and nothing else of it is used.
func (s *subject) start() bool {
	if !s.raise() {
		return false
	}
	s.tidy()
	return true
}

// raise serves a volume that no engine serves.
func (s *subject) raise() bool {
	if why := s.b.unsure(s.Legs); why != "" {
		s.b.block("volume "+s.v.Name, s.v.Pos, "correct the path, or take one of the disks away", "%s", why)
		return false
	}
	before := s.sec.steps()
	defer func() {
		if s.sec.steps() > before {
			s.b.lookAgain(s.Legs)
		}
	}()
	wanted := s.engine
	if s.awaited != "" {
		wanted = s.awaited
	}
	s.fill()
	if s.legOn(wanted) {
		s.engine = wanted
	}
	s.expand()
	if !s.mirror() {
		return false
	}
	s.names()
	if !s.export() {
		return false
	}
	s.reduce()
	return true
}

// resume ends a pause that somebody left open, before anything else.
func (s *subject) resume() {
	for _, e := range s.inc.Exports {
		if e.Subsystem == nil || e.Device == "" {
			continue
		}
		for _, l := range e.Subsystem.Listeners {
			if l.Paused {
				found := because(s.v.Pos, "hosts of %s were found paused", s.v.Name)
				s.sec.then(found, plan.RiskCreate, plan.Resume{At: plan.At{Node: e.Node}, NQN: e.Subsystem.NQN, Address: l.Address, Port: l.Port})
			}
		}
	}
}

// endOthers ends the engines that are not believed, before anything the
// volume's own does: an operator has given them up.
func (s *subject) endOthers() {
	ended := false
	for _, e := range s.inc.Exports {
		if e.Device == "" || e.Node == s.Engine {
			continue
		}
		ended = true
		s.endExport(because(s.v.Pos, "the engine of %s on %s is not believed any more", s.v.Name, e.Node), e)
	}
	for _, m := range s.inc.Raids {
		if m.Node != s.Engine {
			ended = true
			s.sec.then(because(s.v.Pos, "no engine of %s uses this RAID", s.v.Name), plan.RiskReduce, plan.RaidDelete{At: plan.At{Node: m.Node}, Raid: m.Raid.Name})
		}
	}
	if ended {
		s.reread()
	}
}

// chosen reports whether the placement wants a replica on n.
func (s *subject) chosen(n lineage.Node) bool {
	return slices.ContainsFunc(s.places.Chosen, func(c plan.Choice) bool { return c.Node == n })
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
	s.inc = s.b.w.Incarnation(s.b.cfg.Cluster, s.id)
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
	have, want := len(s.Legs), s.v.Replicas.Count
	for _, l := range s.Legs {
		if n := s.b.cfg.Node(l.Node); n != nil && have <= want {
			if why := disqualified(s.v, n); why != "" {
				s.b.blockAlone("volume "+s.v.Name, s.v.At("replicas"), "", "the replica on %s stays until one where the configuration wants it is current, and that rebuild is pending: %s %s", l.Node, l.Node, why)
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
	_, shortage := s.b.place(s.v, map[lineage.Node]stick{}, s.blockSize(), "")
	var missing []string
	for _, c := range s.places.Chosen {
		if !slices.Contains(on, string(c.Node)) {
			missing = append(missing, string(c.Node))
		}
	}
	text := fmt.Sprintf("%d of %d replicas are current (%s)", have, want, strings.Join(on, ", "))
	if len(missing) > 0 {
		text += "; the rebuild of " + strings.Join(missing, ", ") + " is pending"
	}
	if shortage != "" {
		text += "; " + shortage
	}
	s.b.blockAlone("volume "+s.v.Name, s.v.At("replicas"), "", "%s", text)
}
