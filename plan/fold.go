package plan

import (
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
)

// leastAlike is from how many passes on a series is folded: fewer are as short
// when they are printed.
const leastAlike = 3

// series is passes that follow one another and are alike. Where steps are listed,
// those of the first stand for all.
type series struct {
	first OutlinePass
	rest  []OutlinePass
}

// series returns the passes in order, and as many as can be in one series. With
// AllSteps each is one of its own.
func (o *Outline) series() []series {
	var all []series
	for i := 0; i < len(o.Passes); {
		end := i + 1
		if shape, ok := o.Passes[i].shape(); ok && !o.AllSteps {
			for ; end < len(o.Passes); end++ {
				if next, ok := o.Passes[end].shape(); !ok || next != shape {
					break
				}
			}
		}
		if end-i < leastAlike {
			end = i + 1
		}
		all = append(all, series{o.Passes[i], o.Passes[i+1 : end]})
		i = end
	}
	return all
}

// shape is the same for passes that are alike: which layer they are about, its
// epoch and size, and numbers of namespaces are not in it. It reports false of a pass
// of which a reviewer has to see every step: while it is carried out hosts wait, or
// redundancy or data goes, or it rests on an assumption.
func (p *OutlinePass) shape() (string, bool) {
	var parts []string
	steps := 0
	for _, s := range p.Sections {
		parts = append(parts, s.Key, strings.Join(s.After, ","))
		for _, stage := range s.Stages {
			parts = append(parts, "stage")
			for _, step := range stage {
				if step.Risk != RiskCreate && step.Risk != RiskCopy || step.Held || step.Holds {
					return "", false
				}
				steps++
				copies := -1
				if step.Copies != nil {
					copies = *step.Copies
				}
				parts = append(parts, step.Op, string(step.Node), step.Volume, string(step.Risk), fmt.Sprint(copies), general(step.Text), general(step.Reason), step.At)
			}
		}
	}
	return strings.Join(parts, "\n"), steps > 0 && len(p.Assumes) == 0
}

// general is a text without what tells one layer from another.
func general(text string) string {
	words := strings.Split(text, " ")
	for i, word := range words {
		switch {
		case i > 0 && words[i-1] == "namespace", i == 1 && words[0] == "copy" && strings.HasPrefix(text, "copy "+word+" of layer "):
			words[i] = "…"
		default:
			if place, name := lvolIn(word); name != nil {
				words[i] = place + ofItsKind(name)
			}
		}
	}
	return strings.Join(words, " ")
}

// lvolIn finds the name of an lvol of strata's in a word of a text, and what stands
// before it; nil for none.
func lvolIn(word string) (place string, name lineage.Name) {
	i := strings.LastIndex(word, "/") + 1
	name, ok := lineage.Parse(lineage.LvolName(strings.TrimRight(word[i:], ",:;")))
	if !ok {
		return word, nil
	}
	return word[:i], name
}

// ofItsKind is the same for all lvols that are the same in other epochs.
func ofItsKind(name lineage.Name) string {
	switch name := name.(type) {
	case lineage.Head:
		name.Epoch, name.Cut = 0, 0
		return string(name.Lvol())
	case lineage.Layer:
		name.Epoch, name.Snapshot = 0, ""
		return string(name.Lvol())
	case lineage.Staging:
		name.Epoch = 0
		return string(name.Lvol())
	}
	return string(name.Lvol())
}

// repeat is what the passes of a series do for one object, but for the first.
type repeat struct {
	key   string
	times int
	steps []OutlineStep
}

// repeats returns what the passes do, but for the first, in the order of its
// sections; none if there are no others.
func (s series) repeats() []repeat {
	if len(s.rest) == 0 {
		return nil
	}
	var all []repeat
	for i, section := range s.first.Sections {
		r := repeat{key: section.Key, times: len(s.rest)}
		for _, pass := range s.rest {
			for _, stage := range pass.Sections[i].Stages {
				r.steps = append(r.steps, stage...)
			}
		}
		all = append(all, r)
	}
	return all
}

// again begins the words for the passes of a series after the first.
const again = "Then the same %d times more, each time after another look at the nodes: steps %d to %d"

// words are a line on the passes of the series after the first.
func (s series) words() string {
	var steps []OutlineStep
	for _, r := range s.repeats() {
		steps = append(steps, r.steps...)
	}
	slices.SortFunc(steps, func(a, b OutlineStep) int { return a.Number - b.Number })
	return fmt.Sprintf(again, len(s.rest), steps[0].Number, steps[len(steps)-1].Number) + copied(steps) + " (--all-steps prints them)."
}

// copied says how much steps copy; "" if they do not.
func copied(steps []OutlineStep) string {
	t := Totals{}
	for _, s := range steps {
		t.CopyBytes += s.Bytes
	}
	if t.CopyBytes == 0 {
		return ""
	}
	return ", " + strings.Join(t.burden(), ", ")
}

// layers names the layers that the passes are about; "" for none.
func (r repeat) layers() string {
	var all []lineage.LvolName
	for _, step := range r.steps {
		for word := range strings.SplitSeq(step.Text, " ") {
			if _, name := lvolIn(word); name != nil {
				if l, ok := name.(lineage.Layer); ok && !slices.Contains(all[max(0, len(all)-1):], l.Lvol()) {
					all = append(all, l.Lvol())
				}
			}
		}
	}
	switch len(all) {
	case 0:
		return ""
	case 1:
		return "layer " + string(all[0])
	}
	return fmt.Sprintf("layers %s to %s", all[0], all[len(all)-1])
}

// words say that it is the same, and of what.
func (r repeat) words() string {
	text := fmt.Sprintf("the same %d times more", r.times)
	if layers := r.layers(); layers != "" {
		text += ", for " + layers
	}
	return text + copied(r.steps)
}

// stepsIn counts the steps that a line of a printed plan is of.
func stepsIn(line string) int {
	var times, from, to int
	if n, _ := fmt.Sscanf(line, again, &times, &from, &to); n == 3 {
		return to - from + 1
	}
	number, _, ok := strings.Cut(strings.TrimLeft(line, " "), ". ")
	if ok && strings.Trim(number, "0123456789") == "" && number != "" {
		return 1
	}
	return 0
}
