package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestLinear lays a volume out over parts, one behind the other, and has a host write and
// verify across the seam of two of them while a third is added, the last grows, all are
// snapshotted, the node of a part is lost and comes back, and the engine goes elsewhere.
func TestLinear(t *testing.T) {
	l := NewLab(t, gib)
	const first = `{size: 16Mi, replicas: on: ["n1", "n2"]}, {size: 16Mi, replicas: on: ["n1", "n3"]}`
	configure := func(engine, parts, more string) {
		l.Configure(fmt.Sprintf(`db: {layout: linear: [%s], engine: %q, %s export: nvmf: {hosts: "any", standby: 2}}`, parts, engine, more))
	}
	configure("n1", first, "")
	l.Apply(0)
	whole := Pattern(7, 15*mib)
	l.Write("db", 0, whole)
	w := l.StartWriter("db", 15, 2, 8)
	change := func(what string, code int, do func()) {
		t.Helper()
		w.Longest()
		do()
		r := l.Apply(code)
		w.Going(200, 30*time.Second)
		t.Logf("%s: %s; the longest write took %v", what, lastLine(r.Out), w.Longest().Round(time.Millisecond))
	}
	change("one part more", 0, func() { configure("n1", first+`, {size: 16Mi, replicas: on: ["n2"]}`, "") })
	change("the last grows", 0, func() { configure("n1", first+`, {size: 32Mi, replicas: on: ["n2"]}`, "") })
	change("a snapshot of all parts", 0, func() { configure("n1", first+`, {size: 32Mi, replicas: on: ["n2"]}`, `snapshots: ["a"],`) })
	change("the replica of a part is lost", 3, func() {
		l.Kill("n3")
		w.Going(200, time.Minute)
	})
	change("and is back", 0, func() { l.Start("n3") })
	change("the engine moves", 0, func() { configure("n2", first+`, {size: 32Mi, replicas: on: ["n2"]}`, `snapshots: ["a"],`) })
	l.Settled()
	t.Log(w.Stop())

	end := Pattern(8, 4*mib)
	l.Write("db", 60, end)
	l.Read("db", 0, whole)
	l.Read("db", 60, end)
	if r := l.Strata("status"); !strings.Contains(r.Out, "volume db  healthy  64Mi, linear, 3 parts, engine n2") {
		t.Error(r.Out)
	}
	heads := []map[string]string{l.Heads("db.0"), l.Heads("db.1"), l.Heads("db.2")}
	l.Kill()
	for _, low := range []string{"n1", "n2"} {
		for _, high := range []string{"n1", "n3"} {
			image := append(l.whole(low, heads[0][low]), l.whole(high, heads[1][high])...)
			if n, err := w.Check(image, false); err != nil {
				t.Errorf("%s and %s: %v", low, high, err)
			} else {
				t.Logf("%s and %s have all of %d writes", low, high, n)
			}
		}
	}
	l.Replica("n2", heads[2]["n2"], 28, end)
}

// TestStriped has a host write and verify over strips that go round three parts, while they
// grow, and all targets are killed and started again.
func TestStriped(t *testing.T) {
	l := NewLab(t, gib)
	configure := func(size int) {
		l.Configure(fmt.Sprintf(`db: {size: %dMi, replicas: 2, layout: stripe: {parts: 3, stripSize: 64Ki}, engine: "n1", export: nvmf: hosts: "any"}`, size))
	}
	configure(24)
	l.Apply(0)
	data := Pattern(3, 12*mib)
	l.Write("db", 0, data)
	w := l.StartWriter("db", 14, 2, 8)
	configure(48)
	t.Log(lastLine(l.Apply(0).Out))
	w.Going(200, 30*time.Second)
	l.Settled()
	t.Log(w.Stop())
	end := Pattern(4, 4*mib)
	l.Write("db", 44, end)
	l.Kill()
	l.Start()
	l.Apply(0)
	l.Read("db", 0, data)
	l.Read("db", 44, end)
	l.Settled()
}
