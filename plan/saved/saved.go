// Package saved is the file that a plan is kept in until it is approved, and what
// of a plan that is made anew the file still covers.
package saved

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/lineage"
	"strata/plan"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// SavedFormat is the first field of a saved plan. A reader refuses what begins
// with another.
const SavedFormat = "strata-plan/2"

// formats is how the format of every version begins.
const formats = "strata-plan/"

// Saved is a plan in a file, to be read, approved and carried out later, maybe
// elsewhere. It has all that carrying it out takes but the targets: the
// configuration, what the operator allowed, every step with its operation, and
// what the steps rely on. The same input makes the same bytes.
type Saved struct {
	Format  string         `json:"format"`
	Version string         `json:"version"` // of the strata that wrote it
	Config  *schema.Config `json:"config"`
	// Document is the configuration as schema.Parse reads it. Config says the same,
	// with positions.
	Document json.RawMessage  `json:"document"`
	Options  SavedOptions     `json:"options"`
	Placed   map[string]Place `json:"placed"` // by new volume
	Relies   map[string]Fact  `json:"relies"` // by section
	Plan     *plan.Outline    `json:"plan"`

	made *plan.Plan // with the operations
	// approved and undrawn are what Admit compares with, once it was asked.
	approved map[string]map[string]agreed
	undrawn  plan.Undrawn
}

// SavedOptions are the Options that a plan was made with.
type SavedOptions struct {
	AllowDestroy []string                `json:"allowDestroy,omitempty"` // sorted
	Authority    map[string]lineage.Node `json:"authority,omitempty"`
	Failover     []string                `json:"failover,omitempty"` // volumes, sorted
	Wishes       plan.Wishes             `json:"wishes,omitempty"`   // of strata rebalance
	// Now is the time in seconds since 1970 UTC that snapshots on schedule were
	// planned for; 0 where there are none.
	Now int64 `json:"now,omitempty"`
}

// Place is where a new volume goes.
type Place struct {
	Replicas []lineage.Node `json:"replicas"`
	Engine   lineage.Node   `json:"engine"`
}

// Fact is what there was of a section's object when the plan was made.
type Fact struct {
	Digest string            `json:"digest"` // SHA-256 of the rest
	Found  map[string]string `json:"found"`  // what was found, by object
}

// Save makes the file of a plan, which must have been made without Nonce, for the
// configuration that schema.Document gave.
func Save(cfg *schema.Config, document []byte, snap *state.Snapshot, p *plan.Plan, opt plan.Options, version string) *Saved {
	s := &Saved{
		Format: SavedFormat, Version: version, Config: cfg, Document: document, Plan: p.Outline(cfg.Cluster), Relies: map[string]Fact{}, Placed: placed(cfg, p),
		Options: SavedOptions{Authority: opt.Authority, Wishes: opt.Wishes}, made: p,
	}
	operate(s.Plan, p)
	for _, g := range opt.AllowDestroy.All() {
		s.Options.AllowDestroy = append(s.Options.AllowDestroy, g.String())
	}
	s.Options.Failover = slices.Sorted(maps.Keys(opt.Failover))
	if slices.ContainsFunc(cfg.Volumes, func(v *schema.Volume) bool { return v.Every > 0 || v.ResyncSec > 0 }) {
		s.Options.Now = opt.Now
	}
	snap = world.Fit(cfg, snap)
	for _, pass := range p.Passes {
		for i := range pass.Sections {
			sec := &pass.Sections[i]
			s.Relies[sec.Key().String()] = factOf(findings(cfg, snap, sec.Key()))
		}
	}
	return s
}

// placed finds where a plan puts new volumes.
func placed(cfg *schema.Config, p *plan.Plan) map[string]Place {
	all := map[string]Place{}
	for _, step := range p.Steps() {
		var v lineage.Volume
		var at Place
		switch op := step.Op.(type) {
		case plan.LvolCreate:
			if h, ok := lineage.ParseHead(op.Name); ok && h.Volume.ID == lineage.Pending {
				v, at.Replicas = h.Volume, []lineage.Node{op.Node}
			}
		case plan.LvolRename:
			if h, ok := lineage.ParseHead(op.To); ok && h.Volume.ID == lineage.Pending && h.Mark == lineage.Primary {
				v, at.Engine = h.Volume, op.Node
			}
		case plan.RaidCreate:
			if r, ok := cfg.Cluster.ParseRaid(op.Raid); ok && r.ID == lineage.Pending {
				v, at.Engine = r, op.Node
			}
		default: // says nothing of where a volume goes
		}
		if v.Name == "" {
			continue
		}
		have := all[v.Name]
		have.Replicas = append(have.Replicas, at.Replicas...)
		have.Engine = cmp.Or(at.Engine, have.Engine)
		all[v.Name] = have
	}
	return all
}

