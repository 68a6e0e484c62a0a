package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"strata/lineage"
)

// TestLinksGoOn: a node has two addresses, one of IPv4 and one of IPv6, and another has a mirror
// with a leg on it to which a host writes. The link waits. It goes on by the second address when packets to
// the first vanish, and by the first when nobody listens at the second any more: no leg is lost.
// What changes it meanwhile does so by whichever is there. A node that is fenced off gets in by none. Where
// packets to both vanish the node is let go when it is waited for no more, and joins again later.
func TestLinksGoOn(t *testing.T) {
	if !InOwnNetwork(t) {
		return
	}
	if !OwnNetwork() {
		t.Skip("needs a network of its own, of which addresses can be lost")
	}
	const second = "fd77::2"
	network := secondNetwork(t)
	network("addr add " + second + "/128 dev lo nodad")
	const volume = `db: {size: 64Mi, replicas: 2, engine: "n1", snapshots: [%s], export: nvmf: hosts: "any"}`
	l := NewLabOf(t, gib, "n1", "n2")
	l.Links = `{loss: "wait", patience: "5m"}`
	n2 := l.Targets["n2"]
	n2.Also = []string{second}
	l.Configure(fmt.Sprintf(volume, ""))
	l.Apply(0)
	l.Settled()
	w := l.StartWriter("db", 3, 2, 8)
	heads := l.Heads("db")

	w.Longest()
	if err := n2.Disconnect(); err != nil {
		t.Fatal(err)
	}
	l.goesBy("n1", second)
	w.Going(200, time.Minute)
	t.Logf("packets to %s vanished; the longest write took %v", n2.Address, w.Longest())
	if is := l.Heads("db"); !maps.Equal(is, heads) {
		t.Errorf("heads were %v, and are %v", heads, is)
	}
	l.Configure(fmt.Sprintf(volume, `"a"`))
	l.Apply(0)
	w.Going(200, time.Minute)
	if err := n2.Connect(); err != nil {
		t.Fatal(err)
	}

	link := lineage.Cluster("e2e").LinkNQN(lineage.Link{From: "n2", To: "n1", Wait: true})
	heads = l.Heads("db")
	w.Longest()
	n2.Must("nvmf_subsystem_remove_listener", fmt.Sprintf(`{"nqn": %q, "listen_address": {"trtype": "TCP", "adrfam": "IPv6", "traddr": %q, "trsvcid": %q}}`, link, second, n2.Port))
	l.goesBy("n1", n2.Address)
	w.Going(200, time.Minute)
	t.Logf("nobody listened at %s any more; the longest write took %v", second, w.Longest())
	l.Apply(0)
	l.Settled()
	if is := l.Heads("db"); !maps.Equal(is, heads) {
		t.Errorf("heads were %v, and are %v", heads, is)
	}

	n2.Kill()
	n2.Launch()
	n2.Ready()
	l.Apply(0)
	w.Going(200, time.Minute)
	if is := l.Heads("db"); !maps.Equal(is, heads) {
		t.Errorf("heads were %v, and are %v", heads, is)
	}
	host := fmt.Sprintf(`{"nqn": %q, "host": %q}`, link, lineage.Cluster("e2e").HostNQN("n1"))
	n2.Must("nvmf_subsystem_remove_host", host)
	for range 30 { // it tries each address several times
		if in := string(n2.Must("nvmf_subsystem_get_controllers", fmt.Sprintf(`{"nqn": %q}`, link))); in != "[]" {
			t.Fatalf("n1 was fenced off, and is in: %s", in)
		}
		time.Sleep(100 * time.Millisecond)
	}
	n2.Must("nvmf_subsystem_add_host", host)
	w.Going(200, time.Minute)

	l.Links = `{loss: "wait", patience: "3s"}`
	l.Configure(fmt.Sprintf(volume, `"a"`))
	l.Apply(0)
	heads = l.Heads("db")
	w.Longest()
	if err := n2.Disconnect(); err != nil {
		t.Fatal(err)
	}
	network("addr del " + second + "/128 dev lo")
	w.Stalled(time.Second, time.Minute)
	l.linkIs("n1", "is looked for", func(p linkPath) bool { return p.State != "enabled" })
	r := l.Apply(1) // the node itself can be read, and its link cannot be made anew
	w.Going(200, time.Minute)
	t.Logf("packets to both vanished; the longest write took %v, and this was done:\n%s", w.Longest(), r.Out)
	if is := l.Heads("db"); maps.Equal(is, heads) {
		t.Errorf("heads are %v still", is)
	}
	network("addr add " + second + "/128 dev lo nodad")
	if err := n2.Connect(); err != nil {
		t.Fatal(err)
	}
	l.Apply(0)
	l.Settled()

	l.Kill("n1")
	l.Start("n1")
	l.Apply(0)
	w.Going(200, time.Minute)
	l.Settled()
	t.Log(l.finish(w))
}

// secondNetwork returns how a further network of the test's own is changed, with ip. What goes to an
// address that no target has any more vanishes.
func secondNetwork(t *testing.T) (change func(string)) {
	change = func(line string) {
		t.Helper()
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", line, err, out)
		}
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs ip, which changes networks")
	}
	change("link set lo up")
	change("link add nowhere type veth peer name beyond")
	change("link set nowhere arp off up")
	change("link set beyond up")
	change("route add 10.77.0.0/16 dev nowhere")
	change("-6 route add fd77::/64 dev nowhere")
	return change
}

// linkPath is how a controller has reached its peer, or looks for it.
type linkPath struct {
	State string
	Trid  struct{ Traddr string }
}

// goesBy waits until the only link of a node goes by that address.
func (l *Lab) goesBy(node, address string) {
	l.t.Helper()
	l.linkIs(node, "goes by "+address, func(p linkPath) bool { return p.State == "enabled" && p.Trid.Traddr == address })
}

// linkIs waits until the only link of a node is such.
func (l *Lab) linkIs(node, how string, such func(linkPath) bool) {
	l.t.Helper()
	Eventually(l.t, time.Minute, "the link "+how, func() error {
		var all []struct {
			Paths []linkPath `json:"ctrlrs"`
		}
		if err := json.Unmarshal(l.Targets[node].Must("bdev_nvme_get_controllers", ""), &all); err != nil {
			return err
		}
		for _, c := range all {
			if slices.ContainsFunc(c.Paths, such) {
				return nil
			}
		}
		return fmt.Errorf("controllers are %v", all)
	})
}
