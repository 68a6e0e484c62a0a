package recipe

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/plan/plantest"
	"strata/schema"
	"strata/state"
)

// unequal is a cluster to which nodes have come that are empty: of four nodes two have all
// replicas. Each volume has a layer, so that what is copied is copied in several passes.
func unequal(t *testing.T, volumes int) (*schema.Config, *state.Snapshot) {
	var nodes, pinned, free strings.Builder
	nodes.WriteString("cluster: \"lab\"\n")
	for n := 1; n <= 4; n++ {
		fmt.Fprintf(&nodes, "nodes: n%d: {rpc: \"unix:///n%d\", address: \"10.0.0.%d\", rebuild: {parallel: 2, bandwidth: 10Mi}, pools: fast: {malloc: 1Gi, format: true, clusterSize: 1Mi}}\n", n, n, n)
	}
	for i := range volumes {
		name := fmt.Sprintf("v%d", i)
		export, replicas := "export: nvmf: {hosts: \"any\", standby: 3}, ", 2
		if i%3 == 2 {
			export, replicas = "", 1
		}
		on := []string{`["n1", "n2"]`, `["n1"]`}[2-replicas]
		fmt.Fprintf(&pinned, "volumes: %s: {size: 256Mi, %sreplicas: on: %s, snapshots: [\"s1\"]}\n", name, export, on)
		fmt.Fprintf(&free, "volumes: %s: {size: 256Mi, %sreplicas: %d, snapshots: [\"s1\"]}\n", name, export, replicas)
	}
	opt := plan.Options{Nonce: []byte("x")}
	cfg := plantest.Config(t, nodes.String()+pinned.String())
	var empty []*state.Node
	for _, n := range cfg.Nodes {
		empty = append(empty, freshTarget(n.Name, false))
	}
	snap := built(t, cfg, state.New(cfg.Cluster, empty...), opt)
	size := 0
	for _, name := range snap.Volumes() {
		size++
		for _, id := range snap.Incarnations(name) {
			inc := snap.Incarnation(cfg.Cluster, id)
			for _, h := range inc.Heads {
				h.Lvol.Allocated = int64(10 + 7*size)
			}
			for _, o := range inc.Others {
				o.Lvol.Allocated = int64(5 + 3*size)
			}
		}
	}
	return plantest.Config(t, nodes.String()+free.String()), counted(snap)
}

// counted has targets say how much is free in pools of 1 GiB.
func counted(snap *state.Snapshot) *state.Snapshot {
	snap = snap.Clone()
	for name := range snap.Nodes {
		n := snap.Nodes[name].Clone()
		snap.Nodes[name] = n
		for name, lvs := range n.Lvstores {
			lvs.TotalClusters, lvs.ClusterSize = 1024, 1<<20
			lvs.FreeClusters = lvs.TotalClusters - n.Space(name).Used>>20
		}
	}
	return snap
}

// built is what a plan leaves.
func built(t *testing.T, cfg *schema.Config, snap *state.Snapshot, opt plan.Options) *state.Snapshot {
	t.Helper()
	p, err := Build(cfg, snap, opt)
	if err != nil {
		t.Fatal(err)
	}
	return carriedOut(t, cfg, snap, p, len(p.Steps()))
}

// bytesIn is how many bytes steps copy.
func bytesIn(steps []plan.Step) (sum int64) {
	for _, s := range steps {
		sum += s.Bytes
	}
	return sum
}

