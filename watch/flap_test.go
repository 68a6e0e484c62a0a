package watch

import (
	"testing"
	"testing/synctest"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// TestReleasedThoughItChanges has a node be held down on which something is another with
// every pulse: it is held down for no longer than one that is quiet.
func TestReleasedThoughItChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		released := 0
		h := &hub{
			cfg: &schema.Config{ReplaceAfterSec: 3600}, nodes: map[lineage.Node]*node{"n1": {}}, reasons: map[string]bool{}, trouble: troubles{},
			opt: Options{Observe: func(e Event) {
				if _, is := e.(Released); is {
					released++
				}
			}},
		}
		pulse := uint64(0)
		answers := func(pid int) {
			pulse++
			h.beat(beat{node: "n1", is: state.Beat{PID: pid, Subsystems: pulse}})
			if time.Sleep(time.Second); !h.due(time.Now()).After(time.Now()) {
				h.come(time.Now())
			}
		}
		for pid := range flapTimes + 1 {
			answers(pid)
		}
		if h.nodes["n1"].why() == "" {
			t.Fatal("it is not held down")
		}
		for range holdFirst / time.Second {
			answers(flapTimes)
		}
		if released != 1 || h.nodes["n1"].why() != "" {
			t.Errorf("released %d times: %s", released, h.nodes["n1"].why())
		}
	})
}

// TestHeldDownIsSilenced has the engine's node hang again and again, until another takes over:
// when it answers again it is held down, and offers hosts nothing all the same.
func TestHeldDownIsSilenced(t *testing.T) {
	cfg := linked(t, `loss: "wait", patience: "5s"`, `{db: {size: 16Mi, replicas: on: ["n1", "n2"], engine: "n3", auto: ["serve", "fence", "rebuild", "change", "move"], failover: "auto", export: nvmf: {hosts: "any", standby: 1}}}`)
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, cfg)
		s.mustConverge(10 * time.Second)
		n3 := s.cluster.Target("n3")
		for range flapTimes - 1 {
			n3.Freeze()
			s.after(8 * time.Second)
			n3.Thaw()
			s.after(10 * time.Second)
		}
		n3.Freeze()
		over := of[TookOver](s.after(30 * time.Second))
		if len(over) != 1 || over[0].Volume != "db" || over[0].From != "n3" || over[0].To == "n3" || over[0].Silent < 10*time.Second || over[0].Silent > 15*time.Second ||
			over[0].Evidence != "of 2 replicas of epoch 2 those on n1, n2 were read, and fenced off n3, which has none of its own" {
			t.Errorf("taken over: %+v", over)
		}
		n3.Thaw()
		events := s.after(5 * time.Second)
		if len(of[HeldDown](events)) != 1 {
			t.Fatalf("it is not held down: %v", lines(events))
		}
		var did []string
		for _, e := range of[Stepped](events) {
			if e.Step.Op.On() == "n3" {
				did = append(did, e.Step.Op.Words())
			}
			if _, is := e.Step.Op.(plan.ListenerRemove); is && e.Err == nil {
				continue
			}
			if e.Step.Op.On() == "n3" {
				t.Errorf("%s, while it is held down", e.Step.Op.Words())
			}
		}
		if len(did) != 1 {
			t.Errorf("done on n3: %v", did)
		}
		events = s.after(holdFirst)
		if len(of[Released](events)) != 1 || !converged(events) {
			t.Errorf("what else is there does not end: %v", lines(events))
		}
		s.end()
	})
}
