package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strata/spdk/sim"
)

// TestExamples applies every directory of examples to simulated targets: each
// converges at once, and then nothing is left to do.
func TestExamples(t *testing.T) {
	dirs, err := filepath.Glob("../../examples/*/*.cue")
	if err != nil || len(dirs) == 0 {
		t.Fatal("no examples", err)
	}
	done := map[string]bool{}
	for _, file := range dirs {
		example, err := filepath.Abs(filepath.Dir(file))
		if err != nil {
			t.Fatal(err)
		}
		if done[example] || filepath.Base(example) == "policy" { // that is none
			continue
		}
		done[example] = true
		t.Run(filepath.Base(example), func(t *testing.T) { t.Parallel(); tryExample(t, example) })
	}
}

func tryExample(t *testing.T, example string) {
	dir, err := os.MkdirTemp("", "strata")
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(dir)
	t.Cleanup(func() {
		l.close()
		os.RemoveAll(dir)
	})
	args := func(verb string, flags ...string) []string {
		return append(append([]string{verb, "-t", "dir=" + dir}, flags...), example)
	}
	var cfg struct {
		Nodes []struct{ Name, RPC string }
	}
	if err := json.Unmarshal([]byte(l.strata(t, args("validate", "--json")...)), &cfg); err != nil {
		t.Fatal(err)
	}
	for _, n := range cfg.Nodes {
		if want := "unix://" + l.socket(n.Name); n.RPC != want {
			t.Fatalf("node %s is reached at %s; an example serves it at %s", n.Name, n.RPC, want)
		}
		if err := l.start(sim.Options{}, n.Name); err != nil {
			t.Fatal(err)
		}
	}
	l.strata(t, args("apply", "--auto-approve")...)
	l.do(t, l.cmdCalls, "reset")
	l.strata(t, args("plan", "--detailed-exitcode")...)
	l.strata(t, args("apply", "--auto-approve")...)
	l.do(t, l.cmdCalls, "none")
	if status := l.strata(t, args("status")...); strings.Contains(status, "degraded") || strings.Contains(status, "down") {
		t.Error(status)
	}
}
