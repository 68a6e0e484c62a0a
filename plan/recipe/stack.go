package recipe

import (
	"iter"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// What hosts are shown is a stack on the engine. It stands on the legs, and has a
// tier for each kind of thing between them and the hosts. Recipes let it come up to
// a height, or go down to one; what is in it only the tiers know, each in a file of
// its own, and none knows of another.
type tier interface {
	// found is what there is of it of an incarnation, by node: on engines that run,
	// that were given up, that never came to run.
	found(*state.Incarnation) []piece
	// raise makes what the engine lacks of it on the bdev that the tier below gives,
	// and returns the bdev that it gives to the one above; "" for none, as yet. What is
	// there is left as it is.
	raise(s *subject, below string) (bdev string)
}

// piece is what one node has of a tier.
type piece interface {
	on() lineage.Node
	// bears reports whether there is a bdev in it through which the volume may be
	// written to.
	bears() bool
	// stray says why it goes where no engine that is believed has it.
	stray(*subject) reason
	// lower takes it away so that it can be made again, maybe on another node: what
	// hosts wait at stays.
	lower(*subject, reason)
	// ending takes it away for good.
	ending() plan.Op
}

// height is how far a stack is up: which of its tiers it has.
type height int

const (
	atLegs   height = iota // nothing stands on the legs
	atApart                // legs that have keys of their own are encrypted with them
	atMirror               // what writes to all legs: the heads are named after who is in it
	atParts                // the parts of a whole are laid out
	atCipher               // what hosts write is encrypted
	atLimits               // and what hosts get of it at most is bounded
	atExport               // hosts reach it
)

// tiers are those of a stack by the height that each brings it to.
var tiers = [...]tier{atApart: apartTier{}, atMirror: raidTier{}, atParts: laidTier{}, atCipher: cipherTier{}, atLimits: limitTier{}, atExport: exportTier{}}

// comeUp makes what the engine lacks, from the legs up.
func (s *subject) comeUp(to height) {
	bdev := ""
	for h := atLegs + 1; h <= to; h++ {
		if bdev = tiers[h].raise(s, bdev); bdev == "" {
			return // there is nothing yet to stand on
		}
	}
}

// goDown takes away what stands above a height, on whatever nodes, from the top.
// Hosts wait then; nothing is written any more through what was taken away.
func (s *subject) goDown(why reason, to height) {
	inc := s.b.w.Incarnation(s.id)
	if to < atCipher {
		s.expectKey(why, inc, to)
	}
	for p := range above(inc, to) {
		p.lower(s, why)
	}
}

// endStrays ends what other nodes than the engine have of the stack. It reports
// whether there was anything. What the parts of a whole share the first of them ends.
func (s *subject) endStrays() bool {
	ended := false
	for p := range above(s.inc, atLegs) {
		if p.bears() && p.on() != s.Engine && !s.waitedFor(p.on()) {
			ended = true
			if s.stands(p) {
				s.sec.then(p.stray(s), plan.RiskReduce, p.ending())
			}
		}
	}
	return ended
}

// waitedFor reports whether what a node has of the stack is that of the other parts of the
// whole, which wait there for this one. A mirror of its own that is not believed is not.
func (s *subject) waitedFor(n lineage.Node) bool {
	w := s.whole()
	return w != nil && n == w.at && !slices.ContainsFunc(raidTier{}.found(s.inc), func(p piece) bool { return p.on() == n && p.bears() })
}

// stands reports whether a piece is there still: another part of the whole may end it in
// this pass.
func (s *subject) stands(p piece) bool {
	gone := p.ending().Words()
	for there := range above(s.b.w.Incarnation(s.id), atLegs) {
		if there.on() == p.on() && there.ending().Words() == gone {
			return true
		}
	}
	return false
}

// above has what stands above a height, from the top.
func above(inc *state.Incarnation, h height) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		for _, t := range slices.Backward(tiers[h+1:]) {
			for _, p := range t.found(inc) {
				if !yield(p) {
					return
				}
			}
		}
	}
}

// pieces has all there is of the stacks of an incarnation, from below.
func pieces(inc *state.Incarnation) (all []piece) {
	for _, t := range tiers[atLegs+1:] {
		all = append(all, t.found(inc)...)
	}
	return all
}
