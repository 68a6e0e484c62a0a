package apply

import (
	"encoding/json"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/spdk"
)

// TestLimits: what is copied to a node shares its bandwidth, as copies begin
// and end.
func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := config(t, "{}")
		targets, closeAll := connect(t, cluster(t), cfg)
		defer closeAll()
		n1 := targets["n1"]
		for _, name := range []string{"a", "b", "c"} {
			if _, err := n1.MallocCreate(t.Context(), spdk.MallocCreate{Name: name, NumBlocks: 2048, BlockSize: 512}); err != nil {
				t.Fatal(err)
			}
		}
		limited := func(want ...uint64) {
			t.Helper()
			var bdevs []struct {
				Limits struct {
					Write uint64 `json:"w_mbytes_per_sec"`
				} `json:"assigned_rate_limits"`
			}
			var raw json.RawMessage
			if err := n1.Round(t.Context(), &spdk.Req{Method: "bdev_get_bdevs", Result: &raw}); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(raw, &bdevs); err != nil {
				t.Fatal(err)
			}
			var have []uint64
			for _, b := range bdevs {
				have = append(have, b.Limits.Write)
			}
			if !slices.Equal(have, want) {
				t.Errorf("MiB a second of a, b and c are %v, want %v", have, want)
			}
		}
		l := newLimits()
		enter := func(bdev string) {
			t.Helper()
			if err := l.enter(t.Context(), n1, plan.WriteLimit{At: plan.At{Node: "n1"}, BytesPerSec: 64 * mib}, bdev); err != nil {
				t.Fatal(err)
			}
		}
		enter("a")
		limited(64, 0, 0)
		enter("b")
		limited(32, 32, 0)
		enter("b")
		limited(32, 32, 0)
		enter("c")
		limited(21, 21, 21)
		l.leave(t.Context(), n1, "n1", "b")
		limited(32, 21, 32)
		l.leave(t.Context(), n1, "n1", "a")
		l.leave(t.Context(), n1, "n1", "a")
		limited(32, 21, 64)
		if err := l.enter(t.Context(), n1, plan.WriteLimit{At: plan.At{Node: "n1"}, BytesPerSec: 64 * mib}, "none"); err == nil {
			t.Error("a bdev that is not there was limited")
		}
	})
}

// TestLimitsOfANodeThatHangs: what is copied to other nodes does not wait for it.
func TestLimitsOfANodeThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, c := config(t, "{}"), cluster(t)
		defer c.Close()
		targets, closeAll := connect(t, c, cfg)
		defer closeAll()
		l := newLimits()
		enter := func(n lineage.Node) error {
			return l.enter(t.Context(), targets[n], plan.WriteLimit{At: plan.At{Node: n}, BytesPerSec: 64 * mib}, "a")
		}
		if _, err := targets["n2"].MallocCreate(t.Context(), spdk.MallocCreate{Name: "a", NumBlocks: 2048, BlockSize: 512}); err != nil {
			t.Fatal(err)
		}
		c.Target("n1").Freeze()
		hung := make(chan error, 1)
		go func() { hung <- enter("n1") }()
		time.Sleep(100 * time.Millisecond)
		start := time.Now()
		if err := enter("n2"); err != nil || time.Since(start) > 100*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if err := <-hung; err == nil {
			t.Error("a node that hangs has taken a limit")
		}
	})
}
