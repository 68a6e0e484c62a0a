package apply

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"strata/plan"
	"strata/spdk/sim"
)

// TestPace copies a replica while a host writes: the copy goes slower as long as the
// host's I/O is twice as slow as before, never stops, and goes as fast as it can when
// the host is idle. A limit that is configured stays one.
func TestPace(t *testing.T) {
	const rate, load = 32 * mib, 8 * mib // what a copy can do, and what makes hosts twice as slow
	for _, test := range []struct {
		name  string
		limit string
		most  int64 // bytes a second
	}{
		{"no limit", "", rate},
		{"a limit", "nodes: n3: rebuild: bandwidth: 24Mi\n", 24 * mib},
	} {
		t.Run(test.name, func(t *testing.T) {
			with := func(nodes string) string {
				return `{v: {size: 224Mi, replicas: on: [` + nodes + `], engine: "n1", export: nvmf: hosts: "any"}}` + "\n" + test.limit
			}
			before, after := config(t, with(`"n1", "n2"`)), config(t, with(`"n1", "n2", "n3"`))
			synctest.Test(t, func(t *testing.T) {
				c := sim.New(sim.Options{Tick: 4 * time.Millisecond, DiskSize: 1 << 30, CopyRate: rate, HostLatency: 100 * time.Microsecond, CopyLoad: load})
				defer c.Close()
				for _, n := range []string{"n1", "n2", "n3"} {
					if _, err := c.Start(n, ""); err != nil {
						t.Fatal(err)
					}
				}
				targets, done := connect(t, c, after)
				defer done()
				r := converge(t, before, targets)
				var nqn string
				for _, s := range r.Snapshot.Nodes["n1"].Subsystems {
					if strings.Contains(string(s.NQN), ":v.") {
						nqn = string(s.NQN)
					}
				}
				host, err := c.Host("nqn.2014-08.org.nvmexpress:uuid:6a9f1e1c-0000-4000-8000-000000000001").Connect("10.0.0.1", "4420", nqn)
				if err != nil {
					t.Fatal(err)
				}
				defer host.Close()
				ns, err := host.Namespace(1)
				if err != nil {
					t.Fatal(err)
				}
				for at := int64(0); at < 200*mib; at += mib {
					if err := ns.WriteAt(t.Context(), make([]byte, mib), at); err != nil {
						t.Fatal(err)
					}
				}
				writing, stop := context.WithCancel(t.Context())
				go func() {
					for writing.Err() == nil {
						_ = ns.WriteAt(writing, make([]byte, 4096), 0)
						time.Sleep(5 * time.Millisecond)
					}
				}()
				var mu sync.Mutex
				var paced []Paced
				type point struct {
					at     time.Time
					copied int64
				}
				var points []point
				idle := false
				run, err := Run(t.Context(), after, targets, Options{
					Plan: plan.Options{Nonce: []byte{2}}, Parallelism: 4,
					Pace: func(p Paced) { mu.Lock(); defer mu.Unlock(); paced = append(paced, p) },
					Progress: func(c Copy) {
						mu.Lock()
						defer mu.Unlock()
						points = append(points, point{time.Now(), c.Bytes(c.Copied)})
						if c.Bytes(c.Copied) > 150*mib && !idle {
							idle = true
							stop()
						}
					},
				})
				stop()
				if err != nil || !run.Converged {
					t.Fatalf("%v, %+v", err, run.Failures)
				}
				mu.Lock()
				defer mu.Unlock()
				if len(paced) < 3 || paced[0].Node != "n3" || paced[0].Engine != "n1" {
					t.Fatalf("paced: %+v, %d points %v %v", paced, len(points), points[0], points[len(points)-1])
				}
				if p := paced[0]; p.Latency < 2*p.Before || p.BytesPerSec > test.most/2+mib {
					t.Errorf("at first: %+v", p)
				}
				slow := slices.MinFunc(paced, func(a, b Paced) int { return int(a.BytesPerSec-1) - int(b.BytesPerSec-1) })
				if slow.BytesPerSec < mib || slow.BytesPerSec > 2*load {
					t.Errorf("slowest: %+v", slow)
				}
				if last := paced[len(paced)-1]; last.BytesPerSec < slow.BytesPerSec {
					t.Errorf("it does not go faster when the host is idle: %+v", paced)
				}
				// In the middle, hosts are slowed down less than copies could do.
				var mid []point
				for _, p := range points {
					if p.copied > 100*mib && p.copied < 150*mib {
						mid = append(mid, p)
					}
				}
				if len(mid) > 1 {
					a, b := mid[0], mid[len(mid)-1]
					if got := float64(b.copied-a.copied) / b.at.Sub(a.at).Seconds(); got > 2*load {
						t.Errorf("it goes at %.0f MiB/s while the host writes", got/mib)
					}
				}
			})
		})
	}
}
