package vip

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strata/lineage"
	"strata/schema"
)

// mover is one of a program that keeps the place of the address in a file, as a route would
// be kept in a router. what is done in its stead when it is asked to move.
func mover(t *testing.T, where, move string) (m *Mover, place string) {
	t.Helper()
	dir := t.TempDir()
	place = filepath.Join(dir, "place")
	text := "#!/bin/sh\necho \"$STRATA_ACTION $STRATA_ADDRESS $STRATA_VOLUME [$STRATA_FROM] $STRATA_TO $*\" >> " + dir + "/log\ncase $STRATA_ACTION in\nwhere) " + where + ";;\nmove) " + move + ";;\n*) exit 9;;\nesac\n"
	write(t, filepath.Join(dir, "mine"), text)
	write(t, place, "n1\n")
	t.Chdir(dir)
	return &Mover{Volume: "db", VIP: &schema.VIP{Address: "10.0.1.5", Command: []string{filepath.Join(dir, "mine"), "-v"}, TimeoutMs: 60_000}, Nodes: []lineage.Node{"n1", "n2"}}, place
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMove(t *testing.T) {
	m, place := mover(t, "cat place", "echo $STRATA_TO > place")
	for range 2 { // the second finds it where it is to be
		if err := m.Move(t.Context(), "n2"); err != nil || read(t, place) != "n2\n" {
			t.Fatalf("%v, %s", err, read(t, place))
		}
	}
	const want = "where 10.0.1.5 db [] n2 -v\nmove 10.0.1.5 db [n1] n2 -v\nwhere 10.0.1.5 db [] n2 -v\nwhere 10.0.1.5 db [] n2 -v\n"
	if got := read(t, "log"); got != want {
		t.Errorf("it was asked:\n%s", got)
	}
	if at, err := m.Where(t.Context()); err != nil || len(at) != 1 || at[0] != "n2" {
		t.Errorf("%v, %v", at, err)
	}
}

// TestMoveBelieves: that an address has moved is believed only when it is nowhere else.
func TestMoveBelieves(t *testing.T) {
	for name, c := range map[string]struct{ where, move, want string }{
		"lies":        {"cat place", "exit 0", "mine says that it has moved 10.0.1.5, and when asked that it is on n1, still after 4s"},
		"both":        {"cat place", "echo n2 >> place", "mine says that it has moved 10.0.1.5, and when asked that it is on n1 and n2, still after 4s"},
		"drops":       {"cat place", "> place", "mine says that it has moved 10.0.1.5, and when asked that it is nowhere, still after 4s"},
		"fails":       {"cat place", "echo no route >&2; exit 3", "10.0.1.5 has not moved, it is on n1: mine: move: exit code 3: no route"},
		"fails late":  {"cat place", "echo $STRATA_TO > place; exit 3", ""},
		"late":        {"cat place", "(sleep 2; echo $STRATA_TO > place) > /dev/null 2>&1 & exit 0", "mine says that it has moved 10.0.1.5, and when asked that it is on n1, still after 4s"},
		"not known":   {"echo it does not answer >&2; exit 1", "exit 0", "10.0.1.5 was not moved: mine: where: exit code 1: it does not answer"},
		"hangs":       {"cat place", "trap '' TERM; while :; do sleep 1; done", "10.0.1.5 is not known to have moved: mine: move: no answer within 4s in all; it was ended"},
		"where hangs": {"sleep 30", "exit 0", "10.0.1.5 was not moved: mine: where: no answer within 4s in all; it was ended"},
		"babbles":     {"echo usage: mine", "exit 0", `10.0.1.5 was not moved: mine: where: it prints "usage:", and is to print names of nodes`},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := mover(t, c.where, c.move)
			if m.VIP.TimeoutMs = 60_000; strings.Contains(c.want, " 4s") {
				m.VIP.TimeoutMs = 4000
			}
			start := time.Now()
			err := m.Move(t.Context(), "n2")
			if got := text(err); got != c.want {
				t.Errorf("%q; want %q", got, c.want)
			}
			if took := time.Since(start); took > m.VIP.Timeout()+time.Minute {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestEnvironment: what is for strata alone is not given to programs.
func TestEnvironment(t *testing.T) {
	t.Setenv("STRATA_RPC_PASSWORD", "s3cret")
	m, _ := mover(t, "env > env; cat place", "exit 0")
	if _, err := m.Where(t.Context()); err != nil {
		t.Fatal(err)
	}
	if env := read(t, "env"); strings.Contains(env, "s3cret") || !strings.Contains(env, "STRATA_ADDRESS=10.0.1.5\n") {
		t.Error(env)
	}
}

func TestInterrupted(t *testing.T) {
	m, _ := mover(t, "sleep 30", "exit 0")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Where(ctx); err == nil {
		t.Error("it answers")
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
