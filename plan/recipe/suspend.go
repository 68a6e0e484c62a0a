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

// A node that somebody works on is suspended: its target is stopped, and started again
// maybe days later, as another version. Hosts of volumes that need it wait. Ladder, of
// every volume that it serves:
//
//	taken down  the listener, the namespace; the heads sealed, all of them; the RAID
//	            (takeDown). Hosts look for the path that is gone, and find it again
//	apart       from here on the node is planned with as if it could not be read, also
//	            while it can. So nothing is done there, and its target may go
//	word gone   what is there then is brought up as after any restart. The replicas that
//	            were sealed together are equal: none is rebuilt
//
// A crash in between leaves a volume that is taken down in part, which the next plan
// takes down the rest of the way, or sealed heads and no engine.
//
// Of a volume that another node serves nothing is done: links that wait hold its hosts
// when the target stops, and are not let go of before the suspension ends (patience.go).

// suspension is what came of that.
type suspension struct{ inUse map[string]inUse } // by volume, or whole

// inUse is why a volume is not taken down that a suspended node serves.
type inUse struct {
	on  lineage.Node
	why string
}

// keeps says why a volume is not taken down; false for one that is, or need not be.
func (s *suspension) keeps(volume string) (inUse, bool) {
	if s == nil {
		return inUse{}, false
	}
	u, is := s.inUse[volume]
	return u, is
}

