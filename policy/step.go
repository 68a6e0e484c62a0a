package policy

import (
	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// Step is a step as rules see it; policy.cue says what the fields are.
type Step struct {
	Number     int               `json:"number"`
	Pass       int               `json:"pass"`
	Section    string            `json:"section"`
	Kind       plan.Kind         `json:"kind"`
	Node       lineage.Node      `json:"node"`
	Volume     string            `json:"volume,omitempty"`
	Labels     map[string]string `json:"labels"`
	NodeLabels map[string]string `json:"nodeLabels"`
	Op         string            `json:"op"`
	Text       string            `json:"text"`
	Risk       plan.Risk         `json:"risk"`
	Reason     string            `json:"reason"`
	At         string            `json:"at,omitempty"`
	Bytes      int64             `json:"bytes"`
	Held       bool              `json:"held"`
	Holds      bool              `json:"holds"`
	Copies     *int              `json:"copies,omitempty"`
	ID         string            `json:"id"`

	done bool
}

// Steps are the steps of a plan, in order.
func Steps(o *plan.Outline) []Step {
	var all []Step
	for i, pass := range o.Passes {
		for _, sec := range pass.Sections {
			for _, stage := range sec.Stages {
				for _, s := range stage {
					all = append(all, step(s, i+1, sec.Key, sec.Kind, o.Labels.Volumes[s.Volume], o.Labels.Nodes[s.Node]))
				}
			}
		}
	}
	return all
}

// StepOf is a step of a section of a pass that is carried out.
func StepOf(cfg *schema.Config, pass int, section plan.Key, s plan.OutlineStep) Step {
	volume, node := labelsOf(cfg, s.Volume, s.Node)
	return step(s, pass, section.String(), section.Kind, volume, node)
}

func step(s plan.OutlineStep, pass int, section string, kind plan.Kind, volume, node map[string]string) Step {
	return Step{
		Number: s.Number, Pass: pass, Section: section, Kind: kind, Node: s.Node, Volume: s.Volume,
		Labels: labels(volume), NodeLabels: labels(node),
		Op: s.Op, Text: s.Text, Risk: s.Risk, Reason: s.Reason, At: s.At, Bytes: s.Bytes,
		Held: s.Held, Holds: s.Holds, Copies: s.Copies, ID: s.ID,
	}
}

func labels(l map[string]string) map[string]string {
	if l == nil {
		return map[string]string{}
	}
	return l
}

// total is what some steps come to.
type total struct {
	Steps     int               `json:"steps"`
	Risks     map[plan.Risk]int `json:"risks"`
	Pauses    int               `json:"pauses"`
	CopyBytes int64             `json:"copyBytes"`
	Volumes   int               `json:"volumes"`
	Nodes     int               `json:"nodes"`
}

func sum(steps []*Step) total {
	t := total{Risks: map[plan.Risk]int{}}
	for _, r := range plan.Risks {
		t.Risks[r] = 0
	}
	volumes, nodes := map[string]bool{}, map[lineage.Node]bool{}
	for _, s := range steps {
		t.Steps++
		t.Risks[s.Risk]++
		t.CopyBytes += s.Bytes
		if s.Holds {
			t.Pauses++
		}
		if s.Volume != "" {
			volumes[s.Volume] = true
		}
		nodes[s.Node] = true
	}
	t.Volumes, t.Nodes = len(volumes), len(nodes)
	return t
}
