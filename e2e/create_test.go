package e2e

import (
	"strings"
	"testing"
)

const gib = 1 << 30

// TestCreate is the first day: nothing is there, one apply makes it, hosts
// write through it, and a second apply finds nothing to do.
func TestCreate(t *testing.T) {
	l := NewLab(t, 2*gib)
	l.Configure(`{db: {size: 256Mi, replicas: 3, export: nvmf: hosts: "any"}, logs: {size: 128Mi, replicas: 2, engine: "n2", export: nvmf: hosts: ["` + HostNQN + `"]}}`)
	r := l.Apply(0)
	t.Logf("created in %v: %s", r.Took, lastLine(r.Out))
	l.Settled()

	db, logs := Pattern(1, 8*mib), Pattern(2, 4*mib)
	l.Write("db", 16, db)
	l.Write("logs", 3, logs)
	l.Read("db", 16, db)
	l.Read("logs", 3, logs)
	l.Settled()

	heads := map[string]map[string]string{"db": l.Heads("db"), "logs": l.Heads("logs")}
	l.Kill()
	l.Replicas(heads["db"], 16, db)
	l.Replicas(heads["logs"], 3, logs)
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// TestEngineOnly serves a volume from a node that has no disk for it.
func TestEngineOnly(t *testing.T) {
	l := NewLab(t, 2*gib)
	l.Configure(`db: {size: 256Mi, replicas: 2, engine: "n1", export: nvmf: hosts: "any"}`, "n1")
	l.Apply(0)
	data := Pattern(3, 4*mib)
	l.Write("db", 0, data)
	l.Read("db", 0, data)
	l.Settled()
	if heads := l.Heads("db"); len(heads) != 2 || heads["n1"] != "" {
		t.Fatalf("replicas are %v; n1 has no pool", heads)
	}

	// The engine keeps nothing; whose replica took the last writes is for the operator to say.
	l.Kill("n1")
	l.Start("n1")
	if r := l.Apply(3); !strings.Contains(r.Out, "none of its heads says that it is the authority") {
		t.Fatal(r.Out)
	}
	l.Apply(0, "--authority", "db=n3")
	l.Settled()
	l.Read("db", 0, data)
}
