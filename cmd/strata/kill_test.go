package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"strata/spdk/sim"
)

// cuts are changes that apply is killed in the middle of.
var cuts = []struct {
	name          string
	before, after string   // volumes
	args          []string // of the apply that is killed, and of the one after it
	write         bool     // between before and after
}{
	{
		name:  "create",
		after: `{db: {size: 1Gi, replicas: 3, export: nvmf: hosts: "any"}, logs: {size: 1Gi, export: nbd: "/dev/nbd0"}}`,
	}, {
		name:   "more-replicas",
		before: `db: {size: 1Gi, replicas: 1, export: nvmf: hosts: "any"}`,
		after:  `db: {size: 1Gi, replicas: 3, export: nvmf: hosts: "any"}`,
	}, {
		name:   "grow",
		before: `db: {size: 1Gi, replicas: 3, export: nvmf: hosts: "any"}`,
		after:  `db: {size: 2Gi, replicas: 3, export: nvmf: hosts: "any"}`,
		write:  true,
	}, {
		name:   "fewer-replicas",
		before: `db: {size: 1Gi, replicas: 3, engine: "n1", export: nvmf: hosts: "any"}`,
		after:  `db: {size: 1Gi, replicas: on: ["n1", "n2"], engine: "n1", export: nvmf: hosts: "any"}`,
		args:   []string{"--allow-destroy", "db:n3"},
		write:  true,
	}, {
		name:   "move-engine",
		before: `db: {size: 1Gi, replicas: 3, engine: "n1", export: nvmf: hosts: "any"}`,
		after:  `db: {size: 1Gi, replicas: 3, engine: "n2", export: nvmf: hosts: "any"}`,
		write:  true,
	}, {
		name:   "destroy",
		before: `{db: {size: 1Gi, replicas: 3, export: nvmf: hosts: "any"}, logs: {size: 1Gi, export: nvmf: hosts: "any"}}`,
		after:  `logs: {size: 1Gi, export: nvmf: hosts: "any"}`,
		args:   []string{"--allow-destroy", "db"},
	},
}

// TestKilledAnywhere kills apply at every few of its calls, from the first on,
// and expects the next apply to finish what it had begun: nothing is left to
// do, hosts go on, and what they wrote is there. Every other time both carry out
// a saved plan, which has to have every step that the second takes.
func TestKilledAnywhere(t *testing.T) {
	stride := 3
	if testing.Short() {
		stride = 11
	}
	for _, c := range cuts {
		for cut := 1; cut < 60; cut += stride {
			t.Run(fmt.Sprintf("%s/%d", c.name, cut), func(t *testing.T) {
				t.Parallel()
				l := newStory(t)
				if c.before != "" {
					l.volumes(t, c.before)
					l.strata(t, "apply", "--auto-approve", "lab")
				}
				if c.write {
					l.do(t, l.cmdWrite, "db", "0", "64Ki", "A")
				}
				l.volumes(t, c.after)
				apply := append([]string{"strata", "apply", "--auto-approve", "lab"}, c.args...)
				if cut%2 == 0 {
					l.strata(t, append([]string{"plan", "--out", "saved.plan", "lab"}, c.args...)...)
					apply = []string{"strata", "apply", "saved.plan"}
				}
				killed, err := l.signalAt(process(l.dir, apply...), syscall.SIGKILL, fmt.Sprint(cut))
				if err != nil {
					t.Fatal(err)
				}
				if !killed {
					t.Skip("it ended before")
				}
				l.strata(t, apply[1:]...)
				l.strata(t, "plan", "--detailed-exitcode", "lab")
				if c.write {
					l.do(t, l.cmdHost, "db")
					l.do(t, l.cmdRead, "db", "0", "64Ki", "A")
				}
			})
		}
	}
}

// newStory is a lab for a test that is no script, with three targets.
func newStory(t *testing.T) *lab {
	t.Helper()
	return newStoryOn(t, sim.Options{DiskSize: 1 << 40})
}

func newStoryOn(t *testing.T, opts sim.Options) *lab {
	t.Helper()
	dir, err := os.MkdirTemp("", "strata") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(dir)
	t.Cleanup(func() {
		l.close()
		os.RemoveAll(dir)
	})
	if err := l.configure("n1", "n2", "n3"); err != nil {
		t.Fatal(err)
	}
	if err := l.start(opts, "n1", "n2", "n3"); err != nil {
		t.Fatal(err)
	}
	return l
}

// here is a limit as this machine can keep it, which may have other work: no less than four
// times what an apply takes that finds nothing to do.
func (l *lab) here(t *testing.T, limit time.Duration) time.Duration {
	t.Helper()
	start := time.Now()
	l.strata(t, "apply", "--auto-approve", "lab")
	return max(limit, 4*time.Since(start))
}

func (l *lab) volumes(t *testing.T, volumes string) {
	t.Helper()
	text := "package lab\n\nvolumes: " + volumes + "\n"
	if err := os.WriteFile(filepath.Join(l.dir, "lab", "volumes.cue"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// strata runs it and expects it to end well.
func (l *lab) strata(t *testing.T, args ...string) string {
	t.Helper()
	out, err := process(l.dir, append([]string{"strata"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("strata %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// do runs a story's command.
func (l *lab) do(t *testing.T, cmd func(*script, []string) error, args ...string) {
	t.Helper()
	if err := cmd(nil, args); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
}
