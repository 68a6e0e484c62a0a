package recipe

import (
	"slices"

	"strata/plan"
	"strata/plan/check"
	"strata/schema"
	"strata/state"
)

// ahead checks the sections of volumes while other volumes are planned. That is a
// guess: what it found counts only if those sections, as they were then and in that
// order, are the whole first pass. Of any other pass, and of one with a fault, nothing
// is known, and the check is made as if there had been none.
type ahead struct {
	check *check.Checker
	taken []*plan.Section    // in order
	in    chan *plan.Section // what is to be checked
	out   chan bool          // whether all was without a fault, once in is closed
	made  int                // sections of the builder that were looked at
	over  bool               // no more is taken
	holds bool               // the first pass is checked
}

// aheadBy is how many sections may be planned that are not checked yet.
const aheadBy = 1024

func newAhead(cfg *schema.Config, fitted *state.Snapshot, opt plan.Options) *ahead {
	a := &ahead{check: check.New(cfg, fitted, opt), in: make(chan *plan.Section, aheadBy), out: make(chan bool, 1)}
	go func() {
		fine := true
		for s := range a.in {
			fine = fine && a.check.Section(s) == nil
		}
		a.out <- fine && a.check.Passed() == nil
	}()
	return a
}

// take has a section checked that nothing is added to any more, unless the pass does
// something else than to volumes.
func (a *ahead) take(b *builder, key plan.Key) {
	if a == nil || a.over {
		return
	}
	for _, s := range b.made[a.made:] {
		if s.Kind != plan.KindVolume && s.steps() > 0 {
			a.stop()
			return
		}
	}
	a.made = len(b.made)
	if s := b.sections[key]; s != nil && s.steps() > 0 {
		s := &plan.Section{Kind: s.Kind, Name: s.Name, Stages: s.filled()}
		a.taken = append(a.taken, s)
		a.in <- s
	}
}

// stop takes no more. It waits for what is being checked, and returns whether all that
// was taken is without a fault.
func (a *ahead) stop() bool {
	if a == nil || a.over {
		return false
	}
	a.over = true
	close(a.in)
	return <-a.out
}

// end says what the first pass is.
func (a *ahead) end(pass plan.Pass) {
	if a.stop() {
		a.holds = a.is(pass)
	}
}

// is reports whether what was taken is the pass.
func (a *ahead) is(pass plan.Pass) bool {
	return slices.EqualFunc(pass.Sections, a.taken, func(s plan.Section, was *plan.Section) bool {
		return s.Key() == was.Key() && slices.EqualFunc(s.Stages, was.Stages, func(stage, was []plan.Step) bool {
			return len(stage) == len(was) && &stage[0] == &was[0]
		})
	})
}

// rest is what of a plan is left to be checked, and who is to; nil if nothing is known.
// The plan may be nil.
func (a *ahead) rest(p *plan.Plan) (*check.Checker, *plan.Plan) {
	if a.stop(); a == nil || !a.holds || p == nil {
		return nil, nil
	}
	return a.check, &plan.Plan{Passes: p.Passes[min(1, len(p.Passes)):]}
}
