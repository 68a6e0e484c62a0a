package plan

import (
	"encoding/json"
	"fmt"
	"strings"

	"strata/lineage"
	"strata/schema"
)

// OutlineFormat is the version of the form of an Outline. Fields may be added
// within a version; none is renamed, removed or given another meaning.
const OutlineFormat = 1

// Outline is a plan as data for people and machines: everything is said, and
// nothing can be carried out.
type Outline struct {
	Format  int             `json:"format"`
	Cluster lineage.Cluster `json:"cluster"`
	Summary string          `json:"summary"`
	Totals  Totals          `json:"totals"`
	Labels  Labels          `json:"labels"`
	Passes  []OutlinePass   `json:"passes"`
	Blocked []Remark        `json:"blocked"`
	Notes   []Remark        `json:"notes"`
	// Violations are the rules of a policy that the plan breaks, once it was
	// held to one.
	Violations []Violation    `json:"violations,omitempty"`
	Moves      []Move         `json:"moves,omitempty"`
	Places     []OutlinePlace `json:"places,omitempty"`
	Seats      []Seat         `json:"seats,omitempty"`
	// Allowed is what the operator allowed beyond the configuration, and Digest
	// that of the file, where a saved plan is shown.
	Allowed []string `json:"allowed,omitempty"`
	Digest  string   `json:"digest,omitempty"`
	// AllSteps is set where the forms for people are to list every step, of passes
	// that are alike, too. As data a plan always has all.
	AllSteps bool `json:"-"`
}

// OutlinePass is a Pass.
type OutlinePass struct {
	Assumes  []string         `json:"assumes,omitempty"` // disks that are taken for blank
	Sections []OutlineSection `json:"sections"`
}

// OutlineSection is a Section.
type OutlineSection struct {
	Key    string          `json:"key"` // kind and name: "volume db"
	Kind   Kind            `json:"kind"`
	Name   string          `json:"name"`
	After  []string        `json:"after,omitempty"`
	Stages [][]OutlineStep `json:"stages"`
}

// OutlineStep is a Step in words.
type OutlineStep struct {
	Number int          `json:"number"`
	ID     string       `json:"id"` // see Step.ID
	Node   lineage.Node `json:"node"`
	Volume string       `json:"volume,omitempty"` // that the step concerns
	Op     string       `json:"op"`               // LvolCreate, RaidCreate…
	Text   string       `json:"text"`
	Risk   Risk         `json:"risk"`
	Reason string       `json:"reason"`
	At     string       `json:"at,omitempty"` // file:line:column
	Bytes  int64        `json:"bytes,omitempty"`
	Held   bool         `json:"held,omitempty"`  // hosts wait while it is carried out
	Holds  bool         `json:"holds,omitempty"` // they begin to with it
	// Copies is the number of complete current copies of the section's volume
	// after the step; nil where no volume is concerned.
	Copies *int `json:"copies,omitempty"`
	// Params are those of the operation, in a saved plan's file.
	Params json.RawMessage `json:"params,omitempty"`
}

// Remark is a Finding.
type Remark struct {
	About string `json:"about"`
	Text  string `json:"text"`
	Hint  string `json:"hint,omitempty"`
	At    string `json:"at,omitempty"`
}

// OutlinePlace is a Placement.
type OutlinePlace struct {
	Volume string          `json:"volume"`
	Chosen []OutlineChoice `json:"chosen"`
	Others []OutlineChoice `json:"others,omitempty"`
}

// OutlineChoice is a Choice.
type OutlineChoice struct {
	Node    lineage.Node `json:"node"`
	Lvstore string       `json:"lvstore,omitempty"`
	Why     string       `json:"why"`
}

// Outline puts the plan into words.
func (p *Plan) Outline(c lineage.Cluster) *Outline {
	o := &Outline{
		Format: OutlineFormat, Cluster: c, Summary: p.Summary(), Totals: p.Totals(), Labels: p.Labels,
		Passes: []OutlinePass{}, Blocked: Remarks(p.Blocked), Notes: Remarks(p.Notes), Moves: p.Moves, Seats: p.Seats,
	}
	for _, pass := range p.Passes {
		op := OutlinePass{Assumes: pass.Assumes}
		for i := range pass.Sections {
			op.Sections = append(op.Sections, o.section(&pass.Sections[i]))
		}
		o.Passes = append(o.Passes, op)
	}
	for _, place := range p.Places {
		o.Places = append(o.Places, OutlinePlace{place.Volume, choices(place.Chosen), choices(place.Others)})
	}
	return o
}

func (o *Outline) section(s *Section) OutlineSection {
	out := OutlineSection{Key: s.Key().String(), Kind: s.Kind, Name: s.Name}
	for _, key := range s.After {
		out.After = append(out.After, key.String())
	}
	for _, stage := range s.Stages {
		var steps []OutlineStep
		for _, step := range stage {
			steps = append(steps, step.Outline(o.Cluster, s.Key()))
		}
		out.Stages = append(out.Stages, steps)
	}
	return out
}

// Outline puts a step of a section into words.
func (s Step) Outline(c lineage.Cluster, section Key) OutlineStep {
	out := OutlineStep{
		Number: s.Number, ID: s.ID(c, nil), Node: s.Op.On(), Volume: concern(c, section, s.Op), Op: opName(s.Op), Text: s.Op.Words(),
		Risk: s.Risk, Reason: s.Reason, At: position(s.Pos), Bytes: s.Bytes, Held: s.HostsWait, Holds: s.HoldBegins,
	}
	if s.Copies >= 0 {
		out.Copies = &s.Copies
	}
	return out
}

// Remarks puts findings into words.
func Remarks(list []Finding) []Remark {
	out := []Remark{}
	for _, f := range list {
		out = append(out, Remark{f.About, f.Text, f.Hint, position(f.Pos)})
	}
	return out
}

func choices(list []Choice) []OutlineChoice {
	out := []OutlineChoice{}
	for _, c := range list {
		out = append(out, OutlineChoice(c))
	}
	return out
}

func position(p schema.Pos) string {
	if p.File == "" {
		return ""
	}
	return p.String()
}

func opName(op Op) string { return strings.TrimPrefix(fmt.Sprintf("%T", op), "plan.") }
