package page

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/report"
	"strata/schema"
	"strata/view"
)

func TestTop(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	cfg := &schema.Config{Cluster: "lab"}
	for _, c := range []struct {
		is           view.View
		state, words string
	}{
		{view.View{}, "starting", "the nodes are looked at for the first time"},
		{view.View{Config: cfg, Leads: true, Working: true}, "starting", "the nodes are looked at for the first time"},
		{view.View{Config: cfg}, "standby", "standing by: another watch works, and knows what there is"},
		{view.View{Config: cfg, StandsBy: "standing by: no node answers"}, "standby", "standing by: no node answers"},
		{view.View{Config: cfg, Looked: at}, "standby", "standing by: another watch works, and knows what there is"},
		{view.View{Config: cfg, Leads: true, Looked: at, Converged: true}, "converged", "everything is as configured"},
		{view.View{Config: cfg, Leads: true, Looked: at, Converged: true, Broken: []string{"lab.cue:1:1"}}, "blocked", "everything is as the last good configuration says"},
		{view.View{Config: cfg, Leads: true, Looked: at, Converged: true, Working: true}, "working", "at work"},
		{view.View{Config: cfg, Leads: true, Looked: at, Working: true, Copies: make([]view.Copy, 2)}, "working", "2 layers being copied"},
		{view.View{Config: cfg, Leads: true, Looked: at, Failed: "locked"}, "failed", "nothing is done now: locked"},
		{view.View{Config: cfg, Leads: true, Looked: at, Blocked: make([]plan.Finding, 1), Troubles: make([]view.Trouble, 1)}, "blocked", "2 things not as configured"},
		{view.View{Config: cfg, Leads: true, Looked: at}, "blocked", "not everything is as configured"},
	} {
		if got := top(&c.is); got.State != c.state || got.Words != c.words {
			t.Errorf("%+v: %s, %q; want %s, %q", c.is, got.State, got.Words, c.state, c.words)
		}
	}
}

// TestMany draws what volumes are made of for so many only, those in trouble before all.
func TestMany(t *testing.T) {
	t.Parallel()
	v := &view.View{Config: &schema.Config{}, Report: &report.Report{}}
	for i := range wholeMost + 50 {
		is := report.Volume{Name: fmt.Sprintf("v%03d", i), Health: report.Healthy, Replicas: make([]report.Replica, 1)}
		if i == wholeMost+49 {
			is.Health = report.Down
		}
		v.Report.Volumes = append(v.Report.Volumes, is)
	}
	d := dataOf(v, "v1.2.3", nil)
	if d.Rest != 50 || d.Volumes[0].Name != "v149" || d.Volumes[0].Brief || len(d.Volumes[0].Replicas) != 1 {
		t.Errorf("%d, %+v", d.Rest, d.Volumes[0])
	}
	if last := d.Volumes[len(d.Volumes)-1]; !last.Brief || last.Replicas != nil {
		t.Errorf("%+v", last)
	}
	if d := dataOf(v, "v1.2.3", []string{"v140", "v149"}); len(d.Volumes) != 2 || d.Rest != 0 || d.Volumes[1].Brief {
		t.Errorf("of two: %+v", d.Volumes)
	}
}

