package apply

import (
	"testing"
	"testing/synctest"
	"time"

	"strata/spdk"
)

// TestDisableWhileTried: a target that is trying to reach a peer behind a cut
// network is busy for the second that takes.
func TestDisableWhileTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cluster(t)
		defer c.Close()
		targets, done := connect(t, c, config(t, "{}"))
		defer done()
		n1, n2 := targets["n1"], targets["n2"]
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		const nqn, address, port = "nqn.2026-01.io.example:n1", "10.0.0.1", "4420"
		must(n1.TransportCreate(t.Context(), "TCP"))
		must(n1.SubsystemCreate(t.Context(), spdk.SubsystemCreate{NQN: nqn, AllowAnyHost: true}))
		must(n1.ListenerAdd(t.Context(), spdk.ListenerAdd{NQN: nqn, Address: spdk.Address{TrType: "TCP", AdrFam: "IPv4", TrAddr: address, TrSvcID: port}}))
		must(n2.SetNVMeOptions(t.Context(), spdk.NVMeOptions{TransportAckTimeout: 10}))
		_, err := n2.AttachController(t.Context(), spdk.AttachController{Name: "n1", TrType: "TCP", AdrFam: "IPv4", TrAddr: address, TrSvcID: port,
			SubNQN: nqn, CtrlrLossTimeoutSec: 60, ReconnectDelaySec: 2, FastIOFailTimeoutSec: 30})
		must(err)
		c.Partition("n1", "n2")
		time.Sleep(1500 * time.Millisecond) // it has noticed, and tries
		if err := n2.DisableController(t.Context(), "n1"); spdk.ClassOf(err) != spdk.Busy {
			t.Fatalf("disabling at once: %v", err)
		}
		from := time.Now()
		must(disable(t.Context(), n2, "n1"))
		if d := time.Since(from); d == 0 || d > time.Second {
			t.Errorf("disabling took %v", d)
		}
		must(disable(t.Context(), n2, "n1"))
		must(disable(t.Context(), n2, "no such controller"))
	})
}

// TestDisableSilent: a target that has several addresses of a peer, and gets no answer at any, is
// never not busy; one that has one is, a try later.
func TestDisableSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cluster(t)
		defer c.Close()
		targets, done := connect(t, c, config(t, "{}"))
		defer done()
		n1, n2 := targets["n1"], targets["n2"]
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		const nqn = "nqn.2026-01.io.example:n1"
		must(n1.TransportCreate(t.Context(), "TCP"))
		must(n1.SubsystemCreate(t.Context(), spdk.SubsystemCreate{NQN: nqn, AllowAnyHost: true}))
		must(n2.SetNVMeOptions(t.Context(), spdk.NVMeOptions{TransportAckTimeout: 10}))
		addresses := []string{"10.0.0.1", "10.1.0.1", "10.2.0.1"}
		for _, a := range addresses {
			must(n1.ListenerAdd(t.Context(), spdk.ListenerAdd{NQN: nqn, Address: spdk.Address{TrType: "TCP", AdrFam: "IPv4", TrAddr: a, TrSvcID: "4420"}}))
			_, err := n2.AttachController(t.Context(), spdk.AttachController{Name: "n1", TrType: "TCP", AdrFam: "IPv4", TrAddr: a, TrSvcID: "4420",
				SubNQN: nqn, CtrlrLossTimeoutSec: -1, ReconnectDelaySec: 1, Multipath: "failover"})
			must(err)
		}
		for _, a := range addresses {
			c.Darken(a)
		}
		for range 100 {
			time.Sleep(1100 * time.Millisecond)
			if err := n2.DisableController(t.Context(), "n1"); spdk.ClassOf(err) != spdk.Busy {
				t.Fatalf("disabling at once: %v", err)
			}
		}
		from := time.Now()
		must(disable(t.Context(), n2, "n1"))
		if d := time.Since(from); d > 2*time.Second {
			t.Errorf("disabling took %v", d)
		}
		must(n2.DetachController(t.Context(), "n1"))
	})
}