// PlanConfig is the configuration with new volumes where the plan puts them: it
// must not put them elsewhere when it is made again.
func (s *Saved) PlanConfig() *schema.Config {
	cfg := *s.Config
	cfg.Volumes = slices.Clone(cfg.Volumes)
	for i, v := range cfg.Volumes {
		if at, new := s.Placed[v.Name]; new {
			v := *v
			v.Engine = cmp.Or(v.Engine, at.Engine)
			if len(at.Replicas) > 0 { // those of an adopted lvol's volume go where it says
				v.Replicas.On = at.Replicas
			}
			cfg.Volumes[i] = &v
		}
	}
	return &cfg
}

// PlanOptions are the options to make the plan again with.
func (s *Saved) PlanOptions() plan.Options {
	opt := plan.Options{AllowDestroy: plan.Grants{}, Authority: s.Options.Authority, Now: s.Options.Now, Wishes: s.Options.Wishes}
	for _, g := range s.Options.grants() {
		opt.AllowDestroy[g] = true
	}
	for _, volume := range s.Options.Failover {
		if opt.Failover == nil {
			opt.Failover = map[string]bool{}
		}
		opt.Failover[volume] = true
	}
	return opt
}

// Encode makes the bytes of the file.
func (s *Saved) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

// Digest tells saved plans apart by all that they say. How the file is indented
// does not count.
func (s *Saved) Digest() (string, error) {
	b, err := s.Encode()
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:]), err
}

// Shown is the plan as it is to be shown to whoever approves it.
func (s *Saved) Shown() (*plan.Outline, error) {
	digest, err := s.Digest()
	o := *s.Plan
	o.Digest, o.Allowed = digest, s.Options.words()
	o.Passes = slices.Clone(o.Passes)
	for i := range o.Passes {
		sections := slices.Clone(o.Passes[i].Sections)
		for j := range sections {
			sections[j].Stages = slices.Clone(sections[j].Stages)
			for k, stage := range sections[j].Stages {
				stage = slices.Clone(stage)
				for l := range stage {
					stage[l].Params = nil
				}
				sections[j].Stages[k] = stage
			}
		}
		o.Passes[i].Sections = sections
	}
	return &o, err
}

// grants are what AllowDestroy names, in its order.
func (o *SavedOptions) grants() []plan.Grant {
	var all []plan.Grant
	for _, name := range o.AllowDestroy {
		g, _ := plan.ParseGrant(name) // verify has seen them
		all = append(all, g)
	}
	return all
}

// words are the options as they are given to plan.
func (o *SavedOptions) words() []string {
	var all []string
	for _, g := range o.grants() {
		all = append(all, g.Flag())
	}
	for _, volume := range slices.Sorted(maps.Keys(o.Authority)) {
		all = append(all, fmt.Sprintf("--authority %s=%s", volume, o.Authority[volume]))
	}
	for _, volume := range o.Failover {
		all = append(all, "--failover "+volume)
	}
	if len(o.Wishes) > 0 {
		all = append(all, "rebalance")
	}
	return all
}

// Decode reads the bytes of a file. What the file says of its steps is held to
// their operations, and its configuration to the schema.
func Decode(b []byte) (*Saved, error) {
	var head struct {
		Format  string `json:"format"`
		Version string `json:"version"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		if begun := bytes.Contains(b[:min(len(b), 200)], []byte(`"`+formats)); begun {
			return nil, fmt.Errorf("this saved plan is not whole, or was changed: %d bytes, and %w; fetch it again, or make it anew with plan --out", len(b), err)
		}
		return nil, fmt.Errorf("this is no saved plan: %w", err)
	}
	switch {
	case head.Format == SavedFormat:
	case strings.HasPrefix(head.Format, formats):
		return nil, fmt.Errorf("another version of strata (%s) wrote this saved plan: its format is %q, and here it is %q; make it anew with plan --out", head.Version, head.Format, SavedFormat)
	default:
		return nil, fmt.Errorf("this is no saved plan: its format is %q, not %q", head.Format, SavedFormat)
	}
	s := &Saved{}
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("this saved plan cannot be read: %w", err)
	}
	if err := s.verify(); err != nil {
		return nil, fmt.Errorf("this saved plan is not what plan --out has written: %w; make it anew", err)
	}
	return s, nil
}
