package apply

import (
	"testing"
	"testing/synctest"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk/sim"
	"strata/state"
)

// TestDisksThatDiscard: disks are attached so that what is freed is discarded, where that
// works; where it does not, so that nobody tries. It is found out when an lvstore is written,
// and again when its target was started anew, and the trial leaves nothing.
func TestDisksThatDiscard(t *testing.T) {
	for _, x := range []struct {
		name  string
		keeps bool
		disks func(*sim.Options)
		set   func(*schema.Pool)
	}{
		{"all", false, func(*sim.Options) {}, func(*schema.Pool) {}},
		{"none can", true, func(o *sim.Options) { o.NoHoles = []string{"/dev/disk"} }, func(*schema.Pool) {}},
		{"none is to", true, func(*sim.Options) {}, func(p *schema.Pool) { p.Keeps = true }},
	} {
		t.Run(x.name, func(t *testing.T) {
			cfg := config(t, `db: {size: 64Mi, replicas: 3, export: "none"}`)
			for _, n := range cfg.Nodes {
				x.set(n.Pools[0])
			}
			synctest.Test(t, func(t *testing.T) {
				o := sim.Options{Tick: 4 * time.Millisecond, DiskSize: 256 << 20}
				x.disks(&o)
				c := sim.New(o)
				targets, done := connect(t, c, cfg)
				defer done()
				for _, n := range cfg.Nodes {
					if _, err := c.Start(string(n.Name), ""); err != nil {
						t.Fatal(err)
					}
				}
				for range 2 { // the second time, the lvstores are there
					res, err := Run(t.Context(), cfg, targets, Options{Plan: plan.Options{Nonce: []byte{1}}, Parallelism: 4})
					if err != nil {
						t.Fatal(err, res)
					}
					snap := state.Read(t.Context(), cfg.Cluster, targets)
					for _, n := range cfg.Nodes {
						at := snap.Nodes[n.Name]
						if d := at.Disks["lab.fast.disk"]; d == nil || d.Keeps != x.keeps {
							t.Errorf("%s: the disk is %+v", n.Name, d)
						}
						for name, l := range at.Lvols {
							if l.Name == lineage.Trial {
								t.Errorf("%s has %s", n.Name, name)
							}
						}
						if err := c.Target(string(n.Name)).Restart(); err != nil {
							t.Fatal(err)
						}
					}
				}
			})
		})
	}
}
