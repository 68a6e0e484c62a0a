package recipe

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// copyTarget is an lvol that something is copied to, of another node or pool.
type copyTarget struct {
	on   lineage.Node
	lvol lineage.UUID
}

// findCopies finds what is copied over the links of the cluster, and between pools of a
// node, when the pass begins.
func (b *builder) findCopies() {
	for name, n := range b.w.Nodes {
		for _, l := range n.Fills() {
			b.running[name] = append(b.running[name], copyTarget{name, l.UUID})
			b.restless = true
		}
		for _, r := range n.Copies() {
			if ctrl := n.Controllers[r.Controller]; ctrl != nil {
				if l, ok := b.cfg.Cluster.ParseLink(ctrl.NQN); ok && l.To == name {
					b.running[name] = append(b.running[name], copyTarget{l.From, r.UUID})
					b.restless = true
				}
			}
		}
	}
}

// countCopies counts those that are under way by order of a run that is over among what nodes
// copy: whatever else is to be copied waits for them, not the other way round.
func (b *builder) countCopies() {
	for name, all := range b.running {
		for _, f := range all {
			to := b.w.Nodes[f.on]
			if to == nil || to.Unknown != "" {
				continue
			}
			if l := to.LvolByUUID(f.lvol); l != nil && l.Parsed != nil {
				if _, own := b.opt.Busy[plan.VolumeKey(l.Parsed.Of().Name)]; !own {
					b.countCopy(name, f.on)
				}
			}
		}
	}
}

// countCopy counts a copy in which nodes take part.
func (b *builder) countCopy(from, to lineage.Node) {
	b.copies[to]++
	if from != to {
		b.copies[from]++
	}
}

// copiesTo reports whether a node is copying to an lvol.
func (b *builder) copiesTo(from, on lineage.Node, lvol lineage.UUID) bool {
	return slices.Contains(b.running[from], copyTarget{on, lvol})
}

// mayBeCopiedTo reports whether any node is copying to an lvol, or could
// not be read and is shown it.
func (b *builder) mayBeCopiedTo(on lineage.Node, lvol lineage.UUID) bool {
	if b.copiesTo(on, on, lvol) {
		return true
	}
	for _, x := range b.shownBy(on, lvol) {
		to := b.w.Nodes[x.link.To]
		if to == nil || to.Unknown != "" || b.copiesTo(x.link.To, on, lvol) {
			return true
		}
	}
	return false
}

// filled reports whether a node copies to an lvol of its own, by order of a run that is over.
// That ends when it is done, or its target does; until then the lvol can neither be deleted
// nor taken from it.
func (b *builder) filled(n lineage.Node, l *state.Lvol) bool {
	return l.Claimed && b.copiesTo(n, n, l.UUID)
}

// copying leaves the layers of a volume as they are while one is copied.
func (s *subject) copying() result {
	why := s.copied()
	if why == "" {
		return idle
	}
	s.b.block("volume "+s.v.Name, s.v.At("snapshots"), "", "its layers stay as they are: %s", why)
	return blocked
}

// copied says that a layer of the volume is, or may be, being copied by order of
// a run that is over; "" when none is. Deleting it, or one beside it, is refused
// and yet takes its bdev away: the layer above then looks as if it stood on
// nothing.
func (s *subject) copied() string {
	for _, l := range s.Legs {
		for _, f := range s.b.running[l.Node] {
			to := s.b.w.Nodes[f.on]
			if to == nil || to.Unknown != "" {
				return fmt.Sprintf("%s writes to an lvol of %s, which could not be read, and may be copying one", l.Node, f.on)
			}
			if lvol := to.LvolByUUID(f.lvol); lvol != nil {
				if p, ok := lvol.Parsed.(lineage.Staging); ok && p.Volume == s.id {
					return fmt.Sprintf("%s is still copying one to %s", l.Node, f.on)
				}
			}
		}
	}
	return ""
}
