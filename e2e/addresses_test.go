package e2e

import (
	"fmt"
	"testing"
	"time"
)

// TestAddresses serves a volume at three addresses of a node, two of IPv4 and one of IPv6,
// while a host that has connected by all of them writes and verifies; peers reach one
// another over IPv6. What holds hosts holds them on every way, and one address that goes
// costs the host nothing.
func TestAddresses(t *testing.T) {
	l := NewLabOf(t, gib, "n1", "n2")
	l.Targets["n1"].Also = []string{"127.0.0.2", "::1"}
	l.Targets["n2"].Address = "::1"
	const volume = `db: {size: 64Mi, replicas: 2, engine: "n1", snapshots: [%s], export: nvmf: hosts: ["` + HostNQN + `"]}`
	l.Configure(fmt.Sprintf(volume, ""))
	l.Apply(0)
	l.Settled()
	w := l.StartWriter("db", 3, 2, 8)
	l.Configure(fmt.Sprintf(volume, `"a"`))
	l.Apply(0)
	w.Going(200, 30*time.Second)

	l.Targets["n1"].Also = []string{"::1"}
	l.Configure(fmt.Sprintf(volume, `"a"`))
	w.Longest()
	l.Apply(0)
	w.Going(200, 30*time.Second)
	t.Logf("an address was taken away; the longest write took %v", w.Longest())

	l.Targets["n1"].Also = []string{"127.0.0.2", "::1"}
	l.Configure(fmt.Sprintf(volume, `"a"`))
	l.Apply(0)
	l.Settled()
	l.Targets["n1"].Kill()
	l.Targets["n1"].Launch()
	l.Targets["n1"].Ready()
	l.Apply(0)
	w.Going(200, 30*time.Second)
	t.Log(l.finish(w))
}