// TestWholes shows what is laid out before its parts, and the parts of one that is asked for.
func TestWholes(t *testing.T) {
	t.Parallel()
	v := &view.View{Config: &schema.Config{}, Report: &report.Report{
		Wholes: []report.Whole{
			{Name: "a", Health: report.Healthy, Parts: []report.Part{{Name: "a.0"}, {Name: "a.1"}}},
			{Name: "b", Health: report.Down, Layout: "linear", Size: 24 << 20, Parts: []report.Part{{Name: "b.0", Size: 24 << 20}}, Exports: []report.Export{{Node: "n1", Kind: "nvmf", Where: "nqn.b", Hosts: []report.Host{{NQN: "nqn.host"}}}}},
		},
		Volumes: []report.Volume{{Name: "a.0", Health: report.Healthy}, {Name: "a.1", Health: report.Healthy}, {Name: "b.0", Health: report.Down}, {Name: "other", Health: report.Healthy}},
	}}
	if d := dataOf(v, "v1.2.3", nil); len(d.Wholes) != 2 || d.Wholes[0].Name != "b" || len(d.Volumes) != 4 || !slices.Equal(d.Top.Volumes, []Count{{"healthy", 2}, {"down", 1}}) {
		t.Errorf("%+v, of them %v", d.Wholes, d.Top.Volumes)
	}
	d := dataOf(v, "v1.2.3", []string{"b"})
	if len(d.Wholes) != 1 || len(d.Volumes) != 1 || d.Volumes[0].Name != "b.0" || d.Asked[0] != "b" || len(d.Asked) != 1 {
		t.Errorf("of one: %+v, %+v", d.Wholes, d.Volumes)
	}
	var out strings.Builder
	if err := New(nil, "v1.2.3", nil).parts.ExecuteTemplate(&out, "whole", &d.Wholes[0]); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"24Mi, linear, 1 part", "nqn.host", `href="/?volume=b.0"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	cfg := &schema.Config{Volumes: []*schema.Volume{
		{Name: "any", Replicas: schema.Replicas{Count: 3}}, {Name: "on", Replicas: schema.Replicas{On: []lineage.Node{"n1", "n2", "n3", "n4"}}},
	}}
	v := &view.View{Config: cfg, Nodes: map[lineage.Node]view.Node{"n1": {Heard: true}, "n2": {Silent: "gone"}, "n3": {HeldDown: true, Heard: true}, "n4": {Heard: true}}}
	of := func(name string, h report.Health, wanted int, on ...lineage.Node) []Missing {
		is := report.Volume{Name: name, Health: h, Wanted: wanted}
		for _, n := range on {
			is.Replicas = append(is.Replicas, report.Replica{Node: n})
		}
		return missing(v, &is)
	}
	for _, c := range []struct {
		what      string
		got, want []Missing
	}{
		{"on", of("on", report.Degraded, 4, "n1"), []Missing{{"n2", "the node does not answer"}, {"n3", "the node is held down"}, {"n4", "no replica was found"}}},
		{"all", of("on", report.Healthy, 4, "n1", "n2", "n3", "n4"), nil},
		{"any", of("any", report.Degraded, 3, "n1", "n1"), []Missing{{"", "2 replicas more wanted"}}},
		{"absent", of("any", report.Absent, 3), nil},
		{"of no configuration", of("other", report.Orphaned, 0, "n1"), nil},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %+v", c.what, c.got)
		}
	}
}

func TestBoxes(t *testing.T) {
	t.Parallel()
	stack := []report.Layer{{Name: "db.k3f7@3.base", Kind: "snapshot", Allocated: 3 << 30, Above: []report.Layer{
		{Name: "db.k3f7@4.~join", Kind: "own", Above: []report.Layer{{Name: "db.k3f7#5.2.4p", Kind: "head", Allocated: 5 << 20}}},
		{Name: "db.k3f7+6", Kind: "staging", Allocated: 1 << 20, Partial: true},
		{Name: "web.aaaa#2.1p", Kind: "clone"},
	}}}
	var lines []string
	var list func(indent string, all []Box)
	list = func(indent string, all []Box) {
		for _, b := range all {
			lines = append(lines, fmt.Sprintf("%s%s: %s (%d)", indent, b.Name, b.Text, b.Height))
			list(indent+" ", b.Above)
		}
	}
	list("", boxes(stack))
	const want = `@3.base: 3Gi of its own (4)
 @4.~join: 0 B of its own, strata's (0)
  head #5.2.4p: 5Mi written (1)
 +6: 1Mi so far, staging, left over (0)
 web.aaaa#2.1p: 0 B of its own, a clone (0)`
	if got := strings.Join(lines, "\n"); got != want {
		t.Error(got)
	}
}
