package watch

import (
	"testing"
	"testing/synctest"
	"time"

	"strata/lineage"
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
