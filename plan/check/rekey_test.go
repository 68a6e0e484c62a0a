package check_test

import (
	"strings"
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/plan/check"
	"strata/plan/plantest"
)

// TestKeysAreNotMixed: a leg is had with the key that its name says and in no other way, and what is
// written over is known to be stale.
func TestKeysAreNotMixed(t *testing.T) {
	const volumes = `volumes: db: {size: 64Mi, replicas: on: ["n1", "n2"], engine: "n1", encryption: {key: file: "/etc/strata/new", former: {check: "abcd", key: file: "/etc/strata/old"}}}`
	at, db, raid := plan.At{Node: "n1"}, lineage.SplitVolume("db.k3f7"), "lab.db.k3f7"
	cipher := func(leg lineage.UUID) string { return lineage.Cluster("lab").LegCipher(db, leg) }
	old, fresh := cipher("u1"), cipher("u3")
	world := `n1 tcp
n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.k3f7#7.2=abcdp u1 64Mi 9
n1 lvol lab.fast/db.k3f7#7=efghx u3 64Mi
n1 remote lab.n2n7 u2 64Mi
n1 cipher ` + old + ` u1
n1 cipher ` + cipher("u2") + ` u2
n1 cipher ` + fresh + ` u3
n1 raid ` + raid + ` online ` + old + ` ` + cipher("u2") + ` -
n2 disk /dev/n2 lab.fast.disk claimed
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
n2 lvol lab.fast/db.k3f7#7.2=efgh u2 64Mi 9
`
	fill := plan.LegFill{At: at, Raid: raid, Leg: "u3", Base: fresh, Owner: "n1", Bytes: 64 << 20}
	with := func(change func(*plan.LegFill)) plan.LegFill { op := fill; change(&op); return op }
	for _, c := range []struct {
		op   plan.Op
		want string
	}{
		{fill, ""},
		{with(func(op *plan.LegFill) { op.Base = "u3" }), "u3 is no cipher on it"},
		{with(func(op *plan.LegFill) { op.Base = old }), "is no cipher on it"},
		{with(func(op *plan.LegFill) { op.Leg, op.Base = "u1", old }), "has db.k3f7#7.2=abcdp already"},
		{with(func(op *plan.LegFill) { op.Leg, op.Base = "u9", "u9" }), "no replica of"},
		{plan.MirrorApart{At: at, Raid: raid, Legs: []lineage.UUID{"u1", "u2"}, Bases: []string{old, cipher("u2")}}, ""},
		{plan.MirrorApart{At: at, Raid: raid, Legs: []lineage.UUID{"u1", "u2"}, Bases: []string{old, "u2"}}, "u2 is no cipher on it"},
		{plan.MirrorApart{At: at, Raid: raid, Legs: []lineage.UUID{"u1", "u2"}, Bases: []string{old}}, "through what it has its legs"},
		{plan.RaidCreate{At: at, Raid: raid, Legs: []lineage.UUID{"u1", "u2"}}, "are not written with one key"},
		{plan.CipherCreate{At: at, Volume: db, Cipher: raid + ".cipher", Base: raid, Check: "abcd"}, "has its legs through ciphers already"},
		{plan.CipherCreate{At: at, Volume: db, Cipher: old, Base: "u1", Check: "efgh"}, "names another key than that of check efgh"},
		{plan.CipherCreate{At: at, Volume: db, Cipher: fresh, Base: "u1", Check: "abcd"}, "is not the cipher of"},
		{plan.CipherDelete{At: at, Volume: db, Cipher: old}, "has a leg through it"},
		{plan.CipherDelete{At: at, Volume: db, Cipher: fresh}, ""},
		{plan.NamespaceAdd{At: at, NQN: "nqn.2026-01.io.strata:lab:db.k3f7", NSID: 1, Bdev: old}, "is of one replica"},
		{plan.LvolRename{At: at, Lvstore: "lab.fast", From: "db.k3f7#7.2=abcdp", To: "db.k3f7#8.2=efghp"}, "was not written with the key"},
		{plan.LvolSnapshot{At: at, Lvstore: "lab.fast", Lvol: "db.k3f7#7.2=abcdp", Layer: "db.k3f7@8.a"}, "are not written with one key, and their copies"},
		{plan.KeyedCreate{At: at, Lvstore: "lab.fast", Name: "db.k3f7#7=????x", Size: 64 << 20}, ""},
		{plan.KeyedCreate{At: at, Lvstore: "lab.fast", Name: "db.k3f7#7.2=????", Size: 64 << 20}, "is no name of what is to be written"},
		{plan.KeyedCreate{At: at, Lvstore: "lab.fast", Name: "logs.k3f7#7=????x", Size: 64 << 20}, "no other key of logs is configured"},
	} {
		cfg, snap := plantest.TwoNodes(t, volumes, world)
		s := plan.Section{Kind: plan.KindVolume, Name: "db", Stages: [][]plan.Step{{{Op: c.op, Risk: plan.RiskCreate}}}}
		err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want: %q", c.op.Words(), err, c.want)
		}
	}
}
