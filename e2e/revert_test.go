package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// TestRevertAndClone goes back to a snapshot, clones it, and takes it away when
// nothing needs it any more.
func TestRevertAndClone(t *testing.T) {
	l := NewLabOf(t, 4*gib, "n1", "n2")
	const export = `export: nvmf: hosts: "any"`
	db := func(fields string) string {
		return fmt.Sprintf(`db: {size: 64Mi, replicas: 2, engine: "n1", %s, %s}`, fields, export)
	}
	clone := func(fields string) string {
		return fmt.Sprintf(`copy: {size: 64Mi, replicas: 2, %s%s}`, fields, export)
	}
	a, b, c, d := Pattern(1, 16*mib), Pattern(2, 24*mib), Pattern(3, 8*mib), Pattern(4, 8*mib)

	l.Configure(db(`snapshots: []`))
	l.Apply(0)
	l.Write("db", 8, a)
	l.Configure(db(`snapshots: ["a"]`))
	l.Apply(0)
	l.Write("db", 4, b)
	l.Read("db", 4, b)

	// Back to a: what was written since is lost, and that has to be allowed.
	l.Configure(db(`snapshots: ["a"], head: "a"`))
	l.Apply(0) // the head stands on it
	l.Configure(db(`snapshots: ["a", "b"]`))
	l.Apply(0)
	l.Configure(db(`snapshots: ["a", "b"], head: "a"`))
	before := l.State(Everything)
	if r := l.Apply(3); !strings.Contains(r.Out, "--allow-destroy db@head") || l.State(Everything) != before {
		t.Fatalf("without a word from the operator:\n%s", r.Out)
	}
	l.Read("db", 4, b)
	r := l.Apply(0, "--allow-destroy", "db@head")
	t.Logf("reverted in %v: %s", r.Took, lastLine(r.Out))
	l.Settled()
	l.Read("db", 8, a)
	l.Read("db", 4, make([]byte, 4*mib))
	l.Read("db", 24, make([]byte, 4*mib))

	// And to b, which nothing stood on any more, and back.
	l.Configure(db(`snapshots: ["a", "b"], head: "b"`))
	l.Apply(0, "--allow-destroy", "db@head")
	l.Read("db", 4, b)
	l.Configure(db(`snapshots: ["a", "b"], head: "a"`))
	l.Apply(0, "--allow-destroy", "db@head")

	// A clone of a is a, and goes its own way.
	l.Configure("{" + db(`snapshots: ["a", "b"]`) + "\n" + clone(`from: {volume: "db", snapshot: "a"}, `) + "}")
	r = l.Apply(0)
	t.Logf("cloned in %v: %s", r.Took, lastLine(r.Out))
	l.Settled()
	l.Read("copy", 8, a)
	l.Write("db", 8, c)
	l.Read("copy", 8, a)
	l.Write("copy", 8, d)
	l.Read("db", 8, c)
	l.Read("copy", 8, d)
	l.Read("copy", 16, a[8*mib:])

	// The snapshot stays as long as the clone needs it.
	l.Configure("{" + db(`snapshots: ["b"]`) + "\n" + clone("") + "}")
	if r := l.Apply(3, "--allow-destroy", "db@a"); !strings.Contains(r.Out, "layer a stays") || !strings.Contains(r.Out, "volume copy was cloned from it") {
		t.Fatalf("a snapshot with a clone:\n%s", r.Out)
	}
	l.Read("copy", 16, a[8*mib:])
	l.Configure("{" + db(`snapshots: ["a", "b"]`) + "\n" + clone(`from: {volume: "db", snapshot: "a", detach: true}, `) + "}")
	r = l.Apply(0)
	t.Logf("detached in %v: %s", r.Took, lastLine(r.Out))
	l.Settled()
	l.Read("copy", 8, d)
	l.Read("copy", 16, a[8*mib:])
	l.Configure("{" + db(`snapshots: []`) + "\n" + clone("") + "}")
	if r := l.Apply(3); !strings.Contains(r.Out, "--allow-destroy db@a") {
		t.Fatalf("without a word from the operator:\n%s", r.Out)
	}
	// b goes first: while it stands on a, beside the head, a has to stay.
	l.Apply(0, "--allow-destroy", "db@a", "--allow-destroy", "db@b")
	l.Settled()
	l.Read("db", 8, c)
	l.Read("db", 16, a[8*mib:])
	l.Read("copy", 8, d)
	l.Read("copy", 16, a[8*mib:])

	both := map[string]map[string]Stack{"db": l.Stacks("db"), "copy": l.Stacks("copy")}
	l.Kill()
	for volume, want := range map[string]int{"db": 2, "copy": 2} {
		if n := l.SameStacks(both[volume], nil); n != want {
			t.Errorf("%d lvols of %s, want %d: %v", n, volume, want, both[volume])
		}
	}
}
