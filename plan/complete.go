package plan

import "strata/schema"

// complete notes in the steps of a plan what follows from them all: their numbers,
// for which of them hosts wait, and the labels of what they concern.
func (p *Plan) Complete(cfg *schema.Config) {
	p.number()
	p.label(cfg)
	p.holds()
}

func (p *Plan) number() {
	n := 0
	for _, pass := range p.Passes {
		for _, s := range pass.Sections {
			for _, stage := range s.Stages {
				for i := range stage {
					n++
					stage[i].Number = n
				}
			}
		}
	}
}
