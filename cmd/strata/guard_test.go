package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"strata/spdk/sim"
)

// reliefLimit is how soon hosts go on after strata has died while it held them.
const reliefLimit = time.Second

// TestGuardRelievesHosts kills apply while hosts are held: when
// the volume is sealed and not listened for any more. A
// call inside is made to hang, so that it is there to be killed in.
func TestGuardRelievesHosts(t *testing.T) {
	for _, method := range []string{"bdev_lvol_rename"} {
		t.Run(method, func(t *testing.T) {
			l := newStoryOn(t, sim.Options{DiskSize: 1 << 30, Tick: 4 * time.Millisecond})
			l.volumes(t, `db: {size: 64Mi, replicas: on: ["n1"], engine: "n1", export: nvmf: hosts: "any"}`)
			l.strata(t, "apply", "--auto-approve", "lab")
			h, err := l.host("db")
			if err != nil {
				t.Fatal(err)
			}
			limit := l.here(t, reliefLimit)
			l.volumes(t, `db: {size: 64Mi, replicas: 3, engine: "n1", export: nvmf: hosts: "any"}`)
			hung := make(chan bool, 100)
			l.do(t, l.cmdFault, fmt.Sprintf("fail n1 %s 1 before", method))
			l.cluster.Inject(func(c sim.Call) sim.Fault {
				if c.Node == "n1" && c.Method == method {
					hung <- true
				}
				return sim.Fault{}
			})
			cmd := process(l.dir, "strata", "apply", "--auto-approve", "lab")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-hung

			ctx, cancel := context.WithTimeout(t.Context(), ioLimit)
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- h.disk.Load().ReadAt(ctx, make([]byte, 4096), 0) }()
			died := time.Now()
			cmd.Process.Kill()
			err = <-done
			took := time.Since(died)
			cmd.Wait()
			if err != nil {
				t.Fatalf("the host saw an error: %v", err)
			}
			t.Logf("hosts go on %v after apply was killed in %s", took.Round(time.Millisecond), method)
			if took > limit {
				t.Errorf("hosts waited for %v, more than %v", took, limit)
			}
			l.strata(t, "apply", "--auto-approve", "lab")
			l.strata(t, "plan", "--detailed-exitcode", "lab")
		})
	}
}
