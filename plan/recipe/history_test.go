package recipe

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"strata/plan"
	"strata/plan/plantest"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// longHistory is a cluster of two nodes: so many volumes of so many layers each, all
// with data, that are to get a second replica.
func longHistory(t testing.TB, volumes, layers, parallel int) (*schema.Config, *state.Snapshot) {
	var lab, world strings.Builder
	world.WriteString("n1 tcp\nn1 disk /dev/n1 lab.fast.disk claimed\nn1 lvstore lab.fast lab.fast.disk 1Mi 1048576\nn2 disk /dev/n2 lab.fast.disk claimed\nn2 lvstore lab.fast lab.fast.disk 1Mi 1048576\n")
	names := make([]string, layers)
	for i := range names {
		names[i] = strconv.Quote(fmt.Sprintf("s%03d", i))
	}
	for v := range volumes {
		fmt.Fprintf(&lab, "volumes: v%d: {size: 64Mi, replicas: on: [\"n1\", \"n2\"], snapshots: [%s]}\n", v, strings.Join(names, ", "))
		id, parent := fmt.Sprintf("v%d.aaaa", v), ""
		for i := range layers {
			name := fmt.Sprintf("%s@%d.s%03d", id, i+2, i)
			fmt.Fprintf(&world, "n1 lvol lab.fast/%s u%d-%d 64Mi 1 snapshot%s\n", name, v, i, parent)
			parent = " parent=" + name
		}
		fmt.Fprintf(&world, "n1 lvol lab.fast/%s#%d.1.%dp h%d 64Mi 1%s\n", id, layers+1, layers+1, v, parent)
	}
	cfg, snap := plantest.TwoNodes(t, fmt.Sprintf("nodes: [string]: rebuild: parallel: %d\n", parallel)+lab.String(), world.String())
	return cfg, snap
}

func TestHistorySpeed(t *testing.T) {
	var v, l, p int
	if _, err := fmt.Sscanf(os.Getenv("HIST"), "%dx%d/%d", &v, &l, &p); err != nil {
		t.Skip()
	}
	cfg, snap := longHistory(t, v, l, p)
	t0 := time.Now()
	pl, err := Build(cfg, snap, plan.Options{Nonce: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d passes, %d steps, %v", len(pl.Passes), len(pl.Steps()), time.Since(t0))
	for _, b := range pl.Blocked {
		t.Log(b.Text)
	}
}

// slowly is a Build that looks at everything in every pass, and checks nothing before
// all is planned.
func slowly(cfg *schema.Config, snap *state.Snapshot, opt plan.Options) (*plan.Plan, error) {
	p, _, err := checked(cfg, snap, opt, func(cfg *schema.Config, fitted *state.Snapshot, opt plan.Options) (*plan.Plan, *ahead, error) {
		everything := func(p *passes) (*builder, plan.Pass, error) { return p.make(nil) }
		p, err := newPasses(cfg, world.New(cfg.Cluster, fitted), opt).plan(limitOf(fitted), everything)
		return p, nil, err
	})
	return p, err
}

// sameSlowly checks that a plan is the one that looking at everything gives.
func sameSlowly(cfg *schema.Config, snap *state.Snapshot, opt plan.Options, p *plan.Plan) error {
	q, err := slowly(cfg, snap, opt)
	if err != nil {
		return err
	}
	if got, want := plantest.Text(p), plantest.Text(q); got != want {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		return fmt.Errorf("the plan is\n%s>>>\n%s\nand looking at everything in every pass it goes on with\n%s", got[:at], got[at:], want[at:])
	}
	return nil
}
