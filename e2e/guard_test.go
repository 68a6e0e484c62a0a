package e2e

import (
	"strings"
	"testing"
	"time"
)

// reliefLimit is how soon hosts go on after strata has died while it held them.
const reliefLimit = time.Second

// TestGuard kills apply while it holds hosts: once when they are only paused,
// for a snapshot, once when the volume is sealed and nobody listens for hosts
// any more, for it gets two replicas more. The guard that apply has started lets
// them go on; a host that reads sees no error.
func TestGuard(t *testing.T) {
	for method, after := range map[string]string{
		"bdev_lvol_snapshot": `db: {size: 256Mi, replicas: on: ["n1"], engine: "n1", snapshots: ["a"], export: nvmf: hosts: "any"}`,
		"bdev_lvol_rename":   `db: {size: 256Mi, replicas: 3, engine: "n1", export: nvmf: hosts: "any"}`,
	} {
		t.Run(method, func(t *testing.T) { killHolding(t, method, after) })
	}
}

func killHolding(t *testing.T, method, after string) {
	l := NewLab(t, 2*gib)
	l.Configure(`db: {size: 256Mi, replicas: on: ["n1"], engine: "n1", export: nvmf: hosts: "any"}`)
	l.Apply(0)
	nqn, _ := l.Export("db")
	reader := l.StartReader("db", 20)
	limit := reliefLimit + 20*max(0, median(l.Targets["n1"].RoundTrips(50))-usualTrip)

	proxy := NewProxy(t, l.Targets["n1"])
	l.Configure(after)
	proxy.Hang(method)
	run := l.StartApply()
	select {
	case <-proxy.Hung:
	case <-time.After(30 * time.Second):
		run.Kill()
		t.Fatalf("%s was never called:\n%s", method, run.Out())
	}
	if l.served("n1", nqn) {
		t.Error("hosts are not held")
	}
	died := time.Now()
	run.Kill()
	for !l.served("n1", nqn) && time.Since(died) < 20*time.Second {
		time.Sleep(time.Millisecond)
	}
	took := time.Since(died)
	run.Wait()
	t.Logf("hosts go on %v after apply was killed in %s", took.Round(time.Millisecond), method)
	if took > limit {
		t.Errorf("hosts waited for %v, more than %v", took, limit)
	}
	reader.Wait()
	l.Apply(0)
	l.Settled()
}

// served reports whether hosts can use an export at this moment.
func (l *Lab) served(node, nqn string) bool {
	result, err := l.Targets[node].Call("nvmf_subsystem_get_listeners", `{"nqn":"`+nqn+`"}`)
	text := string(result)
	return err == nil && strings.Contains(text, "traddr") && !strings.Contains(text, "inaccessible")
}
