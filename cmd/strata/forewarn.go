package main

import (
	"strata/apply"
	"strata/plan"
)

// forewarn has what is to be known of volumes for which the operator has named an
// authority told before anything is done to them, where nobody is shown the plan.
func forewarn(opt *apply.Options, tell func(string)) {
	if len(opt.Plan.Authority) == 0 {
		return
	}
	vet, told := opt.Vet, map[string]bool{}
	opt.Vet = func(p *plan.Plan) error {
		if vet != nil {
			if err := vet(p); err != nil {
				return err
			}
		}
		for _, f := range p.Notes {
			for name := range opt.Plan.Authority {
				if f.About == "volume "+name && !told[f.About] {
					told[f.About] = true
					tell(f.About + ": " + f.Text)
				}
			}
		}
		return nil
	}
}
