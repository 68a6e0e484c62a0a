package apply

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
	"strata/spdk/sim"
	"strata/state"
)

// served are a volume on n1, its engine, and n2, over links that wait, and a host that
// writes to it and waits for what becomes of n2.
type served struct {
	*sim.Cluster
	t       *testing.T
	cfg     *schema.Config
	targets map[lineage.Node]*spdk.Client
	calls   []sim.Call // that change anything, since it was served
}

func servedTest(t *testing.T, test func(*testing.T, *served)) {
	t.Helper()
	servedOver(t, `{loss: "wait", patience: "7s"}`, test)
}

// servedOver is servedTest over other links.
func servedOver(t *testing.T, links string, test func(*testing.T, *served)) {
	t.Helper()
	cfg := config(t, `{db: {size: 4Mi, replicas: on: ["n1", "n2"], engine: "n1", export: nvmf: hosts: "any"}}
links: `+links)
	synctest.Test(t, func(t *testing.T) {
		c := cluster(t)
		defer c.Close()
		targets, done := connect(t, c, cfg)
		defer done()
		converge(t, cfg, targets)
		w := &served{Cluster: c, t: t, cfg: cfg, targets: targets}
		c.Inject(func(call sim.Call) sim.Fault {
			if call.Writes {
				w.calls = append(w.calls, call)
			}
			return sim.Fault{}
		})
		test(t, w)
	})
}

// write writes once, and returns how long that took once it is done.
func (w *served) write() func() time.Duration {
	w.t.Helper()
	snap := state.Read(w.t.Context(), w.cfg.Cluster, w.targets)
	nqn := ""
	for _, s := range snap.Nodes["n1"].Subsystems {
		if _, ok := w.cfg.Cluster.ParseExport(s.NQN); ok {
			nqn = string(s.NQN)
		}
	}
	conn, err := w.Host("nqn.2026-01.io.example:h").Connect("10.0.0.1", "4420", nqn)
	if err != nil {
		w.t.Fatal(err)
	}
	ns, err := conn.Namespace(1)
	if err != nil {
		w.t.Fatal(err)
	}
	from, done := time.Now(), make(chan time.Duration, 1)
	go func() {
		if err := ns.WriteAt(context.Background(), []byte(strings.Repeat("x", 4096)), 0); err != nil {
			w.t.Error(err)
		}
		done <- time.Since(from)
	}()
	return func() time.Duration {
		w.t.Helper()
		select {
		case d := <-done:
			return d
		case <-time.After(time.Minute):
			w.t.Fatal("the host's write is never done")
			return 0
		}
	}
}

