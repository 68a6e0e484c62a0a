package watch

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"strata/apply"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk/sim"
)

// waiting is a watch of a volume on n1, its engine, and n2, over links that wait, and
// of what is called that changes anything once it is served.
type waiting struct {
	*scene
	calls []sim.Call
}

// patient is for how long a peer is waited for.
const patient = 7 * time.Second

// TestPeerGoneOfAnUnusedVolume has a volume beside it that nobody uses, whose engine
// cannot be judged without the peer: nothing is written to it, so the peer is let go.
func TestPeerGoneOfAnUnusedVolume(t *testing.T) {
	waitingTest(t, `{db: {size: 4Mi, replicas: on: ["n1", "n2"], engine: "n1", export: nvmf: hosts: "any"},
		logs: {size: 4Mi, replicas: on: ["n1", "n2"], engine: "n1"}}`, func(t *testing.T, w *waiting) {
		w.cluster.Target("n2").Stop()
		wrote := w.host()
		w.after(30 * time.Second)
		wrote()
	})
}

func waitingTest(t *testing.T, volumes string, test func(*testing.T, *waiting), options ...func(*Options)) {
	t.Helper()
	cfg := linked(t, fmt.Sprintf(`loss: "wait", patience: "%v"`, patient), volumes)
	synctest.Test(t, func(t *testing.T) {
		w := &waiting{scene: begin(t, cfg, options...)}
		w.mustConverge(10 * time.Second)
		w.cluster.Inject(func(call sim.Call) sim.Fault {
			if call.Writes {
				w.mu.Lock()
				w.calls = append(w.calls, call)
				w.mu.Unlock()
			}
			return sim.Fault{}
		})
		test(t, w)
		if err := w.end(); err != nil {
			t.Error(err)
		}
	})
}

// did lists what was called on a node, of some methods; of all nodes for "".
func (w *waiting) did(node string, methods ...string) (called []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, call := range w.calls {
		if (node == "" || call.Node == node) && slices.Contains(methods, call.Method) {
			called = append(called, call.Method)
		}
	}
	return called
}

// heads are the names of the volume's heads, by node, as the last look found them.
func (w *waiting) heads() map[lineage.Node]lineage.Head {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := map[lineage.Node]lineage.Head{}
	for name, n := range w.seen.Nodes {
		for _, l := range n.Lvols {
			if h, ok := l.Parsed.(lineage.Head); ok {
				found[name] = h
			}
		}
	}
	return found
}

