package apply

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"strata/plan"
)

// maxFailures is how often the same step may fail before its section is given up,
// unless it was done meanwhile.
const maxFailures = 2

// maxRepeats is how often a run may carry out the very same section within
// repeatsFor while nothing fails: when that leads nowhere, targets do not become
// what plans expect. After a failure it is done again for what has failed.
const (
	maxRepeats = 5
	repeatsFor = 10 * time.Minute
)

// attempts counts what was tried, and has the sections that were given up.
type attempts struct {
	mu       sync.Mutex
	failures map[string]int // of steps, since they were last done

	once    map[plan.Key]*repeats // of sections that came once, since anything failed: most do
	repeats map[string]*repeats   // of others, by what they do
	givenUp []Failure             // sorted by section
	most    int                   // repeats, before a section is given up
}

// ErrNoProgress is why a section is given up that was carried out again and again.
var ErrNoProgress = errors.New("no progress")

// repeats is how often a section did something since then.
type repeats struct {
	section plan.Section
	n       int
	since   time.Time
}

func newAttempts(most int) *attempts {
	return &attempts{failures: map[string]int{}, once: map[plan.Key]*repeats{}, repeats: map[string]*repeats{}, most: cmp.Or(most, maxRepeats)}
}

// failed counts a failure, and reports whether its section is to be given up.
func (a *attempts) failed(f Failure) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.once)
	clear(a.repeats)
	what := stepKey(f.Section, f.Step.Op)
	a.failures[what]++
	return a.failures[what] == maxFailures
}

// done takes note that a step was done.
func (a *attempts) done(section plan.Key, op plan.Op) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.failures) > 0 {
		delete(a.failures, stepKey(section, op))
	}
}

// epochs are those in the names of lvols: a volume's next one is higher each time that it is
// tried.
var epochs = regexp.MustCompile(`([#@+])[0-9]+(\.[0-9]+)*`)

// stepKey tells steps apart by what they do, in whatever epoch. What is deleted is not made
// anew with each try.
func stepKey(section plan.Key, op plan.Op) string {
	words := op.Words()
	if _, deletes := op.(plan.LvolDelete); !deletes {
		words = epochs.ReplaceAllString(words, "$1")
	}
	return section.String() + ", " + string(op.On()) + ": " + words
}

// repeat counts how often the sections of a pass were carried out, and returns
// those that make no progress.
func (a *attempts) repeat(p plan.Pass) (stuck []Failure) {
	for _, s := range p.Sections {
		seen := a.seen(s)
		if time.Since(seen.since) > repeatsFor {
			seen.n, seen.since = 0, time.Now()
		}
		if seen.n++; seen.n > a.most {
			stuck = append(stuck, Failure{Section: s.Key(), Step: s.Stages[0][0], Err: fmt.Errorf("%w: repeated %d times", ErrNoProgress, a.most)})
		}
	}
	return stuck
}

// seen is how often a section was carried out. What it does is put into words only when
// one of its key comes again.
func (a *attempts) seen(s plan.Section) *repeats {
	key := s.Key()
	first, again := a.once[key]
	if !again {
		a.once[key] = &repeats{section: s, since: time.Now()}
		return a.once[key]
	}
	if first != nil {
		a.repeats[fingerprint(first.section)] = first
		a.once[key], first.section = nil, plan.Section{}
	}
	what := fingerprint(s)
	if a.repeats[what] == nil {
		a.repeats[what] = &repeats{since: time.Now()}
	}
	return a.repeats[what]
}

// giveUp leaves a section alone from here on.
func (a *attempts) giveUp(f Failure) {
	a.givenUp = append(a.givenUp, f)
	slices.SortStableFunc(a.givenUp, func(a, b Failure) int { return a.Section.Compare(b.Section) })
}

// fingerprint tells sections apart by what they do.
func fingerprint(s plan.Section) string {
	var words []string
	for step := range s.Steps() {
		words = append(words, string(step.Op.On())+": "+step.Op.Words())
	}
	return strings.Join(words, "; ")
}
