package recipe

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/plan/plantest"
	"strata/schema"
	"strata/state"
)

// crowded is a cluster of ten nodes of which each volume has two replicas, one on n01. drain is
// the configuration in which that is drained.
func crowded(t *testing.T, volumes int) (drain *schema.Config, snap *state.Snapshot) {
	var nodes, pinned, free strings.Builder
	nodes.WriteString("cluster: \"lab\"\n")
	for n := 1; n <= 10; n++ {
		fmt.Fprintf(&nodes, "nodes: n%02d: {rpc: \"unix:///n%d\", address: \"10.0.0.%d\", rebuild: {parallel: 2, bandwidth: 10Mi}, pools: fast: {malloc: 100Gi, format: true, clusterSize: 1Mi}}\n", n, n, n)
	}
	for i := range volumes {
		fmt.Fprintf(&pinned, "volumes: v%03d: {size: 64Mi, export: nvmf: {hosts: \"any\", standby: 1}, replicas: on: [\"n01\", \"n%02d\"]}\n", i, 2+i%9)
		fmt.Fprintf(&free, "volumes: v%03d: {size: 64Mi, export: nvmf: {hosts: \"any\", standby: 1}, replicas: 2}\n", i)
	}
	cfg := plantest.Config(t, nodes.String()+pinned.String())
	var empty []*state.Node
	for _, n := range cfg.Nodes {
		empty = append(empty, freshTarget(n.Name, false))
	}
	snap = built(t, cfg, state.New(cfg.Cluster, empty...), plan.Options{Nonce: []byte("x")})
	for _, n := range snap.Nodes {
		for _, l := range n.Lvols {
			if _, head := l.Parsed.(lineage.Head); head {
				l.Allocated = 10
			}
		}
	}
	return plantest.Config(t, nodes.String()+"nodes: n01: maintenance: \"drain\"\n"+free.String()), snap
}

// TestDrainOfMany: draining a node of 200 volumes is one plan. It says of each what is copied
// from where to where, when, and how many replicas are current meanwhile; nothing is copied but
// what is on the node.
func TestDrainOfMany(t *testing.T) {
	cfg, snap := crowded(t, 200)
	start := time.Now()
	p, err := Build(cfg, snap, plan.Options{Nonce: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d steps in %v", len(p.Steps()), time.Since(start))
	var bytes, last int64
	to := map[lineage.Node]int64{}
	replicas := 0
	for _, m := range p.Moves {
		if m.Engine {
			continue
		}
		replicas++
		bytes += m.Bytes
		to[m.To] += m.Bytes
		if m.From != "n01" || m.Bytes != 10<<20 || m.Copies != 2 || m.Why != "n01 is being drained" || m.Ends-m.Begins != 1 || m.Ends != to[m.To]/(10<<20) {
			t.Errorf("%+v", m)
		}
		last = max(last, m.Ends)
	}
	if replicas != 200 || bytes != 200*10<<20 || bytesIn(p.Steps()) != bytes || len(p.Blocked) > 0 {
		t.Errorf("%d replicas, %d bytes, %d in steps; %v", replicas, bytes, bytesIn(p.Steps()), p.Blocked)
	}
	for n := 2; n <= 10; n++ {
		if got := to[lineage.Node(fmt.Sprintf("n%02d", n))] / (10 << 20); got < 20 || got > 25 {
			t.Errorf("n%02d gets %d of 200, and even would be 22", n, got)
		}
	}
	if last < 200/9 || last > 25 {
		t.Errorf("nine nodes that take 10 MiB a second are done after %d s", last)
	}
	for _, s := range p.Steps() {
		if s.Copies >= 0 && s.Copies < 2 {
			t.Errorf("step %d leaves %d current replicas", s.Number, s.Copies)
		}
	}
}
