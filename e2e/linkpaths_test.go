package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"strata/lineage"
)

// TestLinksGoOn: a node has two addresses, one of IPv4 and one of IPv6, and another has a mirror
// with a leg on it to which a host writes. The link goes on by the second address when packets to
// the first vanish, and by the first when nobody listens at the second any more: no leg is lost.
// What changes it meanwhile does so by whichever is there. A node that is fenced off gets in by none.
func TestLinksGoOn(t *testing.T) {
	if !InOwnNetwork(t) {
		return
	}
	if !OwnNetwork() {
		t.Skip("needs a network of its own, of which addresses can be lost")
	}
	t.Run("drop", func(t *testing.T) { linksGoOn(t, "drop") })
	t.Run("wait", func(t *testing.T) { linksGoOn(t, "wait") })
}

func linksGoOn(t *testing.T, loss string) {
	const volume = `db: {size: 64Mi, replicas: 2, engine: "n1", snapshots: [%s], export: nvmf: hosts: "any"}`
	l := NewLabOf(t, gib, "n1", "n2")
	l.Links = fmt.Sprintf("{loss: %q}", loss)
	if loss == "wait" {
		l.Links = `{loss: "wait", patience: "5m"}`
	}
	n2 := l.Targets["n2"]
	n2.Also = []string{"::1"}
	l.Configure(fmt.Sprintf(volume, ""))
	l.Apply(0)
	l.Settled()
	w := l.StartWriter("db", 3, 2, 8)
	heads := l.Heads("db")

	w.Longest()
	if err := n2.Disconnect(); err != nil {
		t.Fatal(err)
	}
	l.goesBy("n1", "::1")
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

	link := lineage.Cluster("e2e").LinkNQN(lineage.Link{From: "n2", To: "n1", Wait: loss == "wait"})
	heads = l.Heads("db")
	w.Longest()
	n2.Must("nvmf_subsystem_remove_listener", fmt.Sprintf(`{"nqn": %q, "listen_address": {"trtype": "TCP", "adrfam": "IPv6", "traddr": "::1", "trsvcid": %q}}`, link, n2.Port))
	l.goesBy("n1", n2.Address)
	w.Going(200, time.Minute)
	t.Logf("nobody listened at ::1 any more; the longest write took %v", w.Longest())
	l.Apply(0)
	l.Settled()
	if is := l.Heads("db"); !maps.Equal(is, heads) {
		t.Errorf("heads were %v, and are %v", heads, is)
	}

	if loss == "wait" {
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
	}

	l.Kill("n1")
	l.Start("n1")
	l.Apply(0)
	w.Going(200, time.Minute)
	l.Settled()
	t.Log(l.finish(w))
}

// linkPath is how a controller has reached its peer, or looks for it.
type linkPath struct {
	State string
	Trid  struct{ Traddr string }
}

// goesBy waits until the only link of a node goes by that address.
func (l *Lab) goesBy(node, address string) {
	l.t.Helper()
	Eventually(l.t, time.Minute, "the link goes by "+address, func() error {
		var all []struct {
			Paths []linkPath `json:"ctrlrs"`
		}
		if err := json.Unmarshal(l.Targets[node].Must("bdev_nvme_get_controllers", ""), &all); err != nil {
			return err
		}
		for _, c := range all {
			if slices.ContainsFunc(c.Paths, func(p linkPath) bool { return p.State == "enabled" && p.Trid.Traddr == address }) {
				return nil
			}
		}
		return fmt.Errorf("controllers are %v", all)
	})
}
