//go:build bench

package bench

import (
	"context"
	"testing"
	"time"

	"strata/lineage"
	"strata/spdk"
	"strata/state"
)

// TestReadingAtOnce measures the reading of 100 nodes at once against reading
// one after the other, with so little on them that waiting is most of it.
//
// One by one, a node costs three waits for a target, 4 ms each, however fast this
// machine is: 1.2 s. At once all wait together, and what is left is work for the
// CPU, tens of milliseconds. A fifth is promised, which leaves room for a machine
// a few times slower; reading that went node by node, or on few nodes at a
// time, would not get there on any.
func TestReadingAtOnce(t *testing.T) {
	l := newLab(t, 100)
	l.configure(100, 3)
	l.run("apply", "--auto-approve")
	cfg, targets := l.load()
	read := func(targets map[lineage.Node]*spdk.Client) time.Duration {
		start := time.Now()
		snap := state.Read(context.Background(), cfg.Cluster, targets)
		took := time.Since(start)
		whole(t, snap)
		return took
	}
	read(targets) // connects
	var atOnce, oneByOne []time.Duration
	for range 5 {
		atOnce = append(atOnce, read(targets))
		var sum time.Duration
		for name, target := range targets {
			sum += read(map[lineage.Node]*spdk.Client{name: target})
		}
		oneByOne = append(oneByOne, sum)
	}
	a, b := median(atOnce), median(oneByOne)
	figure(t, "reading at once / one by one", ratio(a, b), 0.2, "the time to read 100 nodes at once, %v, against one after the other, %v; medians of 5", a, b)
}
