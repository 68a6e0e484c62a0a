package saved

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"strata/plan"
	"strata/schema"
)

// operate puts the operations of the plan's steps into its outline.
func operate(o *plan.Outline, p *plan.Plan) {
	for i, pass := range p.Passes {
		for j, sec := range pass.Sections {
			for k, stage := range sec.Stages {
				for l, step := range stage {
					params, err := json.Marshal(step.Op)
					if err != nil {
						panic(err) // ops are plain values
					}
					o.Passes[i].Sections[j].Stages[k][l].Params = params
				}
			}
		}
	}
}

// verify holds what the file says to what it does: a reader approves words, and
// operations are carried out. What does not follow from operations and
// configuration is the reasons, the findings and the copies left: of those that a
// step leaves, and of its risk, Admit keeps to what the file says.
func (s *Saved) verify() error {
	if s.Config == nil || s.Plan == nil || absent(s.Document) {
		return errors.New("it lacks config, document or plan")
	}
	cfg, err := schema.Parse("document", s.Document)
	if err != nil {
		return fmt.Errorf("its configuration is not valid: %w", err)
	}
	if !cfg.Same(s.Config) {
		return errors.New("config and document are not the same configuration")
	}
	if err := s.Options.verify(cfg); err != nil {
		return err
	}
	p, err := s.plan()
	if err != nil {
		return err
	}
	if err := s.outlined(p); err != nil {
		return err
	}
	if !same(s.Placed, placed(s.Config, p)) {
		return errors.New("placed is not where its steps put new volumes")
	}
	s.made = p
	for key, f := range s.Relies {
		if f.Digest != factOf(f.Found).Digest {
			return fmt.Errorf("relies: the digest of %q is not that of what was found", key)
		}
	}
	return nil
}

// absent reports whether a field is not there, or null.
func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// verify refuses what plan would not have taken.
func (o *SavedOptions) verify(cfg *schema.Config) error {
	for _, name := range o.AllowDestroy {
		if _, ok := plan.ParseGrant(name); !ok {
			return fmt.Errorf("options: allowDestroy cannot be %q", name)
		}
	}
	for volume, node := range o.Authority {
		if cfg.Volume(volume) == nil || cfg.Node(node) == nil {
			return fmt.Errorf("options: authority cannot be %s=%s", volume, node)
		}
	}
	for _, volume := range o.Failover {
		if cfg.Shown(volume) == nil {
			return fmt.Errorf("options: failover cannot be %s", volume)
		}
	}
	if err := o.Wishes.Verify(cfg); err != nil {
		return fmt.Errorf("options: wishes: %w", err)
	}
	return nil
}

// plan makes the plan of the file's operations again.
func (s *Saved) plan() (*plan.Plan, error) {
	p := &plan.Plan{Passes: make([]plan.Pass, 0, len(s.Plan.Passes))}
	for i, pass := range s.Plan.Passes {
		if len(pass.Sections) == 0 {
			return nil, fmt.Errorf("pass %d has no sections", i+1)
		}
		next := plan.Pass{Assumes: pass.Assumes}
		for _, sec := range pass.Sections {
			if !slices.Contains([]plan.Kind{plan.KindNode, plan.KindLink, plan.KindVolume, plan.KindGroup, plan.KindBackup, plan.KindArchive, plan.KindAlternates, plan.KindDiscovery}, sec.Kind) || len(sec.Stages) == 0 {
				return nil, fmt.Errorf("section %q of pass %d has no kind or no steps", sec.Key, i+1)
			}
			out := plan.Section{Kind: sec.Kind, Name: sec.Name, After: make([]plan.Key, len(sec.After))}
			for k, key := range sec.After {
				if err := out.After[k].UnmarshalText([]byte(key)); err != nil {
					return nil, fmt.Errorf("section %q of pass %d: after: %w", sec.Key, i+1, err)
				}
			}
			for _, stage := range sec.Stages {
				if len(stage) == 0 {
					return nil, fmt.Errorf("section %q of pass %d has a stage without steps", sec.Key, i+1)
				}
				var steps []plan.Step
				for _, step := range stage {
					made, err := stepOf(&step)
					if err != nil {
						return nil, fmt.Errorf("step %d: %w", step.Number, err)
					}
					steps = append(steps, made)
				}
				out.Stages = append(out.Stages, steps)
			}
			next.Sections = append(next.Sections, out)
		}
		p.Passes = append(p.Passes, next)
	}
	p.Complete(s.Config)
	p.NoteMoves(s.Config, s.Options.Wishes)
	return p, nil
}

// step makes the step again of which s is the outline.
func stepOf(s *plan.OutlineStep) (plan.Step, error) {
	if absent(s.Params) {
		return plan.Step{}, errors.New("its operation has no parameters: it is of another version of strata")
	}
	op, err := plan.DecodeOp(s.Op, s.Params)
	if err != nil {
		return plan.Step{}, err
	}
	facts := op.Facts()
	if !slices.Contains(plan.Risks, s.Risk) || !facts.Risk.Within(s.Risk) {
		return plan.Step{}, fmt.Errorf("its risk is said to be %q, and to %s is %q at least", s.Risk, op.Words(), facts.Risk)
	}
	copies := -1
	if s.Copies != nil {
		copies = *s.Copies
	}
	return plan.Step{Op: op, Risk: s.Risk, Reason: s.Reason, Bytes: facts.Copy.Bytes, Copies: copies}, nil
}

// outlined compares the outline in the file with that of its operations.
func (s *Saved) outlined(p *plan.Plan) error {
	is := p.Outline(s.Config.Cluster)
	operate(is, p)
	for i, pass := range is.Passes {
		for j, sec := range pass.Sections {
			said := s.Plan.Passes[i].Sections[j]
			if said.Key != sec.Key {
				return fmt.Errorf("a section is called %q and is %q", said.Key, sec.Key)
			}
			for k, stage := range sec.Stages {
				for l, step := range stage {
					said := &said.Stages[k][l]
					if said.Text != step.Text {
						return fmt.Errorf("step %d says that it is to %s, and its operation is to %s", said.Number, said.Text, step.Text)
					}
					said.Params = step.Params // it was made of them
					if step.At = said.At; !same(step, *said) {
						return fmt.Errorf("step %d says of its operation, to %s, what is not so", said.Number, step.Text)
					}
				}
			}
		}
	}
	said := s.Plan
	switch {
	case said.Format != is.Format || said.Cluster != is.Cluster:
		return errors.New("plan is of another format or cluster")
	case !same(said.Totals, is.Totals) || said.Summary != plan.Summary(is.Totals, len(said.Blocked)):
		return errors.New("totals or summary are not those of its steps")
	case !same(said.Moves, is.Moves):
		return errors.New("moves are not those of its steps")
	case !same(said.Labels, is.Labels):
		return errors.New("labels are not those of its configuration")
	case len(said.Violations)+len(said.Allowed) > 0 || said.Digest != "":
		return errors.New("plan has what a saved plan does not have: violations, allowed or digest")
	}
	return nil
}

// same compares values as they are written.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