func TestRebalance(t *testing.T) {
	cfg, snap := unequal(t, 7)
	opt := plan.Options{Nonce: []byte("x")}
	wishes, found := Rebalance(cfg, snap, nil, opt, 0.1)
	t.Log(found, goes(wishes))
	opt.Wishes = wishes
	p, err := Build(cfg, snap, opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := sameSlowly(cfg, snap, opt, p); err != nil {
		t.Error(err)
	}
	var moved int64
	for _, m := range p.Moves {
		t.Log(m.Words(), m.Why)
		if moved += m.Bytes; m.Why == "" {
			t.Errorf("%s: no reason is given", m.Words())
		}
	}
	steps := p.Steps()
	if all := bytesIn(steps); moved == 0 || all != moved || len(p.Blocked) > 0 {
		t.Errorf("%d bytes are copied for %d that move; %v", all, moved, p.Blocked)
	}
	after := counted(carriedOut(t, cfg, snap, p, len(steps)))
	if again, _ := Rebalance(cfg, after, nil, opt, 0.1); len(again) > 0 {
		t.Errorf("applied again it moves %v", again)
	}
	atRest(t, cfg, after, plan.Options{Nonce: []byte("x")}, "rebalanced")
	if s := loads(after); s["n1"] > 2 || s["n4"] < 1 {
		t.Error(s)
	}

	// Cut off anywhere it goes on with what it has, and a plan without it copies nothing.
	for n := range steps {
		if _, cuts := steps[n].Op.(plan.LvolSnapshot); cuts && n > 0 && steps[n-1].Bytes > 0 {
			continue // a copy has ended and is not written down: apply asks its target
		}
		then := counted(carriedOut(t, cfg, snap, p, n))
		plain, err := Build(cfg, then, plan.Options{Nonce: []byte("x")})
		if err != nil || bytesIn(plain.Steps()) > 0 {
			t.Errorf("after %d of %d steps, a plan without rebalancing copies %d bytes: %v", n, len(steps), bytesIn(plain.Steps()), err)
			continue
		}
		rest := plan.Options{Nonce: []byte("x")}
		rest.Wishes, _ = Rebalance(cfg, then, nil, rest, 0.1)
		p, err := Build(cfg, then, rest)
		if err != nil {
			t.Error(n, err)
			continue
		}
		if all := bytesIn(steps[:n]) + bytesIn(p.Steps()); all != moved {
			t.Errorf("after %d of %d steps: %d bytes are copied in all, and %d had to be: %v", n, len(steps), all, moved, strings.Join(goes(rest.Wishes), ", "))
		}
	}
}

// goes are wishes in short.
func goes(w plan.Wishes) (all []string) {
	for _, name := range slices.Sorted(maps.Keys(w)) {
		all = append(all, fmt.Sprint(name, slices.Sorted(maps.Keys(w[name].Replicas)), w[name].Engine))
	}
	return all
}

// loads is how many volumes nodes serve.
func loads(snap *state.Snapshot) map[lineage.Node]int {
	all := map[lineage.Node]int{}
	for n, at := range snap.Nodes {
		all[n] += len(at.Raids)
	}
	return all
}

// TestRebalanceKeeps: what the configuration pins does not move.
func TestRebalanceKeeps(t *testing.T) {
	for name, edit := range map[string]func(v *schema.Volume){
		"on":      func(v *schema.Volume) { v.Replicas.On = []lineage.Node{"n1", "n2"}[:v.Replicas.Count] },
		"protect": func(v *schema.Volume) { v.Protect = true },
		"require": func(v *schema.Volume) { v.Replicas.Require = map[string]string{"disk": "old"} },
	} {
		cfg, snap := unequal(t, 7)
		for i, n := range cfg.Nodes {
			if i < 2 {
				n.Labels = map[string]string{"disk": "old"}
			}
		}
		for _, v := range cfg.Volumes {
			edit(v)
		}
		wishes, found := Rebalance(cfg, snap, nil, plan.Options{}, 0.1)
		for v, w := range maps.All(wishes) {
			if w.Replicas != nil {
				t.Errorf("%s: %s moves: %v", name, v, w)
			}
		}
		if name == "protect" && !strings.Contains(fmt.Sprint(found), "stays") {
			t.Errorf("%s: it is not said that pools stay as they are: %v", name, found)
		}
	}
}

// TestRebalanceWaits: nothing moves while a node cannot be read.
func TestRebalanceWaits(t *testing.T) {
	cfg, snap := unequal(t, 7)
	snap = snap.Hide("lab", "n4", "connection refused")
	if wishes, found := Rebalance(cfg, snap, nil, plan.Options{}, 0.1); len(wishes) > 0 || !strings.Contains(fmt.Sprint(found), "nothing moves") {
		t.Error(wishes, found)
	}
}
