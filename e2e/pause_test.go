package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// pauseGoal is how many round trips of the target a pause for a snapshot takes
// at most: hold, drain, cut, let go, and one for what the target has to do.
const pauseGoal = 5

// TestPause measures for how long hosts are held for a snapshot, over one, two
// and three replicas in turns, as a multiple of what a trivial call takes on
// the same target right before. What else the machine does comes on top, so it
// is measured again, a few times, as long as that is too much.
func TestPause(t *testing.T) {
	const rounds, batches = 6, 6
	l := NewLab(t, 2*gib)
	nodes := [][]string{{"n1"}, {"n1", "n2"}, {"n1", "n2", "n3"}}
	configure := func(taken [3]int) {
		var volumes []string
		for i, on := range nodes {
			var names []string
			for n := range taken[i] {
				names = append(names, fmt.Sprintf(`"s%d"`, n))
			}
			volumes = append(volumes, fmt.Sprintf(`v%d: {size: 64Mi, replicas: on: ["%s"], engine: "n1", snapshots: [%s], export: nvmf: hosts: "any"}`,
				i+1, strings.Join(on, `", "`), strings.Join(names, ", ")))
		}
		l.Configure("{" + strings.Join(volumes, "\n") + "}")
	}
	var taken [3]int
	configure(taken)
	l.Apply(0)
	for i := range nodes {
		l.Write(fmt.Sprintf("v%d", i+1), 0, Pattern(uint64(i), 8*mib))
	}
	best := [3]float64{1e9, 1e9, 1e9}
	for batch := 0; batch < batches && slices.Max(best[:]) > pauseGoal; batch++ {
		var pauses, trips [3][]time.Duration
		for range rounds {
			for i := range nodes {
				trips[i] = append(trips[i], l.Targets["n1"].RoundTrips(15)...)
				taken[i]++
				configure(taken)
				p := Pauses(l.StartApply().Expect(0))
				if len(p) != 1 {
					t.Fatalf("hosts were held %d times for a snapshot: %v", len(p), p)
				}
				pauses[i] = append(pauses[i], p[0].Took())
			}
		}
		for i := range nodes {
			m := ratio(median(pauses[i]), median(trips[i]))
			best[i] = min(best[i], m)
			t.Logf("%d replicas: hosts are held for %s, a round trip takes %s: a pause is %.1f round trips", i+1, spread(pauses[i]), spread(trips[i]), m)
		}
	}
	for i, m := range best {
		if m > pauseGoal {
			t.Errorf("%d replicas: a pause is %.1f round trips, and %d are promised", i+1, m, pauseGoal)
		}
	}
}
