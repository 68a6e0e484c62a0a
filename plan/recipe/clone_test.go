package recipe

import (
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/plan/plantest"
)

// TestCloneAfterCopy has a volume and a clone of it that both lack a replica: what is
// to stand on a layer is not begun in the pass that copies this one, for sections
// are carried out side by side.
func TestCloneAfterCopy(t *testing.T) {
	cfg, snap := plantest.TwoNodes(t, `
volumes: db: {size: 64Mi, replicas: on: ["n1", "n2"], snapshots: ["base"]}
volumes: test: {size: 64Mi, replicas: on: ["n1", "n2"], from: {volume: "db", snapshot: "base"}, snapshots: ["own"]}
`, `
n1 tcp
n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.aaaa@2.base b1 64Mi 3 snapshot
n1 lvol lab.fast/db.aaaa#3.1.2p u1 64Mi 9 parent=db.aaaa@2.base
n1 lvol lab.fast/test.bbbb@2.own o1 64Mi 2 snapshot parent=db.aaaa@2.base
n1 lvol lab.fast/test.bbbb#3.1.2p t1 64Mi 2 parent=test.bbbb@2.own
n2 tcp
n2 disk /dev/n2 lab.fast.disk claimed
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
`)
	opt := plan.Options{Nonce: []byte("x")}
	p, err := Build(cfg, snap, opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := sameSlowly(cfg, snap, opt, p); err != nil {
		t.Error(err)
	}
	cloned := false
	for i, pass := range p.Passes {
		cut := map[lineage.LvolName]plan.Key{}
		for j := range pass.Sections {
			s := &pass.Sections[j]
			for step := range s.Steps() {
				switch op := step.Op.(type) {
				case plan.LvolSnapshot:
					cut[op.Layer] = s.Key()
				case plan.LvolClone:
					cloned = cloned || op.Layer == "db.aaaa@2.base"
					if by, now := cut[op.Layer]; now && by != s.Key() {
						t.Errorf("pass %d, %s: %s, which %s makes at the same time", i+1, s.Key(), op.Words(), by)
					}
				default: // neither makes a layer nor stands on one
				}
			}
		}
	}
	if !cloned || len(p.Blocked) > 0 {
		t.Errorf("the clone gets no replica: %s", plantest.Text(p))
	}
}
