package e2e

import (
	"fmt"
	"testing"
	"time"
)

const (
	// spdkRetry is how often an SPDK host looks for a path for I/O that has none.
	spdkRetry = time.Second

	// retryLate and retryTrips are how late a host's I/O may be after that, in time and in
	// round trips of its targets, whichever is longer: round trips of 16 ms, as they are where
	// targets and host take turns on a core, make 100 ms.
	retryLate  = 100 * time.Millisecond
	retryTrips = 6
)

const standbyVolume = `db: {size: 64Mi, replicas: 2, engine: %q, export: nvmf: {hosts: "any", standby: 1}}`

// TestMoveByStandby moves the engine of a volume there and back while an SPDK host with
// both paths writes and verifies. It sees no error, and no write of its takes longer than
// until it looks for a path first after the hold.
func TestMoveByStandby(t *testing.T) {
	l := NewLabOf(t, gib, "n1", "n2")
	l.Configure(fmt.Sprintf(standbyVolume, "n1"))
	l.Apply(0)
	w := l.StartWriter("db", 3, 2, 8)
	longest := func(change func()) time.Duration {
		w.Longest()
		change()
		w.Going(200, 30*time.Second)
		return w.Longest()
	}
	l.moves(longest, func(hold, trip time.Duration) time.Duration {
		retried := (hold + spdkRetry - 1).Truncate(spdkRetry) // when it looks first after the hold
		return retried + max(retryLate, retryTrips*trip)
	})
	t.Log(l.finish(w))
}

// moves moves the engine of db, which is standbyVolume on n1, there and back, and expects
// that the longest write of a host takes at most so long, given for how long it was held,
// and what a round trip of the targets takes. longest makes a change and says how long that
// write took meanwhile. What else the machine does comes on top, so the median of some
// moves counts, and it is measured again, a few times, as long as that is too much.
func (l *Lab) moves(longest func(change func()) time.Duration, most func(hold, trip time.Duration) time.Duration) {
	l.t.Helper()
	const rounds, batches = 4, 3
	for batch := 1; ; batch++ {
		var holds, writes, trips, spare []time.Duration
		for i := range rounds {
			trip := l.roundTrip()
			var p Pause
			write := longest(func() { p = l.moveTo([]string{"n2", "n1"}[i%2]) })
			holds, writes, trips = append(holds, p.Took()), append(writes, write), append(trips, trip)
			spare = append(spare, most(p.Took(), trip)-write)
			l.t.Logf("a move held hosts for %v; the longest write took %v; a round trip takes %v", p, write.Round(time.Millisecond), trip.Round(100*time.Microsecond))
		}
		l.t.Logf("a move by a standby path: the longest write took %s, hosts were held for %s, which is %.1f round trips of %s",
			spread(writes), spread(holds), ratio(median(holds), median(trips)), spread(trips))
		if median(spare) >= 0 {
			return
		}
		if batch == batches {
			l.t.Fatalf("in a move the longest write took %v longer than is promised", -median(spare))
		}
	}
}

// moveTo moves the engine of db, and returns for how long that held hosts.
func (l *Lab) moveTo(node string) Pause {
	l.t.Helper()
	l.Configure(fmt.Sprintf(standbyVolume, node))
	p := Pauses(l.StartApply().Expect(0))
	if len(p) != 1 {
		l.t.Fatalf("hosts were held %d times for a move: %v", len(p), p)
	}
	return p[0]
}

// roundTrip is what a trivial call of a target takes while all do what they do.
func (l *Lab) roundTrip() time.Duration { return l.roundTripOf(l.names...) }

// roundTripOf is that of some targets.
func (l *Lab) roundTripOf(names ...string) time.Duration {
	l.t.Helper()
	var all []time.Duration
	for range 10 {
		for _, n := range names {
			all = append(all, l.Targets[n].RoundTrips(1)...)
		}
	}
	return median(all)
}
