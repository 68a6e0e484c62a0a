//go:build bench

package bench

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/plan/recipe"
	"strata/schema"
	"strata/spdk"
	"strata/state"
	"strata/state/worldtest"
)

// What is measured here is not promised yet: it runs only when it is told how
// much there is to be.
var (
	stacks = flag.String("stacks", "", "measure the plan of a second replica for so many volumes of so many layers: `20x10,40x20`")
	beside = flag.String("beside", "", "measure the copying of layers beside so many other volumes: `100,1000`")
)

// TestSecondReplica measures planning a second replica for volumes that have
// layers with data, one copy at a time. That takes a step or more for each layer,
// and the time for a step should not depend on how many there are.
func TestSecondReplica(t *testing.T) {
	if *stacks == "" {
		t.Skip("say how much with -stacks")
	}
	for _, size := range strings.Split(*stacks, ",") {
		var volumes, layers int
		if _, err := fmt.Sscanf(size, "%dx%d", &volumes, &layers); err != nil {
			t.Fatalf("-stacks %s: %v", size, err)
		}
		cfg, snap := stackWorld(t, volumes, layers)
		before, start := cpu(), time.Now()
		p, err := recipe.Build(cfg, snap, plan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		used, took := cpu()-before, time.Since(start)
		copies, steps := 0, 0
		for _, pass := range p.Passes {
			for _, s := range pass.Sections {
				for _, stage := range s.Stages {
					for _, step := range stage {
						steps++
						if _, is := step.Op.(plan.ShallowCopy); is {
							copies++
						}
					}
				}
			}
		}
		if copies < volumes*layers {
			t.Fatalf("%s: %d copies of layers are planned, want %d", size, copies, volumes*layers)
		}
		t.Logf("a second replica for %d volumes × %d layers: planned in %v, CPU %v: %d passes, %d steps, %v CPU a step",
			volumes, layers, took, used, len(p.Passes), steps, used/time.Duration(steps))
	}
}

// stackWorld is a cluster in memory of two nodes, on the first of which all
// volumes are with their layers; they are to be on both.
func stackWorld(t *testing.T, volumes, layers int) (*schema.Config, *state.Snapshot) {
	var conf, world strings.Builder
	fmt.Fprint(&conf, "package lab\ncluster: \"lab\"\n")
	for i := 1; i <= 2; i++ {
		fmt.Fprintf(&conf, "nodes: n%d: {rpc: \"unix:///n%d.sock\", address: \"10.0.0.%d\", rebuild: parallel: 1, pools: fast: {aio: \"/dev/n%d\", clusterSize: 1Mi}}\n", i, i, i, i)
		fmt.Fprintf(&world, "n%d tcp\nn%d disk /dev/n%d lab.fast.disk claimed\nn%d lvstore lab.fast lab.fast.disk 1Mi 1000000\n", i, i, i, i)
	}
	var names []string
	for l := range layers {
		names = append(names, fmt.Sprintf("%q", fmt.Sprintf("s%d", l)))
	}
	for v := range volumes {
		name := fmt.Sprintf("v%04d", v)
		fmt.Fprintf(&conf, "volumes: %s: {size: 64Mi, replicas: on: [\"n1\", \"n2\"], snapshots: [%s]}\n", name, strings.Join(names, ", "))
		id := lineage.NewID([]byte("bench"), name, func(lineage.ID) bool { return false })
		parent := ""
		for l := range layers {
			layer := fmt.Sprintf("%s.%s@%d.s%d", name, id, l+2, l)
			fmt.Fprintf(&world, "n1 lvol lab.fast/%s %s-l%d 64Mi 1%s\n", layer, name, l, parent)
			parent = " parent=" + layer
		}
		fmt.Fprintf(&world, "n1 lvol lab.fast/%s.%s#%d.1.%dp %s-h 64Mi 1%s\n", name, id, layers+1, layers+1, name, parent)
	}
	file := filepath.Join(t.TempDir(), "lab.cue")
	if err := os.WriteFile(file, []byte(conf.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, err := schema.Load([]string{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	snap, err := worldtest.Read(cfg.Cluster, world.String())
	if err != nil {
		t.Fatal(err)
	}
	worldtest.Remind(cfg, snap)
	return cfg, snap
}

// copiedLayers is how many layers TestCopiedLayers has copied.
const copiedLayers = 10

// TestCopiedLayers measures what a layer costs an apply that copies it, in CPU
// time, beside other volumes for which there is nothing to do. It should not
// depend on how many they are.
func TestCopiedLayers(t *testing.T) {
	if *beside == "" {
		t.Skip("say how many other volumes there are to be with -beside")
	}
	for _, text := range strings.Split(*beside, ",") {
		var others int
		if _, err := fmt.Sscan(text, &others); err != nil {
			t.Fatalf("-beside %s: %v", text, err)
		}
		l := newLab(t, 2)
		l.stack(others, 0, `"n001"`)
		l.run("apply", "--auto-approve")
		for layers := 1; layers <= copiedLayers; layers++ {
			l.write()
			l.stack(others, layers, `"n001"`)
			l.run("apply", "--auto-approve")
		}
		l.stack(others, copiedLayers, `"n001", "n002"`)
		planned := l.run("plan")
		u := l.run("apply", "--auto-approve")
		t.Logf("%d layers copied beside %d other volumes: apply took %v, CPU %v, which is %v a layer; the plan alone took CPU %v",
			copiedLayers, others, u.wall, u.cpu, u.cpu/copiedLayers, planned.cpu)
		l.run("plan", "--detailed-exitcode")
	}
}

// stack configures a volume with snapshots on some nodes, beside others.
func (l *lab) stack(others, snapshots int, on string) {
	l.t.Helper()
	l.configure(others, 1)
	f, err := os.OpenFile(l.file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		l.t.Fatal(err)
	}
	defer f.Close()
	var names []string
	for i := range snapshots {
		names = append(names, fmt.Sprintf(`"s%d"`, i))
	}
	fmt.Fprintf(f, "volumes: stack: {size: 64Mi, replicas: on: [%s], snapshots: [%s]}\n", on, strings.Join(names, ", "))
}

// write writes to the volume stack, as a host would: what somebody's snapshot has
// is copied over its head.
func (l *lab) write() {
	l.t.Helper()
	ctx := context.Background()
	_, targets := l.load()
	n := targets["n001"]
	lvols, err := n.GetLvols(ctx)
	if err != nil {
		l.t.Fatal(err)
	}
	seed, head := "", ""
	for _, v := range lvols {
		switch {
		case v.Name == "seed-snapshot":
			seed = v.UUID
		case strings.HasPrefix(v.Name, "stack.") && strings.Contains(v.Name, "#"):
			head = v.UUID
		}
	}
	if head == "" {
		l.t.Fatal("there is no volume to write to")
	}
	if seed == "" {
		lvol, err := n.LvolCreate(ctx, spdk.LvolCreate{LvolName: "seed", LvsName: lvols[0].Lvs.Name, SizeMiB: 1})
		if err != nil {
			l.t.Fatal(err)
		}
		if seed, err = n.LvolSnapshot(ctx, lvol, "seed-snapshot"); err != nil {
			l.t.Fatal(err)
		}
	}
	id, err := n.StartShallowCopy(ctx, seed, head)
	if err != nil {
		l.t.Fatal(err)
	}
	for {
		c, err := n.CheckShallowCopy(ctx, id)
		if err != nil || c.State == spdk.CopyError {
			l.t.Fatal(err, c.Error)
		}
		if c.State == spdk.CopyComplete {
			return
		}
	}
}
