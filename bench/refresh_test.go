//go:build bench

package bench

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"strata/lineage"
	"strata/state"
)

// TestRefresh measures a plan that finds nothing to do, on 100 nodes: CPU time,
// for what else the machine does counts little in it, and peak memory. Reading is
// held against decoding the same answers and nothing else, planning against what
// CUE itself takes to load the configuration, and the whole command against what
// it consists of.
func TestRefresh(t *testing.T) {
	made := map[int]time.Duration{}
	for _, volumes := range []int{1_000, 10_000} {
		l := newLab(t, 100)
		l.configure(volumes, 3)
		u := l.run("apply", "--auto-approve")
		t.Logf("%d volumes × 3 on 100 nodes: applied in %v, of which CPU %v", volumes, u.wall, u.cpu)
		made[volumes] = u.cpu
		refresh(t, l, volumes == 10_000)
	}
	figure(t, "apply of 10 times the volumes", ratio(made[10_000], made[1_000]), 20,
		"CPU time of making 10,000 volumes × 3, %v, against making 1,000, %v", made[10_000], made[1_000])
}

// refresh measures the parts of a plan and the whole, in turns. What it takes for
// few volumes is mostly starting, and printed only.
func refresh(t *testing.T, l *lab, promised bool) {
	answers := record(t, l)
	of := map[string][]time.Duration{}
	var commands []time.Duration
	var peak []int64
	for range 5 {
		for _, part := range parts {
			of[part.name] = append(of[part.name], l.part(part.name, answers))
		}
		u := l.run("plan", "--detailed-exitcode")
		if !strings.Contains(u.out, "Nothing to do.") {
			t.Fatal(tail(u.out))
		}
		commands, peak = append(commands, u.cpu), append(peak, u.peak)
	}
	for _, part := range parts {
		t.Logf("CPU time %v: %s", median(of[part.name]), part.words)
	}
	t.Logf("CPU time %v: strata plan, the whole command; medians of 5, each in a process of its own", median(commands))
	if !promised {
		return
	}
	cuesOwn, decoding, reading, planning := median(of["cue"]), median(of["decode"]), median(of["read"]), median(of["plan"])
	figure(t, "reading / decoding", ratio(reading, decoding), 1.5, "reading all nodes, sockets and all, against decoding the same answers into the same types with the JSON package")
	figure(t, "planning / CUE", ratio(planning, cuesOwn), 1, "planning with nothing to do, against CUE's own load of the same configuration")
	figure(t, "command / its parts", ratio(median(commands), cuesOwn+reading+planning), 1.4, "strata plan, all of it, against CUE's own load, reading and planning together")
	figure(t, "command / (CUE + decoding)", ratio(median(commands), cuesOwn+decoding), 0, "strata plan, all of it, against CUE's own load and the decoding of the answers together")
	figure(t, "peak memory / 1 GiB", float64(median(peak))/(1<<30), 1, "the most memory that strata plan had, %d MiB", median(peak)>>20)
}

// record reads all nodes, writes what they answer to a file, and returns its name.
// A refresh takes three rounds however much a node has; where the machine is so
// busy that targets are slow, engines are asked about them, so the best of some counts.
func record(t *testing.T, l *lab) string {
	a := &answers{}
	cfg, targets := l.load(a.add)
	state.Read(context.Background(), cfg.Cluster, targets)
	var rounds []int64
	for range 5 {
		before, most := map[lineage.Node]int64{}, int64(0)
		for name, target := range targets {
			before[name] = target.Rounds()
		}
		a.lines.Reset()
		whole(t, state.Read(context.Background(), cfg.Cluster, targets))
		for name, target := range targets {
			most = max(most, target.Rounds()-before[name])
		}
		rounds = append(rounds, most)
	}
	t.Logf("refreshes took at most %d round trips a node, and %d MB were read", rounds, a.lines.Len()/1_000_000)
	if slices.Min(rounds) != 3 {
		t.Errorf("a refresh took a node %d round trips, promised: 3", slices.Min(rounds))
	}
	file := filepath.Join(l.dir, "answers")
	if err := os.WriteFile(file, a.lines.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// whole ends the test if a node of the snapshot could not be read.
func whole(t *testing.T, snap *state.Snapshot) {
	t.Helper()
	for _, n := range snap.Nodes {
		if n.Unknown != "" {
			t.Fatalf("%s: %s", n.Name, n.Unknown)
		}
	}
}

// answers are what targets said: a line for each, method and result.
type answers struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (a *answers) add(method string, result []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(result) > 0 {
		a.lines.WriteString(method + "\t")
		a.lines.Write(result)
		a.lines.WriteByte('\n')
	}
}
