package recipe

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"strata/plan"
	"strata/plan/plantest"
	"strata/schema"
	"strata/state"
	"strata/state/worldtest"
)

// use is what a plan says of an incarnation that it serves.
var use = regexp.MustCompile(`lab[:.]db\.aaaa|to db\.aaaa#\S+: (current|sealed)`)

// An incarnation that was left behind is never served again by itself: whatever
// nodes had heads of it and of the one in use, and whichever of them can be read
// after all targets have restarted.
func TestLeftBehindIsNotServed(t *testing.T) {
	t.Chdir(t.TempDir())
	nodes := []string{"n1", "n2", "n3", "n4"}
	for _, old := range []string{
		"n3#2.1p", "n3#1.1s", "n3#4.1", "n1#2.1p", "n3#2.3", "n3#2.2p n4#2.2", "n2#2.2 n3#2.2p", "n3#3.2s n4#3.2s",
		"n1#5.3p n3#5.3 n4#5.3", "n2#2.3 n3#2.3p n4#2.3", "n3#4x n4#5.1p", "n3#3x n3#5.1p", "n2#5x n3#5x n4#5x",
	} {
		for replicas := 1; replicas <= 3; replicas++ {
			made := lab(t, replicas, nodes[:replicas]...)
			cfg := lab(t, replicas, nodes...)
			w := carryOut(t, made, disks(nodes), plan.Options{Nonce: []byte("x")})
			w = carryOut(t, cfg, w+heads(old), plan.Options{})
			for away := range 1 << len(nodes) {
				world := restarted(w, nodes, away)
				p, _ := planned(t, cfg, world, plan.Options{})
				if found := use.FindString(plantest.Text(p)); found != "" {
					t.Errorf("%s beside %d replicas in use: %q in\n%s\n%s", old, replicas, found, world, plantest.Text(p))
				}
				if away == 0 && !strings.Contains(plantest.Text(p), "listen for nqn.2026-01.io.strata:lab:db.") {
					t.Errorf("%s beside %d replicas in use: not served\n%s", old, replicas, plantest.Text(p))
				}
			}
		}
	}
}

// lab is a configuration of those nodes and one volume.
func lab(t *testing.T, replicas int, nodes ...string) *schema.Config {
	t.Helper()
	text := "cluster: \"lab\"\n"
	for i, n := range nodes {
		text += fmt.Sprintf("nodes: %s: {rpc: \"unix:///run/%s.sock\", address: \"10.0.0.%d\", pools: fast: {aio: \"/dev/%s\"}}\n", n, n, i+1, n)
	}
	return plantest.Config(t, text+fmt.Sprintf("volumes: db: {size: 64Mi, replicas: %d, export: nvmf: hosts: \"any\"}\n", replicas))
}

// disks is the world of nodes that have empty pools.
func disks(nodes []string) (lines string) {
	for _, n := range nodes {
		lines += fmt.Sprintf("%s tcp\n%s disk /dev/%s lab.fast.disk claimed\n%s lvstore lab.fast lab.fast.disk 1Mi 1024\n", n, n, n, n)
	}
	return lines
}

// heads are those of an incarnation that is left behind.
func heads(list string) (lines string) {
	for i, h := range strings.Fields(list) {
		n, mark, _ := strings.Cut(h, "#")
		lines += fmt.Sprintf("%s lvol lab.fast/db.aaaa#%s old%d 64Mi 5\n", n, mark, i)
	}
	return lines
}

// planned is the plan for a world, and that world as it was read.
func planned(t *testing.T, cfg *schema.Config, world string, opt plan.Options) (*plan.Plan, *state.Snapshot) {
	t.Helper()
	snap := plantest.World(t, cfg.Cluster, world)
	p, err := Build(cfg, snap, opt)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range p.Blocked {
		if b.Hint == defect {
			t.Fatalf("%s: %s\n%s", b.About, b.Text, world)
		}
	}
	return p, snap
}

// carryOut is the world that a plan leaves.
func carryOut(t *testing.T, cfg *schema.Config, world string, opt plan.Options) string {
	t.Helper()
	p, snap := planned(t, cfg, world, opt)
	return worldtest.Write(carriedOut(t, cfg, snap, p, len(p.Steps())))
}

// restarted is what disks hold when their targets have started again; those of
// the nodes in the set away cannot be read.
func restarted(world string, nodes []string, away int) string {
	var lines []string
	for i, n := range nodes {
		if away&(1<<i) != 0 {
			lines = append(lines, n+" unread connection refused")
		}
	}
	for line := range strings.Lines(world) {
		f := strings.Fields(line)
		if i := slices.Index(nodes, f[0]); len(f) > 1 && away&(1<<i) == 0 && (f[1] == "disk" || f[1] == "lvstore" || f[1] == "lvol") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n") + "\n"
}
