package apply

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// TestExpectPaths: a host that is connected to one node only is found, also when it has
// just lost the listener there and comes back when it tries next.
func TestExpectPaths(t *testing.T) {
	const nqn, host = lineage.NQN("nqn.2026-01.io.strata:lab:db.k3f7"), "nqn.2014-08.org.nvmexpress:h"
	for _, c := range []struct {
		name   string
		opens  bool          // the listeners are made by the run that looks
		comes  time.Duration // when the host does
		both   bool          // by both paths
		alone  bool          // it is found to have one only
		within time.Duration
	}{
		{"nobody", false, 0, false, false, time.Second},
		{"by one path", false, time.Millisecond, false, true, 7 * time.Second},
		{"by both", false, time.Millisecond, true, false, time.Second},
		{"comes back by one path", true, 10 * time.Second, false, true, 19 * time.Second},
		{"comes back by both", true, 10 * time.Second, true, false, 13 * time.Second},
		{"nobody comes back", true, 0, false, false, 13 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cl := cluster(t)
				defer cl.Close()
				targets, done := connect(t, cl, config(t, "{}"))
				defer done()
				do := func(c *caller, op plan.Op) {
					t.Helper()
					if err := c.do(t.Context(), op); err != nil {
						t.Fatal(err)
					}
				}
				var told []Delay
				now := newCaller(&schema.Config{Cluster: "lab"}, targets, newEvents(Options{Delayed: func(d Delay) { told = append(told, d) }}), nil, nil)
				before := now
				if !c.opens {
					before = newCaller(&schema.Config{Cluster: "lab"}, targets, newEvents(Options{}), nil, nil)
				}
				addresses := []string{"10.0.0.1", "10.0.0.2"}
				for i, n := range []lineage.Node{"n1", "n2"} {
					at := plan.At{Node: n}
					do(before, plan.TransportCreate{At: at})
					do(before, plan.SubsystemCreate{At: at, NQN: nqn, Serial: "S", AnyHost: true, ANA: true})
					do(before, plan.ListenerAdd{At: at, NQN: nqn, Address: addresses[i], Port: "4420", Standby: i == 1})
				}
				if !c.both {
					addresses = addresses[:1]
				}
				if c.comes > 0 {
					go func() {
						time.Sleep(c.comes)
						for _, a := range addresses {
							if _, err := cl.Host(host).Connect(a, "4420", string(nqn)); err != nil {
								t.Error(err)
							}
						}
					}()
					if !c.opens {
						time.Sleep(10 * time.Millisecond)
					}
				}
				from := time.Now()
				err := now.do(t.Context(), plan.ExpectPaths{At: plan.At{Node: "n1"}, NQN: nqn, Also: "n2"})
				if alone := err != nil && strings.Contains(err.Error(), host+" has no path to n2"); alone != c.alone || err != nil && !alone {
					t.Errorf("%v", err)
				}
				if c.opens != (len(told) == 1) || c.opens && (told[0].Node != "n1" || told[0].For < 11*time.Second || !strings.Contains(told[0].Why, "until they have found the path to n1 again")) {
					t.Errorf("it is said what is waited for: %v", told)
				}
				if d := time.Since(from); d > c.within {
					t.Errorf("it took %v", d)
				}
			})
		})
	}
}
