//go:build bench

package bench

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"strata/plan"
	"strata/plan/plantest"
	"strata/plan/recipe"
)

// drained are a configuration of 10 nodes, of which the first is to be emptied, and what was
// read of them: it serves so many volumes, and has a replica of each. The others have as
// many of the other replicas each.
func drained(volumes int) (config, world string) {
	const nodes = 10
	var conf strings.Builder
	at := make([]strings.Builder, nodes)
	fmt.Fprint(&conf, "cluster: \"lab\"\n")
	for i := range nodes {
		n := i + 1
		fmt.Fprintf(&conf, "nodes: n%d: {rpc: \"unix:///run/n%[1]d.sock\", address: \"10.0.0.%[1]d\", pools: fast: {aio: \"/dev/n%[1]d\", format: true}}\n", n)
		fmt.Fprintf(&at[i], "n%d tcp\nn%[1]d disk /dev/n%[1]d lab.fast.disk claimed\nn%[1]d lvstore lab.fast lab.fast.disk 1Mi 1048576\n", n)
		if n == 1 {
			continue
		}
		link := fmt.Sprintf("nqn.2026-01.io.strata:lab:n%d:n1", n)
		fmt.Fprintf(&at[i], "n%d subsystem %s host=nqn.2026-01.io.strata:lab:n1\nn%[1]d listen %[2]s 10.0.0.%[1]d 4420\n", n, link)
		fmt.Fprintf(&at[0], "n1 controller lab.n%d %s enabled 10.0.0.%[1]d 4420\n", n, link)
	}
	fmt.Fprint(&conf, "nodes: n1: maintenance: \"drain\"\n")
	for v := range volumes {
		i := 1 + v%(nodes-1)
		name, nsid := fmt.Sprintf("v%03d", v), 10+v
		fmt.Fprintf(&conf, "volumes: %s: {size: 1Gi, replicas: 2, export: nvmf: {hosts: \"any\", standby: 1}}\n", name)
		fmt.Fprintf(&at[0], "n1 lvol lab.fast/%s.k3f7#2.2p a%d 1Gi 700\nn1 remote lab.n%dn%d b%[2]d 1Gi\nn1 raid lab.%[1]s.k3f7 online a%[2]d b%[2]d\n", name, v, i+1, nsid)
		fmt.Fprintf(&at[0], "n1 subsystem nqn.2026-01.io.strata:lab:%s.k3f7 any\nn1 namespace nqn.2026-01.io.strata:lab:%[1]s.k3f7 1 lab.%[1]s.k3f7\nn1 listen nqn.2026-01.io.strata:lab:%[1]s.k3f7 10.0.0.1 4420\n", name)
		fmt.Fprintf(&at[i], "n%d lvol lab.fast/%s.k3f7#2.2 b%d 1Gi 700\nn%[1]d namespace nqn.2026-01.io.strata:lab:n%[1]d:n1 %[4]d b%[3]d\n", i+1, name, v, nsid)
	}
	for i := range at {
		world += at[i].String()
	}
	return conf.String(), world
}

// TestDrain measures the plan that empties a node of 200 volumes, one of ten: all of it, with
// every step until the last replica has gone. Half a second of CPU time is promised.
func TestDrain(t *testing.T) {
	const volumes, promised = 200, 500 * time.Millisecond
	conf, text := drained(volumes)
	cfg, snap := plantest.Config(t, conf), plantest.World(t, "lab", text)
	var took []time.Duration
	for range 5 {
		start := cpu()
		p, err := recipe.Build(cfg, snap, plan.Options{})
		took = append(took, cpu()-start)
		if err != nil {
			t.Fatal(err)
		}
		if moved := len(p.Moves); moved < volumes || len(p.Blocked) > 0 {
			t.Fatalf("%d replicas and engines move, of %d volumes; not done: %v", moved, volumes, p.Blocked)
		}
	}
	figure(t, "plan of a drain / 0.5 s", ratio(median(took), promised), 1, "CPU time of planning to drain a node of %d volumes, one of 10 nodes, %v, against half a second", volumes, median(took))
}
