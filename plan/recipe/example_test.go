package recipe_test

import (
	"fmt"
	"log"
	"os"

	"strata/plan"
	"strata/plan/recipe"
	"strata/schema"
	"strata/state"
	"strata/state/worldtest"
)

// cluster is one node with a pool. Volume db is there, with 32 MiB, and so is
// old; db is to have 64 MiB, web is new, and nobody asks for old any more.
func cluster() (*schema.Config, *state.Snapshot) {
	db, web := &schema.Volume{Name: "db", Size: 64 << 20}, &schema.Volume{Name: "web", Size: 16 << 20}
	db.Replicas.Count, web.Replicas.Count = 1, 1
	cfg := &schema.Config{
		Cluster: "lab",
		Nodes: []*schema.Node{{
			Name: "n1", RPC: "unix:///var/tmp/spdk.sock", Addresses: []string{"10.0.0.1"}, Port: 4420,
			Pools: []*schema.Pool{{Name: "fast", Kind: schema.AIO, Path: "/dev/nvme0n1", Lvstore: "lab.fast", ClusterSize: 1 << 20}},
		}},
		Volumes:      []*schema.Volume{db, web},
		PauseLimitMs: 2000,
	}
	snap, err := worldtest.Read(cfg.Cluster, `
		n1 tcp
		n1 disk /dev/nvme0n1 lab.fast.disk claimed
		n1 lvstore lab.fast lab.fast.disk 1Mi 1024
		n1 lvol lab.fast/db.k3f7#2.1p u1 32Mi 8
		n1 lvol lab.fast/old.w5xa#2.1p u2 32Mi 8
	`)
	if err != nil {
		log.Fatal(err)
	}
	return cfg, snap
}

// A plan is the difference between what is configured and what is there.
func ExampleBuild() {
	cfg, snap := cluster()
	p, err := recipe.Build(cfg, snap, plan.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if err := p.Print(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// volume db
	//     # db is configured with 64Mi
	//    1. n1       grow lab.fast/db.k3f7#2.1p from 32Mi to 64Mi
	//
	// volume web
	//     # volume web is new
	//    2. n1       create lab.fast/web.????#1.1s, 16Mi thin
	//     # epoch 2: 1 current
	//    3. n1       rename lab.fast/web.????#1.1s to web.????#2.1p: current, one of 1, local to the engine
	//
	// Note: volume old: it is not configured but exists as old.w5xa on n1; it is kept
	//     put it back, or release it with --allow-destroy old
	//
	// 3 steps: 3 create.
}

// What destroys data is planned only when it was released by name.
func ExampleBuild_released() {
	cfg, snap := cluster()
	for _, opt := range []plan.Options{{}, {AllowDestroy: plan.Grants{plan.VolumeGrant("old"): true}}} {
		p, err := recipe.Build(cfg, snap, opt)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(p.Summary())
		for _, f := range append(p.Blocked, p.Notes...) {
			fmt.Printf("  %s: %s; %s\n", f.About, f.Text, f.Hint)
		}
	}
	// Output:
	// 3 steps: 3 create.
	//   volume old: it is not configured but exists as old.w5xa on n1; it is kept; put it back, or release it with --allow-destroy old
	// 4 steps: 3 create, 1 destroy.
}
