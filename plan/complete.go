package plan

import "strata/schema"

// Complete notes in the steps of a plan what follows from them all: their numbers,
// for which of them hosts wait, and the labels of what they concern.
func (p *Plan) Complete(cfg *schema.Config) {
	p.number()
	p.label(cfg)
	p.holds()
}

func (p *Plan) number() {
	n := 0
	for s := range p.sections() {
		for step := range s.Steps() {
			n++
			step.Number = n
		}
	}
}
