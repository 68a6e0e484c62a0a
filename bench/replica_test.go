//go:build bench

package bench

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
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

// beside is how many other volumes there are while layers are copied.
var beside = flag.String("beside", "100,1000", "measure the copying of layers beside so many other volumes: `100,10000`")

// TestSecondReplica measures planning a second replica for volumes that have
// layers with data, one copy at a time. That takes a pass or more for each layer,
// and what a step costs must not depend on how many volumes there are.
func TestSecondReplica(t *testing.T) {
	for _, size := range []struct{ few, many, layers int }{{100, 1000, 10}, {20, 90, 47}} {
		few, _ := secondReplica(t, size.few, size.layers)
		many, took := secondReplica(t, size.many, size.layers)
		figure(t, fmt.Sprintf("plan %d × %d layers", size.many, size.layers), ratio(many, few), 2,
			"planned in %v; a step costs %v of CPU, and with %d volumes %v", took, many, size.few, few)
	}
}

// secondReplica plans one, and returns the CPU time for a step and the time it took.
func secondReplica(t *testing.T, volumes, layers int) (step, took time.Duration) {
	cfg, snap := stackWorld(t, volumes, layers)
	runtime.GC()
	before, start := cpu(), time.Now()
	p, err := recipe.Build(cfg, snap, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	used, took := cpu()-before, time.Since(start)
	copies, steps := 0, p.Steps()
	for _, step := range steps {
		if _, is := step.Op.(plan.ShallowCopy); is {
			copies++
		}
	}
	if copies < volumes*layers {
		t.Fatalf("%d × %d: %d copies of layers are planned", volumes, layers, copies)
	}
	return used / time.Duration(len(steps)), took
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

// The layers of two volumes that are copied, one after the other: what the second
// costs more is what its layers cost.
const (
	shortStack = 4
	longStack  = 44
)

// TestCopiedLayers measures what a layer costs an apply that copies it, in CPU
// time, beside other volumes for which there is nothing to do. It must not
// depend on how many they are.
func TestCopiedLayers(t *testing.T) {
	var first time.Duration
	for i, text := range strings.Split(*beside, ",") {
		var others int
		if _, err := fmt.Sscan(text, &others); err != nil {
			t.Fatalf("-beside %s: %v", text, err)
		}
		layer := copiedLayer(t, others)
		if i == 0 {
			first = layer
			t.Logf("a layer costs apply %v of CPU beside %s other volumes", layer, text)
			continue
		}
		figure(t, fmt.Sprintf("layer beside %d", others), ratio(layer, first), 2,
			"a layer costs apply %v of CPU, and %v beside the fewest other volumes", layer, first)
	}
}

// copiedLayer is the CPU time that a layer costs an apply which copies it.
func copiedLayer(t *testing.T, others int) time.Duration {
	l := newLab(t, 2)
	const on, both = `"n001"`, `"n001", "n002"`
	l.stacks(others, stack{"short", 0, on}, stack{"long", 0, on})
	l.run("apply", "--auto-approve")
	for n := 1; n <= longStack; n++ {
		short := min(n, shortStack)
		l.write("long")
		if n <= shortStack {
			l.write("short")
		}
		l.stacks(others, stack{"short", short, on}, stack{"long", n, on})
		l.run("apply", "--auto-approve")
	}
	l.stacks(others, stack{"short", shortStack, both}, stack{"long", longStack, on})
	short := l.run("apply", "--auto-approve")
	l.stacks(others, stack{"short", shortStack, both}, stack{"long", longStack, both})
	long := l.run("apply", "--auto-approve")
	l.run("plan", "--detailed-exitcode")
	t.Logf("beside %d other volumes: %d layers copied in %v, CPU %v; %d in %v, CPU %v", others, shortStack, short.wall, short.cpu, longStack, long.wall, long.cpu)
	return (long.cpu - short.cpu) / (longStack - shortStack)
}

// stack is a volume with snapshots on some nodes.
type stack struct {
	name      string
	snapshots int
	on        string
}

// stacks configures volumes with snapshots beside others.
func (l *lab) stacks(others int, all ...stack) {
	l.t.Helper()
	l.configure(others, 1)
	f, err := os.OpenFile(l.file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		l.t.Fatal(err)
	}
	defer f.Close()
	for _, s := range all {
		var names []string
		for i := range s.snapshots {
			names = append(names, fmt.Sprintf(`"s%d"`, i))
		}
		fmt.Fprintf(f, "volumes: %s: {size: 64Mi, replicas: on: [%s], snapshots: [%s]}\n", s.name, s.on, strings.Join(names, ", "))
	}
}

// write writes to a volume, as a host would: what somebody's snapshot has
// is copied over its head.
func (l *lab) write(volume string) {
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
		case strings.HasPrefix(v.Name, volume+".") && strings.Contains(v.Name, "#"):
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
