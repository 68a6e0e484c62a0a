package main

import (
	"fmt"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"strata/apply"
	"strata/plan"
	"strata/policy"
	"strata/schema"
)

// rules are the policies that a plan is held to.
type rules struct {
	dirs []string
	was  string
}

func (r *rules) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&r.dirs, "policy", nil, "hold the plan to the rules in the CUE files of `DIR`; may be repeated (strata schema policy)")
	cmd.Flags().StringVar(&r.was, "was", "", "the configuration before the change, a `DIR` or file: rules also see the labels that volumes and nodes had in it")
}

// load reads the policies, and the configuration before the change; nil is none.
func (r *rules) load(src *source) (*policy.Policy, error) {
	if len(r.dirs) == 0 && r.was != "" {
		return nil, fmt.Errorf("--was %s: it is for the rules of --policy, and there is none", r.was)
	}
	if len(r.dirs) == 0 {
		return nil, nil
	}
	p, err := policy.Load(r.dirs)
	if err == nil && r.was != "" {
		if p.Was, err = schema.Load([]string{r.was}, src.given()); err != nil {
			err = fmt.Errorf("--was: %w", err)
		}
	}
	return p, err
}

// broken is the error of a plan that breaks rules.
type broken struct {
	violations []plan.Violation
	later      bool // something was done already
}

func (b *broken) Error() string {
	lines := []string{fmt.Sprintf("the plan breaks %s of the policy, and nothing was done:", count(b.violations))}
	if b.later {
		lines[0] = fmt.Sprintf("what is due now breaks %s of the policy, and is not done:", count(b.violations))
	}
	for _, v := range b.violations {
		for _, line := range v.Lines() {
			lines = append(lines, "  "+inLine(line))
		}
	}
	return strings.Join(lines, "\n")
}

// forbid holds a plan for a configuration to a policy, and notes in it what it
// breaks.
func forbid(p *policy.Policy, cfg *schema.Config, o *plan.Outline) (err error) {
	if p == nil {
		return nil
	}
	o.Notes = append(o.Notes, plan.Remarks(remarks(p, cfg, o))...)
	if o.Violations, err = p.Check(o); err != nil || len(o.Violations) == 0 {
		return err
	}
	return fmt.Errorf("the plan breaks %s of the policy; it is shown above, and may not be carried out", count(o.Violations))
}

// remarks are what the policy's author and whoever approves should know.
func remarks(p *policy.Policy, cfg *schema.Config, o *plan.Outline) []plan.Finding {
	configs := []*schema.Config{cfg}
	if p.Was != nil {
		configs = append(configs, p.Was)
	}
	return append(p.Relabelled(cfg), p.Notes(o, configs...)...)
}

func count(violations []plan.Violation) string {
	if len(violations) == 1 {
		return "a rule"
	}
	return fmt.Sprintf("%d rules", len(violations))
}

// hold makes a run keep to the policy: what it is about to do is held to the
// rules, together with what it has done.
func (r *rules) hold(opt *apply.Options, src *source, cfg *schema.Config) error {
	pol, err := r.load(src)
	if pol == nil || err != nil {
		return err
	}
	var mu sync.Mutex // steps start while the next pass is looked at
	run, done := pol.Begin(), false
	opt.Vet = func(p *plan.Plan) error {
		mu.Lock()
		defer mu.Unlock()
		o := p.Outline(cfg.Cluster)
		p.Notes = append(p.Notes, remarks(pol, cfg, o)...)
		violations, err := run.Check(o)
		if err != nil {
			return err
		}
		if len(violations) > 0 {
			return &broken{violations, done}
		}
		return nil
	}
	starting := opt.Starting
	opt.Starting = func(e apply.Event) {
		mu.Lock()
		done = true
		run.Did(policy.StepOf(cfg, e.Pass, e.Section, e.Step.Outline(cfg.Cluster, e.Section)))
		mu.Unlock()
		starting(e)
	}
	return nil
}
