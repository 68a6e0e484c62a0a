//go:build bench

package bench

import (
	"context"
	"strings"
	"testing"
	"time"

	"strata/plan"
	"strata/plan/recipe"
	"strata/schema"
	"strata/state"
)

// TestRefresh measures a plan that finds nothing to do, on 100 nodes: strata's
// own CPU time and peak memory, where the time goes, and the round trips.
func TestRefresh(t *testing.T) {
	var small, smallApply time.Duration
	for _, c := range []struct {
		volumes int
		limit   time.Duration
	}{{1_000, 500 * time.Millisecond}, {10_000, 4 * time.Second}} {
		l := newLab(t, 100)
		l.configure(c.volumes, 3)
		made := l.run("apply", "--auto-approve")
		t.Logf("%5d volumes × 3: applied in %v (CPU %v): %s", c.volumes, made.wall, made.cpu, tail(made.out))
		if smallApply == 0 {
			smallApply = made.cpu
		} else if made.cpu > 20*smallApply {
			t.Errorf("applying ten times the volumes took %.1f times the CPU", float64(made.cpu)/float64(smallApply))
		}
		best := l.run("plan", "--detailed-exitcode")
		for range 2 {
			if u := l.run("plan", "--detailed-exitcode"); u.cpu < best.cpu {
				best = u
			}
		}
		t.Logf("%5d volumes × 3: no-change plan: CPU %v, wall %v, peak %d MiB", c.volumes, best.cpu, best.wall, best.peak>>20)
		if !strings.Contains(best.out, "Nothing to do.") || best.cpu > c.limit || best.peak > 1<<30 {
			t.Errorf("promised: nothing to do, CPU under %v, peak under 1024 MiB", c.limit)
		}
		if small == 0 {
			small = best.cpu
		} else {
			t.Logf("ten times the volumes took %.1f times the CPU", float64(best.cpu)/float64(small))
		}
		breakdown(t, l, c.volumes)
	}
}

// breakdown measures the three parts of a plan in this process.
func breakdown(t *testing.T, l *lab, volumes int) {
	before := cpu()
	if _, err := schema.Load([]string{l.file}, nil); err != nil {
		t.Fatal(err)
	}
	loading := cpu() - before
	cfg, targets := l.load()
	state.Read(context.Background(), cfg.Cluster, targets)
	rounds := targets[cfg.Nodes[0].Name].Rounds()
	before = cpu()
	snap := state.Read(context.Background(), cfg.Cluster, targets)
	reading := cpu() - before
	again := targets[cfg.Nodes[0].Name].Rounds() - rounds
	before = cpu()
	if _, err := recipe.Build(cfg, snap, plan.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Logf("%5d volumes × 3: CUE %v, reading %v, planning %v; round trips a node: %d the first time, %d for a refresh",
		volumes, loading, reading, cpu()-before, rounds, again)
	if again != 3 {
		t.Errorf("a refresh took %d round trips a node, promised: 3", again)
	}
}
