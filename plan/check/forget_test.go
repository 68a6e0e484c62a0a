package check_test

import (
	"strings"
	"testing"
	"time"

	"strata/catalog"
	"strata/lineage"
	"strata/plan"
	"strata/plan/check"
	"strata/plan/plantest"
)

// No record goes that the policy keeps, none that is another's, and none of an archive of
// which nothing may be deleted or that is in use.
func TestCheckRefusesToForget(t *testing.T) {
	in := &catalog.Archive{}
	for _, r := range []struct {
		layer   lineage.LvolName
		cluster lineage.Cluster
	}{
		{"db.k3f7@2.base", "lab"}, {"db.k3f7@3.auto-20261117-1000", "lab"}, {"db.k3f7@4.auto-20261118-1000", "lab"}, {"db.k3f7@5.auto-20261119-1000", "lab"},
		{"db.aaaa@9.auto-20261101-1000", "lab"}, {"db.k3f7@1.auto-20261116-1000", "other"}, {"web.cccc@3.auto-20261117-1000", "lab"}, {"web.cccc@4.auto-20261118-1000", "lab"},
	} {
		in.Records = append(in.Records, catalog.Record{Cluster: r.cluster, Layer: r.layer, Time: int64(len(in.Records) + 1)})
	}
	of := func(layers ...lineage.LvolName) plan.Op {
		return plan.RecordForget{Archive: "main", Volume: "db", Layers: layers}
	}
	busy := map[plan.Key][]lineage.Node{plan.BackupKey("db"): {"n1"}}
	for _, c := range []struct {
		why, more string
		op        plan.Op
		busy      map[plan.Key][]lineage.Node
		world     string // "" for nodes that have nothing
	}{
		{"", "", of("db.k3f7@3.auto-20261117-1000", "db.k3f7@4.auto-20261118-1000"), nil, ""},
		{"", "", plan.ArchivePrune{Archive: "main"}, nil, ""},
		{"db.k3f7@5.auto-20261119-1000 is not let go by what archive main is to keep of db", "", of("db.k3f7@5.auto-20261119-1000"), nil, ""},
		{"db.k3f7@2.base is not let go", "", of("db.k3f7@2.base"), nil, ""},
		{"db.aaaa@9.auto-20261101-1000 is not let go", "", of("db.aaaa@9.auto-20261101-1000"), nil, ""},
		{"has no record of db.k3f7@1.auto-20261116-1000", "", of("db.k3f7@1.auto-20261116-1000"), nil, ""},
		{"no record of web.cccc@3.auto-20261117-1000 that is one of db", "", of("web.cccc@3.auto-20261117-1000"), nil, ""},
		{"web is no volume that is backed up", "", plan.RecordForget{Archive: "main", Volume: "web", Layers: []lineage.LvolName{"web.cccc@3.auto-20261117-1000"}}, nil, ""},
		{"db.k3f7@3.auto-20261117-1000 is what volume old comes from", `volumes: old: {size: 64Mi, replicas: 1, from: {archive: "main", volume: "db", snapshot: "auto-20261117-1000"}}`, of("db.k3f7@3.auto-20261117-1000"), nil, ""},
		{"", `volumes: old: {size: 64Mi, replicas: 1, from: {archive: "main", cluster: "other", volume: "db", snapshot: "auto-20261117-1000"}}`, of("db.k3f7@3.auto-20261117-1000"), nil, ""},
		{"archive main is append-only", "archives: main: appendOnly: true", of("db.k3f7@3.auto-20261117-1000"), nil, ""},
		{"archive main is append-only", "archives: main: appendOnly: true", plan.ArchivePrune{Archive: "main"}, nil, ""},
		{"there is no archive off", "", plan.ArchivePrune{Archive: "off"}, nil, ""},
		{"db.k3f7@3.auto-20261117-1000 may be what hosts read through old.bbbb+~k3f7.3.64", "", of("db.k3f7@3.auto-20261117-1000"), nil, "n1 tcp\nn2 tcp\nn2 lvstore lab.fast lab.fast.disk 1Mi 1024\nn2 lvol lab.fast/old.bbbb+~k3f7.3.64 f1 64Mi 3 esnap=e69ece2f-1116-83fb-a410-1abdf1870bd2\n"},
		{"", "", of("db.k3f7@3.auto-20261117-1000"), nil, "n1 tcp\nn2 tcp\nn2 lvstore lab.fast lab.fast.disk 1Mi 1024\nn2 lvol lab.fast/old.bbbb+~aaaa.3.64 f1 64Mi 3 esnap=e69ece2f-1116-83fb-a410-1abdf1870bd2\n"},
		{"node n2 was not read", "", of("db.k3f7@3.auto-20261117-1000"), nil, "n1 tcp\nn2 unread connection refused\n"},
		{"backup db uses archive main", "", plan.ArchivePrune{Archive: "main"}, busy, ""},
		{"backup db uses archive main", "", of("db.k3f7@3.auto-20261117-1000"), busy, ""},
	} {
		world := "n1 tcp\nn2 tcp\n"
		if c.world != "" {
			world = c.world
		}
		cfg, snap := plantest.TwoNodes(t, `archives: main: {dir: "/backup", password: env: "PW"}
volumes: db: {size: 64Mi, replicas: on: ["n1"], every: "1h", keep: hourly: 3, backup: {to: "main", keep: daily: 1}, export: nvmf: hosts: "any"}
`+c.more, world)
		p := &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{{Kind: plan.KindArchive, Name: "main", Stages: [][]plan.Step{{{Op: c.op, Risk: c.op.Facts().Risk}}}}}}}}
		err := check.Check(cfg, snap, p, plan.Options{Catalog: catalog.Catalog{"main": in}, Busy: c.busy, Now: time.Date(2026, 11, 19, 12, 0, 0, 0, time.UTC).Unix()})
		if c.why == "" && err != nil || c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("%s: got %v, want: %s", c.op.Words(), err, c.why)
		}
	}
}
