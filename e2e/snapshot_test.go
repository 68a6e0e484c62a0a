package e2e

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var snapshotCount = flag.Int("snapshots", 10, "snapshots that TestSnapshots takes of each volume")

// TestSnapshots takes snapshots while a host writes and verifies: every layer is
// the same on all replicas, byte by byte, and shows the volume as it was at one
// moment.
func TestSnapshots(t *testing.T) {
	for _, replicas := range []int{2, 3} {
		t.Run(fmt.Sprintf("%d replicas", replicas), func(t *testing.T) { snapshots(t, replicas) })
	}
}

func snapshots(t *testing.T, replicas int) {
	l := NewLabOf(t, 4*gib, []string{"n1", "n2", "n3"}[:replicas]...)
	configure := func(n int) {
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("%q", fmt.Sprintf("s%d", i)))
		}
		l.Configure(fmt.Sprintf(`db: {size: 64Mi, replicas: %d, engine: "n1", snapshots: [%s], export: nvmf: hosts: "any"}`, replicas, strings.Join(names, ", ")))
	}
	configure(0)
	l.Apply(0)
	w := l.StartWriter("db", 16, 32, 8)
	var trips, pauses, drains []time.Duration
	for i := range *snapshotCount {
		configure(i + 1)
		p := Pauses(l.StartApply().Expect(0))
		if len(p) != 1 {
			t.Fatalf("hosts were held %d times for a snapshot", len(p))
		}
		t.Log(p)
		pauses, drains = append(pauses, p[0].Took), append(drains, p[0].Drain)
		for _, n := range l.names {
			trips = append(trips, l.Targets[n].RoundTrips(20)...)
		}
		w.Going(200, 10*time.Second)
	}
	load := w.Stop()
	t.Logf("%d replicas: a pause takes %v, of which draining %v; a round trip %v: in the mean a pause is %.1f of them", replicas,
		spread(pauses), spread(drains), spread(trips), ratio(mean(pauses), mean(trips)))
	t.Logf("%d replicas: %v", replicas, load)
	l.Settled()
	stacks := l.Stacks("db")
	l.Kill()
	last := map[string]int64{}
	n := l.SameStacks(stacks, func(what string, image []byte) (err error) {
		last[what], err = w.Check(image, what != "head")
		return err
	})
	if n != replicas*(*snapshotCount+1) {
		t.Errorf("%d lvols were compared", n)
	}
	t.Logf("%d replicas: %d lvols are equal; writes in each: %v", replicas, n, last)
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
