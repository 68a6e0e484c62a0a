package watch

import (
	"testing"
	"testing/synctest"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// TestDueMeanwhile has times come while the watch takes another event: they have come all
// the same, and are not put off until the next look.
func TestDueMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cases := map[string]func(h *hub, at time.Time){
			"a section": func(h *hub, at time.Time) {
				h.trouble[plan.NodeKey("n1")] = &trouble{until: at}
			},
			"a node": func(h *hub, at time.Time) {
				h.cfg.ReplaceAfterSec = 60
				h.nodes["n1"] = &node{silent: true, since: at.Add(-time.Minute)}
			},
			"a snapshot": func(h *hub, at time.Time) {
				h.periods = periods(&schema.Config{Volumes: []*schema.Volume{{Every: at.Unix()}, {}}})
			},
			"layers to compare": func(h *hub, at time.Time) {
				n := &state.Node{Lvols: map[string]*state.Lvol{"x": {Name: lineage.Scrubbed{Volume: lineage.Volume{Name: "db", ID: "k3f7"}, Whole: at.Unix() - 3600}.Lvol()}}}
				h.scrubs = scrubs(&schema.Config{Volumes: []*schema.Volume{{Name: "db", Scrub: &schema.Scrub{Every: 3600}}, {Name: "logs", Scrub: &schema.Scrub{Every: 3600}}}},
					&state.Snapshot{Nodes: map[lineage.Node]*state.Node{"n1": n}})
			},
		}
		for what, add := range cases {
			h := &hub{
				opt: Options{Every: time.Hour}, cfg: &schema.Config{ReplaceAfterSec: 3600}, looked: time.Now(), checked: time.Now(),
				nodes: map[lineage.Node]*node{}, reasons: map[string]bool{}, trouble: troubles{},
			}
			add(h, time.Now().Add(10*time.Second).Truncate(time.Second))
			if at := h.due(time.Now()); time.Until(at) > 10*time.Second {
				t.Errorf("%s is due in %v", what, time.Until(at))
			}
			time.Sleep(11 * time.Second)
			if at := h.due(time.Now()); time.Until(at) > 0 {
				t.Errorf("%s came due while something else was taken, and is looked at in %v", what, time.Until(at))
			}
			if h.come(time.Now()); len(h.reasons) != 1 {
				t.Errorf("%s: %v", what, h.reasons)
			}
			h.reasons = map[string]bool{}
			h.looked = time.Now()
			if at := h.due(time.Now()); time.Until(at) <= 0 {
				t.Errorf("%s is due again", what)
			}
		}
	})
}
