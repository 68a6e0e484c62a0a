package apply

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strata/plan"
	"strata/spdk"
)

// TestMoveHold counts the round trips for which hosts are held by a move to a standby path.
// What targets take by themselves until they hear of namespaces, some 10 ms, comes on top.
// With three replicas it depends on how nodes are called which of them may hear of
// something at the same time (decision 25).
func TestMoveHold(t *testing.T) {
	for _, c := range []struct {
		on, from, to string
		most         float64
	}{
		{`"n1", "n2"`, "n1", "n2", 12},
		{`"n1", "n2", "n3"`, "n2", "n1", 16},
		{`"n1", "n2", "n3"`, "n1", "n2", 15},
	} {
		t.Run(fmt.Sprintf("%s to %s of %s", c.from, c.to, c.on), func(t *testing.T) { moveHold(t, c.on, c.from, c.to, c.most) })
	}
}

func moveHold(t *testing.T, on, old, next string, most float64) {
	volume := func(engine string) string {
		return fmt.Sprintf(`db: {size: 4Mi, replicas: on: [%s], engine: %q, export: nvmf: {hosts: "any", standby: 2}}`, on, engine)
	}
	cfg, moved := config(t, volume(old)), config(t, volume(next))
	synctest.Test(t, func(t *testing.T) {
		c := cluster(t)
		defer c.Close()
		targets, done := connect(t, c, cfg)
		defer done()
		converge(t, cfg, targets)
		trip := roundTrip(t, targets["n1"])
		var from, to time.Time
		var heard time.Duration
		var held []string
		r, err := Run(t.Context(), moved, targets, Options{Plan: plan.Options{Nonce: []byte{2}}, Parallelism: 4, Observe: func(ev Event) {
			end := ev.Start.Add(ev.Took)
			switch {
			case ev.Step.Begins() != "":
				from = ev.Start
			case from.IsZero() || !to.IsZero():
				return
			case ev.Step.Op.Facts().Hosts.Ends() != "":
				to = end
			}
			if _, waits := ev.Step.Op.(plan.LegWait); waits {
				heard += ev.Took - trip
			}
			held = append(held, fmt.Sprintf("%4.1f to %4.1f  %s", ratio(ev.Start.Sub(from), trip), ratio(end.Sub(from), trip), ev.Step.Op.Words()))
		}})
		if err != nil || !r.Converged || to.IsZero() {
			t.Fatalf("%v, %+v", err, r)
		}
		trips := ratio(to.Sub(from)-heard, trip)
		t.Logf("hosts are held for %.1f round trips of %v, and %v more:\n%s", trips, trip, heard, strings.Join(held, "\n"))
		if trips > most {
			t.Errorf("hosts are held for %.1f round trips, and %.0f are promised", trips, most)
		}
	})
}

func ratio(d, unit time.Duration) float64 { return float64(d) / float64(unit) }

// roundTrip is how long a call takes that has nothing to do.
func roundTrip(t *testing.T, target *spdk.Client) time.Duration {
	t.Helper()
	var all []time.Duration
	for range 5 {
		from := time.Now()
		if _, err := target.GetRaids(t.Context()); err != nil {
			t.Fatal(err)
		}
		all = append(all, time.Since(from))
	}
	return slices.Max(all)
}
