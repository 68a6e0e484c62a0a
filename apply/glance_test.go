package apply

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"strata/plan"
	"strata/schema"
	"strata/spdk"
	"strata/spdk/sim"
)

// rebuilding has a volume of so many layers on n1, each with data, that is to get a
// second replica on n2; count counts the looks at n2, and step is called after each
// copy of a layer.
func rebuilding(t *testing.T, layers int, step func(n int, n2 *spdk.Client, count *atomic.Int64)) (looks int64, r *Result) {
	volume := func(on, taken string) *schema.Config {
		return config(t, `{db: {size: 16Mi, engine: "n1", export: nvmf: hosts: "any", replicas: on: [`+on+`], snapshots: [`+taken+`]}}`)
	}
	var configs []*schema.Config
	taken := ""
	for i := range layers + 1 {
		configs = append(configs, volume(`"n1"`, taken))
		taken += fmt.Sprintf("%q, ", fmt.Sprintf("s%d", i))
	}
	wider := volume(`"n1", "n2"`, strings.TrimSuffix(taken, fmt.Sprintf("%q, ", fmt.Sprintf("s%d", layers))))
	synctest.Test(t, func(t *testing.T) {
		c := cluster(t)
		defer c.Close()
		targets, done := connect(t, c, wider)
		defer done()
		for i, cfg := range configs {
			for alias, l := range converge(t, cfg, targets).Snapshot.Nodes["n1"].Lvols {
				if strings.Contains(alias, "/db.") && strings.Contains(alias, "#") {
					if err := c.Target("n1").WriteBdev(t.Context(), string(l.UUID), bytes.Repeat([]byte{byte(i + 1)}, 1<<20), int64(i)<<20); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		var count atomic.Int64
		c.Inject(func(call sim.Call) sim.Fault {
			if call.Node == "n2" && call.Method == "bdev_lvol_get_lvols" {
				count.Add(1)
			}
			return sim.Fault{}
		})
		copied := 0
		var err error
		r, err = Run(t.Context(), wider, targets, Options{Plan: plan.Options{Nonce: []byte{2}}, Parallelism: 4, Observe: func(e Event) {
			if _, ok := e.Step.Op.(plan.ShallowCopy); ok && e.Err == nil {
				copied++
				if step != nil {
					step(copied, targets["n2"], &count)
				}
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		looks = count.Load()
		converge(t, wider, targets)
	})
	return looks, r
}

// TestGlances rebuilds a replica of some layers, and of three times as many: the nodes
// are not looked at as often as layers are copied.
func TestGlances(t *testing.T) {
	few, r := rebuilding(t, 4, nil)
	if !r.Converged {
		t.Fatalf("%+v", r)
	}
	many, r := rebuilding(t, 12, nil)
	if !r.Converged {
		t.Fatalf("%+v", r)
	}
	if many > few+4 {
		t.Errorf("%d looks for 4 layers, %d for 12", few, many)
	}
}

// TestGlanceDiffers has somebody delete a layer right after it was copied: that is
// noticed, everything is looked at, and the layer is copied again.
func TestGlanceDiffers(t *testing.T) {
	var before int64
	undisturbed, _ := rebuilding(t, 8, nil)
	disturbed, r := rebuilding(t, 8, func(n int, n2 *spdk.Client, count *atomic.Int64) {
		if n != 3 {
			return
		}
		before = count.Load()
		go func() {
			time.Sleep(20 * time.Millisecond)
			lvols, err := n2.GetLvols(context.Background())
			if err != nil {
				t.Error(err)
			}
			for _, l := range lvols {
				if strings.HasSuffix(l.Name, ".s2") {
					if err := n2.LvolDelete(context.Background(), l.UUID); err != nil {
						t.Error(err)
					}
				}
			}
		}()
	})
	if !r.Converged {
		t.Fatalf("%+v", r)
	}
	if disturbed <= undisturbed || before == 0 {
		t.Errorf("%d looks, %d when nothing was deleted", disturbed, undisturbed)
	}
}
