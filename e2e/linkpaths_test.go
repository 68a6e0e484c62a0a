package e2e

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"strata/spdk"
)

// TestLinkPaths has the engine reach a replica's node by two addresses while a host writes and
// verifies. One address goes away, without a word: no leg is lost, and the host waits no longer than it
// takes to notice. What changes on the link meanwhile the path that comes back does not know, so
// it is made anew. Addresses are taken out of the configuration and added while the host writes.
func TestLinkPaths(t *testing.T) {
	const address = "10.215.1.2"
	vanishing(t, address)
	l := NewLabOf(t, gib, "n1", "n2")
	n1, n2 := l.Targets["n1"], l.Targets["n2"]
	l.Links = waitLinks
	n2.Address, n2.Also = address, []string{"127.0.0.3"}
	const db = `db: {size: 64Mi, replicas: 2, engine: "n1", export: nvmf: hosts: ["` + HostNQN + `"]}`
	more := "\nvolumes: " + strings.Replace(db, "db:", "more:", 1)
	l.Configure(db)
	l.Apply(0)
	l.Settled()
	paths(t, n1, "enabled enabled", 2)
	heads := l.Heads("db")

	w := l.StartWriter("db", 3, 2, 8)
	w.Going(200, 30*time.Second)
	w.Longest()
	vanish(t, address, true)
	Eventually(t, 30*time.Second, "a path is lost", func() error { return states(n1, "enabled reconnect_is_delayed") })
	w.Going(200, 30*time.Second)
	lost := w.Longest()
	t.Logf("an address went away; the longest write took %v", lost)
	if lost > 6*time.Second {
		t.Errorf("the host waited %v", lost)
	}
	if now := l.Heads("db"); fmt.Sprint(now) != fmt.Sprint(heads) {
		t.Errorf("heads are %v, and were %v: a leg was lost", now, heads)
	}
	l.Settled()

	l.Configure(db + more)
	l.Apply(0)
	vanish(t, address, false)
	Eventually(t, 30*time.Second, "the path is back", func() error { return states(n1, "enabled enabled") })
	w.Longest()
	out := l.Apply(0)
	if !strings.Contains(out.Out, "at "+address) {
		t.Errorf("the path that has missed a namespace was left as it is:\n%s", out.Out)
	}
	paths(t, n1, "enabled enabled", 2)
	l.Settled()

	n2.Address, n2.Also = "127.0.0.3", nil
	l.Configure(db + more)
	l.Apply(0)
	paths(t, n1, "enabled", 1)
	w.Going(200, 30*time.Second)
	n2.Also = []string{address, "127.0.0.4"}
	l.Configure(db + more)
	l.Apply(0)
	paths(t, n1, "enabled enabled enabled", 3)
	w.Going(200, 30*time.Second)
	t.Logf("paths were made anew, taken away and added; the longest write took %v", w.Longest())

	heads = l.Heads("db")
	n2.Kill()
	time.Sleep(time.Second)
	n2.Launch()
	n2.Ready()
	l.Apply(0)
	Eventually(t, 30*time.Second, "all paths are back", func() error { return states(n1, "enabled enabled enabled") })
	l.Settled()
	w.Going(200, 30*time.Second)
	if now := l.Heads("db"); fmt.Sprint(now) != fmt.Sprint(heads) {
		t.Errorf("the node was started again: heads are %v, and were %v: a leg was lost", now, heads)
	}
	paths(t, n1, "enabled enabled enabled", 3)
	t.Log(l.finish(w))
}

// paths expects so many paths of the link from n2, and as many to each namespace.
func paths(t *testing.T, x *Target, want string, each int) {
	t.Helper()
	if err := states(x, want); err != nil {
		t.Error(err)
	}
	var all []spdk.Bdev
	all, err := x.client.GetBdevs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		if b.ProductName == "NVMe disk" && len(b.Driver.NVMe) != each {
			t.Errorf("%d paths lead to %s, not %d", len(b.Driver.NVMe), b.Name, each)
		}
	}
}

// states compares how the paths of the only controller stand, in no order.
func states(x *Target, want string) error {
	all, err := x.client.GetControllers(x.t.Context())
	if err != nil || len(all) != 1 {
		return fmt.Errorf("%s has controllers %v, %v", x.Name, all, err)
	}
	left := strings.Fields(want)
	for _, p := range all[0].Paths {
		found := false
		for i, w := range left {
			if w == p.State || w == "reconnect_is_delayed" && p.State == "resetting" {
				left, found = append(left[:i], left[i+1:]...), true
				break
			}
		}
		if !found {
			return fmt.Errorf("paths of %s are %v, not %s", x.Name, all[0].Paths, want)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("paths of %s are %v, not %s", x.Name, all[0].Paths, want)
	}
	return nil
}

// vanishing has the machine have an address that can go away as those of a network do: what is
// sent there is then lost.
func vanishing(t *testing.T, address string) {
	t.Helper()
	for _, line := range []string{"addr add " + address + "/32 dev lo", "route add blackhole " + address + "/32"} {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Skipf("needs root, for an address that goes away: %v: %s", err, out)
		}
		undo := strings.Fields(strings.Replace(line, " add ", " del ", 1))
		t.Cleanup(func() { exec.Command("ip", undo...).Run() })
	}
}

func vanish(t *testing.T, address string, on bool) {
	t.Helper()
	do := map[bool]string{true: "del", false: "add"}[on]
	if out, err := exec.Command("ip", "addr", do, address+"/32", "dev", "lo").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
