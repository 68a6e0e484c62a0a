package watch

import (
	"testing"
	"time"

	"strata/lineage"
	"strata/schema"
)

// suspending is a configuration that suspends n2 for as long.
func suspending(cfg *schema.Config, d time.Duration) *schema.Config {
	out := *cfg
	out.Nodes = nil
	for _, n := range cfg.Nodes {
		conf := *n
		if n.Name == "n2" {
			conf.Suspend = &schema.Suspend{ForSec: int64(d / time.Second)}
		}
		out.Nodes = append(out.Nodes, &conf)
	}
	return &out
}

// TestSuspended has a replica's node away for longer than patience and replaceAfter
// are, while it is suspended: it is neither let go of nor made up for. An edit of
// something else does not have it be counted anew. When the word goes it is waited for
// from then on.
func TestSuspended(t *testing.T) {
	waitingTest(t, `{db: {size: 4Mi, replicas: on: ["n1", "n2"], engine: "n1", export: nvmf: hosts: "any"}}`, func(t *testing.T, w *waiting) {
		cfg := w.cfg
		w.edit(suspending(cfg, time.Hour))
		from := time.Now()
		events := w.after(2 * time.Second)
		if told := of[Suspended](events); len(told) != 1 || told[0].Node != "n2" || told[0].Until.Sub(from).Round(2*time.Second) != time.Hour {
			t.Fatalf("told: %v", told)
		}
		w.cluster.Target("n2").Stop()
		wrote := w.host()
		events = w.after(50 * time.Minute)
		w.edit(suspending(cfg, time.Hour))
		events = append(events, w.after(5*time.Minute)...)
		if calls := w.did("", append(letGo, "bdev_lvol_create")...); len(calls) > 0 {
			t.Errorf("called while it is suspended: %v", calls)
		}
		if told := of[Suspended](events); len(told) > 0 {
			t.Errorf("it is counted anew: %v", told)
		}
		w.edit(cfg)
		events = w.after(patient - 2*time.Second)
		if told := of[Unsuspended](events); len(told) != 1 || told[0].After.Round(time.Minute) != 55*time.Minute {
			t.Errorf("told: %v", told)
		}
		if calls := w.did("", letGo...); len(calls) > 0 {
			t.Errorf("called although it is waited for: %v", calls)
		}
		w.restart("n2")
		w.mustConverge(20 * time.Second)
		wrote()
		if calls := w.did("", append(letGo, "bdev_lvol_start_shallow_copy")...); len(calls) > 0 {
			t.Errorf("called although it is back in time: %v", calls)
		}
	})
}

// TestSuspendedForTooLong: when it has been suspended for as long as it may, the node is
// as any other. One that is away is let go of at once; that is told once.
func TestSuspendedForTooLong(t *testing.T) {
	waitingTest(t, `{db: {size: 4Mi, replicas: on: ["n1", "n2"], engine: "n1", export: nvmf: hosts: "any"}}`, func(t *testing.T, w *waiting) {
		cfg := w.cfg
		w.edit(suspending(cfg, 10*time.Minute))
		w.after(2 * time.Second)
		w.cluster.Target("n2").Stop()
		wrote := w.host()
		w.after(9*time.Minute + 50*time.Second)
		if calls := w.did("", letGo...); len(calls) > 0 {
			t.Errorf("called while it is suspended: %v", calls)
		}
		events := w.after(15 * time.Second)
		if told := of[SuspensionOver](events); len(told) != 1 || told[0].Node != "n2" || told[0].For != 10*time.Minute {
			t.Errorf("told: %v", told)
		}
		if h := w.heads()[lineage.Node("n1")]; h.Legs != 1 || h.Epoch != 3 {
			t.Errorf("head: %v", h)
		}
		wrote()
		w.edit(suspending(cfg, 10*time.Minute))
		if told := of[SuspensionOver](w.after(time.Minute)); len(told) > 0 {
			t.Errorf("told again: %v", told)
		}
	})
}
