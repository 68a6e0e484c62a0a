package schema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Duty is a kind of work that may be done without a person who looks at the plan.
type Duty uint8

// The duties. Each needs those before it, but for DutyChange, which needs DutyServe, and
// DutyMove, which needs DutyRebuild.
const (
	// DutyServe makes again what targets lose when they restart, so that hosts reach
	// volumes as configured.
	DutyServe Duty = iota
	// DutyFence mints the next epoch for the replicas that are left when one is lost, and
	// keeps the others from being used.
	DutyFence
	// DutyRebuild makes the replicas that a volume lacks.
	DutyRebuild
	// DutyChange carries out edits that only create.
	DutyChange
	// DutyMove brings what is in one place to another: a replica goes where the
	// configuration wants one, and the surplus one is let go of; an engine leaves.
	DutyMove
)

// dutyWords are the duties as they are written in a configuration.
var dutyWords = []string{DutyServe: "serve", DutyFence: "fence", DutyRebuild: "rebuild", DutyChange: "change", DutyMove: "move"}

// needs says of a duty which one it is nothing without.
var needs = map[Duty]Duty{DutyFence: DutyServe, DutyRebuild: DutyFence, DutyChange: DutyServe, DutyMove: DutyRebuild}

// String is the word for it in a configuration.
func (d Duty) String() string { return dutyWords[d] }

// Auto is a set of duties: what may be done without a person. The zero Auto has
// none. One that was read from a configuration has all that its duties need.
type Auto uint8

// AllDuties is what may be done at most.
const AllDuties = Auto(1<<DutyServe | 1<<DutyFence | 1<<DutyRebuild | 1<<DutyChange | 1<<DutyMove)

// AutoOf is the set of these duties.
func AutoOf(duties ...Duty) (a Auto) {
	for _, d := range duties {
		a |= 1 << d
	}
	return a
}

// Has reports whether a duty is among those of the set.
func (a Auto) Has(d Duty) bool { return a&(1<<d) != 0 }

// Words are the duties of the set in the order in which they need each other; nil
// for none.
func (a Auto) Words() (words []string) {
	for d, word := range dutyWords {
		if a.Has(Duty(d)) {
			words = append(words, word)
		}
	}
	return words
}

// String lists the words, or says that there are none.
func (a Auto) String() string {
	if a == 0 {
		return "nothing"
	}
	return strings.Join(a.Words(), ", ")
}

// MarshalJSON writes the set as a configuration has it, as a list of words.
func (a Auto) MarshalJSON() ([]byte, error) {
	return json.Marshal(append([]string{}, a.Words()...))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Auto) UnmarshalJSON(text []byte) error {
	var words []string
	if err := json.Unmarshal(text, &words); err != nil {
		return err
	}
	read, err := ParseAuto(words)
	*a = read
	return err
}

// ParseAuto reads the words of a set as a configuration would have them. The error
// says of the first that is wrong what is wrong with it, and what helps.
func ParseAuto(words []string) (a Auto, err error) {
	a.read(words, func(_ int, hint, text string) {
		if hint != "" {
			text += " (" + hint + ")"
		}
		if err == nil {
			err = fmt.Errorf("%s", text)
		}
	})
	return a, err
}

// read adds the duties that words name. wrong is told what is the matter with the
// word of an index.
func (a *Auto) read(words []string, wrong func(i int, hint, text string)) {
	at, unknown := map[Duty]int{}, false
	for i, word := range words {
		d := Duty(slices.Index(dutyWords, word))
		switch _, twice := at[d]; {
		case !slices.Contains(dutyWords, word):
			unknown = true
			wrong(i, Hint(word, "what may be done without a person", dutyWords), fmt.Sprintf("%q is nothing that can be done without a person", word))
		case twice:
			wrong(i, "", fmt.Sprintf("names %q again", word))
		default:
			at[d] = i
			*a |= AutoOf(d)
		}
	}
	for d := range Duty(len(dutyWords)) {
		if first, ok := needs[d]; ok && a.Has(d) && !a.Has(first) && !unknown {
			wrong(at[d], fmt.Sprintf("add %q", first), fmt.Sprintf("%q needs %q", d, first))
		}
	}
}

// auto reads what may be done without a person; what is not said is left as it is.
func (s *spot) auto(a *Auto) {
	elems, ok := s.list(`a list of what may be done without a person, such as ["serve", "fence"]`)
	if !ok {
		return
	}
	var words []string
	var spots []*spot
	for _, e := range elems {
		if word, is := e.text("one of " + strings.Join(dutyWords, ", ")); is {
			words, spots = append(words, word), append(spots, e)
		}
	}
	*a = 0
	a.read(words, func(i int, hint, text string) { spots[i].wrong(hint, "%s", text) })
}

// Autos says what may be done without a person, by volume, and under "" of what is
// no volume's: as configured, or for all alike what instead says unless it is nil.
func (c *Config) Autos(instead *Auto) map[string]Auto {
	all := map[string]Auto{"": c.Auto}
	for _, v := range c.Volumes {
		all[v.Name] = v.Auto
	}
	for _, w := range c.Wholes {
		all[w.Name] = w.Auto
	}
	if instead != nil {
		for name := range all {
			all[name] = *instead
		}
	}
	return all
}