func (w *served) run(opt Options) *Result {
	w.t.Helper()
	opt.Plan.Nonce, opt.Parallelism = []byte{2}, 4
	r, err := Run(w.t.Context(), w.cfg, w.targets, opt)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// heads are the names of the volume's heads, by node, as far as they can be read.
func (w *served) heads() map[lineage.Node]lineage.Head {
	found := map[lineage.Node]lineage.Head{}
	for name, n := range state.Read(w.t.Context(), w.cfg.Cluster, w.targets).Nodes {
		for _, l := range n.Lvols {
			if h, ok := l.Parsed.(lineage.Head); ok {
				found[name] = h
			}
		}
	}
	return found
}

// did lists what was called on a node, of some methods.
func (w *served) did(node string, methods ...string) (called []string) {
	for _, call := range w.calls {
		if call.Node == node && slices.Contains(methods, call.Method) {
			called = append(called, call.Method)
		}
	}
	return called
}

// TestPeerBackInTime: a run waits for a replica's node whose target was ended, makes
// again what that has lost, and nothing else.
func TestPeerBackInTime(t *testing.T) {
	servedTest(t, func(t *testing.T, w *served) {
		before := w.heads()
		if h := before["n2"]; !h.Wait || h.Legs != 2 {
			t.Fatalf("n2 has %s", h.Lvol())
		}
		w.Target("n2").Stop()
		wrote := w.write()
		time.AfterFunc(5*time.Second, func() {
			if err := w.Target("n2").Restart(); err != nil {
				t.Error(err)
			}
		})
		if r := w.run(Options{}); !r.Converged {
			t.Errorf("not converged: %+v", r.Plan.Blocked)
		}
		if d := wrote(); d < 5*time.Second || d > 7*time.Second {
			t.Errorf("the host waited for %v", d)
		}
		if after := w.heads(); after["n1"] != before["n1"] || after["n2"] != before["n2"] {
			t.Errorf("epochs were minted: %v, then %v", before, after)
		}
		if did := w.did("n1", "bdev_nvme_disable_controller", "bdev_lvol_rename", "bdev_lvol_start_shallow_copy"); len(did) > 0 {
			t.Errorf("on n1: %v", did)
		}
	})
}

// TestPeerGoneForGood: the epoch without it is there before it is let go, and that is
// when the patience is over.
func TestPeerGoneForGood(t *testing.T) {
	servedTest(t, func(t *testing.T, w *served) {
		w.Target("n2").Stop()
		wrote := w.write()
		if r := w.run(Options{}); r.Converged || r.Steps != 3 {
			t.Errorf("%d steps; converged: %v", r.Steps, r.Converged)
		}
		if d := wrote(); d < 7*time.Second || d > 8*time.Second {
			t.Errorf("the host waited for %v", d)
		}
		want := []string{"bdev_lvol_rename", "bdev_nvme_disable_controller", "bdev_nvme_detach_controller"}
		if did := w.did("n1", want...); !slices.Equal(did, want) {
			t.Errorf("on n1: %v, want %v", did, want)
		}
		if err := w.Target("n2").Restart(); err != nil {
			t.Fatal(err)
		}
		if r := w.run(Options{}); !r.Converged {
			t.Errorf("not converged: %+v", r.Plan.Blocked)
		}
		if h := w.heads()["n2"]; !h.Wait || h.Legs != 2 {
			t.Errorf("n2 has %s", h.Lvol())
		}
	})
}

// TestPeerHangs: it is let go before the patience is over, as soon as it cannot be one
// that has vanished.
func TestPeerHangs(t *testing.T) {
	servedTest(t, func(t *testing.T, w *served) {
		w.Target("n2").Freeze()
		wrote := w.write()
		w.run(Options{})
		if d := wrote(); d < 2*time.Second || d > 4*time.Second {
			t.Errorf("the host waited for %v", d)
		}
		want := []string{"bdev_lvol_rename", "bdev_nvme_disable_controller", "bdev_nvme_detach_controller"}
		if did := w.did("n1", want...); !slices.Equal(did, want) {
			t.Errorf("on n1: %v, want %v", did, want)
		}
	})
}

// TestPeerWaitedForAndStopped: a run that waits for a peer ends when it is asked to.
func TestPeerWaitedForAndStopped(t *testing.T) {
	servedTest(t, func(t *testing.T, w *served) {
		w.Target("n2").Stop()
		stop, from := make(chan struct{}), time.Now()
		time.AfterFunc(3*time.Second, func() { close(stop) })
		if r := w.run(Options{Stop: stop}); !r.Stopped || r.Steps > 0 {
			t.Errorf("stopped: %v, steps: %d", r.Stopped, r.Steps)
		}
		if d := time.Since(from); d > 4*time.Second {
			t.Errorf("it took %v", d)
		}
	})
}

// TestPatience: how long links are waited for, by what looks find of them.
func TestPatience(t *testing.T) {
	link := lineage.Link{From: "n2", To: "n1", Wait: true}
	gone, hung := []state.Waiting{{Link: link, State: "reconnect_is_delayed"}}, []state.Waiting{{Link: link, State: "enabled", Hung: true}}
	type look struct {
		at    time.Duration // it ended
		waits []state.Waiting
		want  plan.Peer // 0: it is well
		took  time.Duration
	}
	const W, O = plan.PeerWaits, plan.PeerOver
	for _, c := range []struct {
		name  string
		ack   int
		looks []look
	}{
		{"gone", 10, []look{{0, gone, W, 0}, {9 * time.Second, gone, W, 0}, {10 * time.Second, gone, O, 0}, {11 * time.Second, gone, O, 0}}},
		{"gone, back, and gone again", 10, []look{{0, gone, W, 0}, {9 * time.Second, nil, 0, 0}, {10 * time.Second, gone, W, 0}, {19 * time.Second, gone, W, 0}, {20 * time.Second, gone, O, 0}}},
		{"gone, by looks that take long", 10, []look{{time.Second, gone, W, 500 * time.Millisecond}, {10400 * time.Millisecond, gone, W, 5 * time.Second}, {10500 * time.Millisecond, gone, O, 0}}},
		{"gone, by one that takes longer", 10, []look{{5 * time.Second, gone, W, 5 * time.Second}, {13900 * time.Millisecond, gone, W, 0}, {14 * time.Second, gone, O, 0}}},
		{"it hangs", 10, []look{{0, hung, W, 0}, {1900 * time.Millisecond, hung, W, 0}, {2048 * time.Millisecond, hung, O, 0}}},
		{"it seemed to hang, and had vanished", 10, []look{{0, hung, W, 0}, {time.Second, gone, W, 0}, {3 * time.Second, gone, W, 0}, {10 * time.Second, gone, O, 0}}},
		{"it is gone, and then hangs", 10, []look{{0, gone, W, 0}, {8 * time.Second, hung, W, 0}, {9 * time.Second, hung, W, 0}, {10 * time.Second, hung, O, 0}}},
		{"it hangs, and missed packets take longer", 12, []look{{0, hung, W, 0}, {8 * time.Second, hung, W, 0}, {8200 * time.Millisecond, hung, O, 0}}},
		{"it hangs, and nobody misses packets", 0, []look{{0, hung, W, 0}, {9 * time.Second, hung, W, 0}, {10 * time.Second, hung, O, 0}}},
	} {
		p := &Patience{cfg: &schema.Config{Links: schema.Links{PatienceMs: 10000, TransportAckTimeout: c.ack}}}
		start := time.Now()
		for _, l := range c.looks {
			if got := p.look(l.waits, start.Add(l.at-l.took), start.Add(l.at))[link]; got != l.want {
				t.Errorf("%s, after %v: %v, want %v", c.name, l.at, got, l.want)
			}
			if d, waits := p.Next(start.Add(l.at)); waits != (l.want == W) || waits && d <= 0 {
				t.Errorf("%s, after %v: next in %v, %v", c.name, l.at, d, waits)
			}
			// What ends between a look and the question is due at once, until it is looked at.
			if d, waits := p.Next(start.Add(l.at + time.Minute)); waits != (l.want == W) || d != 0 {
				t.Errorf("%s, a minute after %v: next in %v, %v", c.name, l.at, d, waits)
			}
		}
	}
}