// host writes once, and says how long that took when it is done.
func (w *waiting) host() func() time.Duration {
	w.t.Helper()
	nqn := ""
	w.mu.Lock()
	for _, s := range w.seen.Nodes["n1"].Subsystems {
		if _, ok := w.cfg.Cluster.ParseExport(s.NQN); ok {
			nqn = string(s.NQN)
		}
	}
	w.mu.Unlock()
	conn, err := w.cluster.Host("nqn.2026-01.io.example:h").Connect("10.0.0.1", "4420", nqn)
	if err != nil {
		w.t.Fatal(err)
	}
	ns, err := conn.Namespace(1)
	if err != nil {
		w.t.Fatal(err)
	}
	from, done := time.Now(), make(chan time.Duration, 1)
	go func() {
		if err := ns.WriteAt(context.Background(), make([]byte, 4096), 0); err != nil {
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

func (w *waiting) restart(node string) {
	w.t.Helper()
	if err := w.cluster.Target(node).Restart(); err != nil {
		w.t.Fatal(err)
	}
}

// letGo are the calls, in their order, by which a peer is let go.
var letGo = []string{"bdev_lvol_rename", "bdev_nvme_disable_controller", "bdev_nvme_detach_controller"}

// TestPeerBackInTime: a replica's target that is started again in time gets back what
// it has lost, and shows again under the same numbers what it showed. No epoch is
// minted, and nothing is copied. The nodes are not locked while it is waited for.
func TestPeerBackInTime(t *testing.T) {
	waitingTest(t, two, func(t *testing.T, w *waiting) {
		numbers := func() map[uint32]lineage.UUID {
			w.mu.Lock()
			defer w.mu.Unlock()
			found := map[uint32]lineage.UUID{}
			for nqn, s := range w.seen.Nodes["n2"].Subsystems {
				if _, link := w.cfg.Cluster.ParseLink(nqn); link {
					for _, ns := range s.Namespaces {
						found[uint32(ns.NSID)] = lineage.UUID(ns.UUID)
					}
				}
			}
			return found
		}
		before, shown := w.heads(), numbers()
		if !before["n2"].Wait || len(shown) != 1 {
			t.Fatalf("n2 has %v, and shows %v", before["n2"], shown)
		}
		w.cluster.Target("n2").Stop()
		wrote := w.host()
		events := w.after(4 * time.Second)
		if steps := of[Stepped](events); len(steps) > 0 {
			t.Errorf("while it is waited for: %v", lines(events))
		}
		if did := w.did("", "bdev_null_create"); len(did) > 0 {
			t.Errorf("nodes are locked for nothing: %v", lines(events))
		}
		w.restart("n2")
		events = w.mustConverge(10 * time.Second)
		// A pulse finds it back within 1 s, and its peer tries to connect each second.
		if d := wrote(); d < 4*time.Second || d > 6500*time.Millisecond {
			t.Errorf("the host waited for %v: %v", d, lines(events))
		}
		if after := w.heads(); after["n1"] != before["n1"] || after["n2"] != before["n2"] {
			t.Errorf("epochs were minted: %v, then %v", before, after)
		}
		if after := numbers(); len(after) != 1 || fmt.Sprint(after) != fmt.Sprint(shown) {
			t.Errorf("n2 showed %v, and shows %v", shown, after)
		}
		if did := w.did("", append(letGo, "bdev_lvol_start_shallow_copy")...); len(did) > 0 {
			t.Errorf("%v: %v", did, lines(events))
		}
	})
}

// TestPeerGoneForGood: the epoch without it is there before it is let go, and that is
// when the patience is over. Edits meanwhile, which have the nodes looked at anew, do
// not make it longer. It is fenced and made again when it is back.
func TestPeerGoneForGood(t *testing.T) {
	waitingTest(t, two, func(t *testing.T, w *waiting) {
		w.cluster.Target("n2").Stop()
		wrote := w.host()
		w.after(3 * time.Second)
		w.hangup <- struct{}{}
		w.after(3 * time.Second)
		w.edit(w.cfg)
		events := w.after(5 * time.Second)
		if d := wrote(); d < patient || d > patient+time.Second {
			t.Errorf("the host waited for %v: %v", d, lines(events))
		}
		for _, e := range of[Looked](events) {
			if e.Took > 200*time.Millisecond {
				t.Errorf("a look took %v: whether I/O waits for a peer that is gone is known without two looks at the queue", e.Took)
			}
		}
		if did := w.did("n1", letGo...); !slices.Equal(did, letGo) {
			t.Errorf("on n1: %v, want %v", did, letGo)
		}
		if h := w.heads()["n1"]; h.Legs != 1 {
			t.Errorf("n1 has %s", h.Lvol())
		}
		if waits := of[Waiting](events); len(waits) > 0 && !waits[len(waits)-1].Plan.Empty() {
			t.Errorf("something waits for a person: %v", waits[0].Plan)
		}
		w.restart("n2")
		w.mustConverge(time.Minute)
		if did := w.did("n2", "bdev_lvol_rename"); len(did) == 0 {
			t.Error("the replica that was lost is not fenced")
		}
		if heads := w.heads(); !heads["n1"].Wait || heads["n1"].Legs != 2 || heads["n2"].Legs != 2 {
			t.Errorf("the volume has %v", heads)
		}
	})
}

// TestPulsesApart: nodes are not all asked for their pulse at once, so of what happens
// between two of them a watch mostly knows sooner.
func TestPulsesApart(t *testing.T) {
	waitingTest(t, two, func(t *testing.T, w *waiting) {
		var mu sync.Mutex
		asked := map[string][]time.Duration{}
		start := time.Now()
		w.cluster.Inject(func(call sim.Call) sim.Fault {
			if call.Method == "bdev_nvme_get_controllers" {
				mu.Lock()
				asked[call.Node] = append(asked[call.Node], time.Since(start))
				mu.Unlock()
			}
			return sim.Fault{}
		})
		w.after(3 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		for _, node := range []string{"n1", "n2"} {
			next := map[string]string{"n1": "n2", "n2": "n3"}[node]
			if len(asked[node]) != 3 || len(asked[next]) != 3 {
				t.Fatalf("asked %v", asked)
			}
			apart := (asked[next][0] - asked[node][0] + beatEvery) % beatEvery
			if apart < beatEvery/5 || apart > beatEvery*3/5 {
				t.Errorf("%s is asked %v after %s", next, apart, node)
			}
		}
	})
}

// TestPeerComesAndGoes: a replica's controller that is back for a moment is waited for
// anew; that it tries to connect again and again is no reason to look.
func TestPeerComesAndGoes(t *testing.T) {
	waitingTest(t, two, func(t *testing.T, w *waiting) {
		w.cluster.Partition("n1", "n2")
		if looks := of[Looked](w.after(5 * time.Second)); len(looks) > 3 {
			t.Errorf("%d looks", len(looks))
		}
		w.cluster.Heal("n1", "n2")
		w.after(3 * time.Second)
		w.cluster.Partition("n1", "n2")
		if events := w.after(5 * time.Second); len(w.did("n1", letGo...)) > 0 {
			t.Errorf("it is let go too early: %v", lines(events))
		}
		events := w.after(5 * time.Second)
		if did := w.did("n1", letGo...); !slices.Equal(did, letGo) {
			t.Errorf("on n1: %v, want %v: %v", did, letGo, lines(events))
		}
		events = w.after(10 * time.Second) // it is tried to attach it again first
		if did := w.did("n2", "bdev_lvol_rename"); len(did) == 0 {
			t.Errorf("the replica that is lost and can be read is not fenced: %v", lines(events))
		}
	})
}

// TestPeerWaitsForAPerson: without "fence" in auto the peer is let go by nobody, and that
// waits for a person once its time is over.
func TestPeerWaitsForAPerson(t *testing.T) {
	serve := func(o *Options) {
		prepare := o.Prepare
		o.Prepare = func(cfg *schema.Config) (apply.Options, error) {
			opt, err := prepare(cfg)
			some := schema.Auto(1<<schema.DutyServe | 1<<schema.DutyChange)
			opt.Plan.Auto = cfg.Autos(&some)
			return opt, err
		}
	}
	waitingTest(t, two, func(t *testing.T, w *waiting) {
		w.cluster.Target("n2").Stop()
		for _, e := range of[Waiting](w.after(patient - time.Second)) {
			if !e.Plan.Empty() {
				t.Errorf("a plan waits for a person too early: %v", e.Plan.Steps())
			}
		}
		events := w.after(time.Minute)
		waits := of[Waiting](events)
		if len(waits) == 0 || !slices.ContainsFunc(waits[len(waits)-1].Plan.Steps(), func(s plan.Step) bool { _, ok := s.Op.(plan.ControllerDisable); return ok }) {
			t.Errorf("no plan waits for a person: %v", lines(events))
		}
		if looks := of[Looked](events); len(looks) > 4 {
			t.Errorf("%d looks in a minute", len(looks))
		}
		if did := w.did("", letGo...); len(did) > 0 {
			t.Errorf("%v: %v", did, lines(events))
		}
	}, serve)
}
