package main

import (
	"testing"

	"strata/apply"
	"strata/plan/plantest"
)

// The record of a layer of another incarnation, or of one that an interrupted cut has left, is
// not that of the snapshot that was to be recorded.
func TestLayerNamed(t *testing.T) {
	cfg, snap := plantest.TwoNodes(t, `volumes: db: {size: 64Mi, replicas: 1, snapshots: ["a"]}`, `n1 tcp
n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.k3f7@2.a a2 64Mi 5
n1 lvol lab.fast/db.k3f7@4.a a3 64Mi 5 parent=db.k3f7@2.a
n1 lvol lab.fast/db.k3f7#3.1.2p u1 64Mi 9 parent=db.k3f7@4.a
n2 tcp
n2 disk /dev/n2 lab.fast.disk claimed
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
n2 lvol lab.fast/db.aaaa@9.a b2 64Mi 5
n2 lvol lab.fast/db.aaaa#9x u2 64Mi 9 parent=db.aaaa@9.a
`)
	if got := layerNamed(cfg, &apply.Result{Snapshot: snap}, "db", "a"); got != "db.k3f7@2.a" {
		t.Errorf("snapshot a of db is %q", got)
	}
}
