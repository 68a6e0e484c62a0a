package e2e

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

var snapshotCount = flag.Int("snapshots", 50, "snapshots that TestSnapshots takes of a volume of three replicas; a fifth of that over two")

// TestSnapshots takes snapshots while a host writes and verifies, every block
// anew from one to the next: every layer is the same on all replicas, byte by
// byte, and shows the volume as it was at one moment.
func TestSnapshots(t *testing.T) {
	for replicas, count := range map[int]int{2: max(1, *snapshotCount/5), 3: *snapshotCount} {
		t.Run(fmt.Sprintf("%d replicas", replicas), func(t *testing.T) { snapshots(t, replicas, count) })
	}
}

func snapshots(t *testing.T, replicas, count int) {
	const area, depth = 2, 32 // MiB written, writes at a time
	l := NewLabOf(t, gib, []string{"n1", "n2", "n3"}[:replicas]...)
	configure := func(n int) {
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("%q", fmt.Sprintf("s%d", i)))
		}
		l.Configure(fmt.Sprintf(`db: {size: 8Mi, replicas: %d, engine: "n1", snapshots: [%s], export: nvmf: hosts: "any"}`, replicas, strings.Join(names, ", ")))
	}
	configure(0)
	l.Apply(0)
	w := l.StartWriter("db", 3, area, depth)
	var pauses, drains []time.Duration
	for i := range count {
		w.Going(area*mib/block+depth, time.Minute)
		configure(i + 1)
		p := Pauses(l.StartApply().Expect(0))
		if len(p) != 1 {
			t.Fatalf("hosts were held %d times for a snapshot", len(p))
		}
		pauses, drains = append(pauses, p[0].Took()), append(drains, p[0].Drain)
	}
	w.Going(depth, time.Minute)
	load := w.Stop()
	t.Logf("%d replicas: with %d writes under way a pause takes %s, of which holding and draining %s", replicas, depth, spread(pauses), spread(drains))
	t.Logf("%d replicas: %v", replicas, load)
	l.Settled()
	stacks := l.Stacks("db")
	l.Kill()
	last := map[string]int64{}
	n := l.SameStacks(stacks, func(what string, image []byte) (err error) {
		last[what], err = w.Check(image, what != "head")
		return err
	})
	if n != replicas*(count+1) {
		t.Errorf("%d lvols were compared", n)
	}
	writes := slices.Sorted(maps.Values(last))
	for i, n := range writes[1:] {
		if i < len(writes)-2 && n-writes[i] < area*mib/block {
			t.Errorf("only %d writes are between two snapshots", n-writes[i])
		}
	}
	t.Logf("%d replicas: %d lvols were read and are equal, layer by layer; writes in each: %v", replicas, n, writes)
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

func mean(times []time.Duration) (sum time.Duration) {
	for _, d := range times {
		sum += d
	}
	return sum / time.Duration(max(1, len(times)))
}

// spread describes times.
func spread(times []time.Duration) string {
	sorted := slices.Sorted(slices.Values(times))
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return fmt.Sprintf("%.1f ms (median %.1f, %.1f to %.1f)", ms(mean(sorted)), ms(sorted[len(sorted)/2]), ms(sorted[0]), ms(sorted[len(sorted)-1]))
}

// median is the middle one.
func median[T time.Duration | float64](all []T) T {
	return slices.Sorted(slices.Values(all))[len(all)/2]
}