// usedOn are the volumes in use on a node that are not taken down.
func (s *suspension) usedOn(n lineage.Node) (names []string) {
	if s == nil {
		return nil
	}
	for name, u := range s.inUse {
		if u.on == n {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// suspend plans what is done before suspended nodes are left apart, if that is
// anything, and leaves them apart.
func (p *passes) suspend() (*builder, plan.Pass, error) {
	b := newBuilder(p)
	if p.suspension = (&suspension{inUse: map[string]inUse{}}); len(b.suspended) == 0 {
		return b, plan.Pass{}, nil
	}
	b.links, b.ground = newLinks(b, nil), &ground{pools: map[lineage.Node][]*pool{}}
	for _, v := range p.order {
		if w := p.cfg.WholeOf(v); w != nil {
			if v.Part.Index == 0 {
				b.suspendWhole(w)
			}
			continue
		}
		for _, id := range b.w.Incarnations(v.Name) {
			b.suspendVolume(v, id)
		}
	}
	if b.err != nil {
		return nil, plan.Pass{}, b.err
	}
	pass := b.finish()
	for _, n := range p.cfg.Nodes {
		if at := p.w.Nodes[n.Name]; p.cfg.Suspended(n.Name) && at != nil && at.Unknown == "" {
			p.w = p.w.Hide(n.Name, "it is suspended")
		}
	}
	return b, pass, nil
}

// suspendVolume takes an incarnation down that a suspended node serves.
func (b *builder) suspendVolume(v *schema.Volume, id lineage.Volume) {
	inc := b.w.Incarnation(id)
	n := b.bears(inc)
	if n == "" {
		return
	}
	s := b.suspends(v, inc)
	if why := s.unsuspendable(); why != "" {
		b.suspension.inUse[v.Name] = inUse{n, why}
		return
	}
	s.through(apart)
}

// bears is the suspended node on which an incarnation may be written to; "" for none.
func (b *builder) bears(inc *state.Incarnation) lineage.Node {
	for _, p := range pieces(inc) {
		if p.bears() && b.cfg.Suspended(p.on()) {
			return p.on()
		}
	}
	return ""
}

// suspends is the subject that an incarnation is while it is taken down.
func (b *builder) suspends(v *schema.Volume, inc *state.Incarnation) *subject {
	verdict := b.w.Judge(inc, state.Question{Cluster: b.cfg.Cluster, Replicas: v.Replicas.Count})
	return &subject{b: b, v: v, id: inc.Volume, inc: inc, Verdict: &verdict, sec: b.section(plan.VolumeKey(v.Name)), keep: map[lineage.UUID]lineage.Node{}}
}

// stays says of a volume that is in use on a node that is suspended why that is so.
// Nothing is done to it meanwhile.
func (u inUse) stays(b *builder, v *schema.Volume) {
	b.blockAlone("volume "+v.Name, v.Pos, fmt.Sprintf("do not stop the target of %s before: that would be a crash to it", u.on),
		"it is in use on %s, which is suspended, and is not taken down: %s", u.on, u.why)
}

// unsuspendable says why a volume is not taken down for the sake of the node that
// serves it; "" when it is.
func (s *subject) unsuspendable() string {
	b := s.b
	_, busy := b.opt.Busy[plan.VolumeKey(s.v.Name)]
	switch {
	case s.Unknown != "":
		return s.Unknown
	case s.Engine == "" || !b.cfg.Suspended(s.Engine):
		return "another engine of it is believed"
	case b.opt.ResumeOnly != nil:
		return "this run only lets hosts go on"
	case b.left(plan.VolumeKey(s.v.Name)):
		return "what was to be done to it failed"
	case busy:
		return "a layer of it is being copied"
	case !s.tries(suspending.duty):
		return "nothing is served without a person; strata apply does it"
	case s.kernelExport():
		return "its users have a device of that node's kernel, and would lose it; end their use and its export"
	case s.v.Engine == "" && !s.legOn(s.Engine) && !s.whole().legOn(s.Engine):
		return fmt.Sprintf("no replica is on %s, so it would be started elsewhere; write engine: %q for it", s.Engine, s.Engine)
	}
	for _, l := range s.Legs {
		if why := s.canSeal(l); why != "" {
			return why
		}
	}
	return ""
}

// suspend takes the volume down; nobody starts it before its node is back.
func (s *subject) suspend() result {
	name := s.v.Name
	if s.v.Part != nil {
		name = s.v.Part.Whole
	}
	s.lower(nil, because(s.b.posOf(s.Engine), "%s is suspended: hosts of %s wait", s.Engine, name))
	return acted
}

// suspended leaves a volume as it is that no engine serves and that needs a suspended
// node: it is to be served there, or one of the replicas that were sealed together is
// there.
func (s *subject) suspended() result {
	if s.Engine != "" || s.ByOperator || !s.needsSuspended() {
		return idle
	}
	s.b.awaitSuspended(s.v)
	return blocked
}

func (s *subject) needsSuspended() bool {
	if s.v.Engine != "" && s.b.cfg.Suspended(s.v.Engine) {
		return true
	}
	if w := s.whole(); w != nil {
		return w.waitsForSuspended()
	}
	return s.lacksSuspended()
}

// lacksSuspended reports whether a suspended node has a replica that was sealed with those
// that were read.
func (s *subject) lacksSuspended() bool {
	if len(s.b.suspended) == 0 || len(s.Legs) == 0 {
		return false
	}
	h := s.Legs[0].Head
	return h != nil && h.Name.Mark == lineage.Sealed && len(s.Legs) < h.Name.Legs
}

// suspendedNodes are those of a configuration.
func suspendedNodes(cfg *schema.Config) (all []string) {
	for _, n := range cfg.Nodes {
		if cfg.Suspended(n.Name) {
			all = append(all, string(n.Name))
		}
	}
	return all
}

// onlySuspended reports whether all that was not read is on suspended nodes, if
// anything.
func (b *builder) onlySuspended() bool {
	if len(b.suspended) == 0 || len(b.ground.missing) > 0 {
		return false
	}
	for n, pools := range b.ground.pools {
		if !b.cfg.Suspended(n) && slices.ContainsFunc(pools, func(p *pool) bool { return p.state == poolHidden || p.state == poolPending }) {
			return false
		}
	}
	return true
}

// awaitSuspended says that a volume is not served while nodes are suspended: of parts, that
// their whole is not.
func (b *builder) awaitSuspended(v *schema.Volume) {
	if w := b.cfg.WholeOf(v); w != nil {
		v = &w.Volume
	}
	said := plan.Finding{About: "volume " + v.Name, Pos: v.Pos, Text: "its hosts wait for " + b.whichSuspended()}
	if !slices.Contains(b.notes, said) { // of another part
		b.notes = append(b.notes, said)
	}
}

// awaitMaybe says that of a volume of which no replica was read: what is left of it
// elsewhere are paths, or nothing.
func (b *builder) awaitMaybe(v *schema.Volume) {
	w := b.cfg.WholeOf(v)
	if len(b.w.Incarnations(v.Name)) > 0 || w != nil && b.wholes[w.Name].id.ID != "" {
		b.awaitSuspended(v)
		return
	}
	b.note("volume "+v.Name, v.Pos, "", "if it has a replica on %s, its hosts wait; if it is new, it is made afterwards", b.whichSuspended())
}

// whichSuspended names the suspended nodes, and says that they are.
func (b *builder) whichSuspended() string {
	all := b.suspended
	if len(all) == 1 {
		return all[0] + ", which is suspended"
	}
	return strings.Join(all, ", ") + ", which are suspended"
}

// tellSuspended says of a node that it is suspended, or that this is over.
func (b *builder) tellSuspended(n *schema.Node) {
	s, about := n.Suspend, "node "+string(n.Name)
	if s == nil {
		return
	}
	if s.Over {
		b.note(about, n.Pos, "take its maintenance out of the configuration", "it was suspended for %s, which is over: it is treated as any other node", s.For())
		return
	}
	busy := b.suspension.usedOn(n.Name)
	text, hint := "nothing is done to it, hosts of volumes that need it wait, and its target may be stopped once no step of this plan is left", "take its maintenance out of the configuration when its target is back"
	if len(busy) > 0 {
		text = "its target is not to be stopped yet: it serves " + amount.Of(len(busy), "volume") + " still, " + strings.Join(busy, ", ")
	}
	b.note(about, n.Pos, hint, "it is suspended, %s: %s", s.Span(), text)
	if loses := b.cfg.LosesReplicas(n); loses != "" {
		b.note(about, n.Pos, "", "%s", loses)
	}
}
