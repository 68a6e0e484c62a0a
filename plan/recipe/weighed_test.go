package recipe

import (
	"fmt"
	"strings"
	"testing"

	"strata/plan"
	"strata/plan/plantest"
)

// TestPlaceTips has a volume wait until the node with the best place for its replica
// copies less. What is copied there takes so much room meanwhile that another node
// becomes the better place, though as much is copied as before: it is looked at then.
func TestPlaceTips(t *testing.T) {
	var lab, world strings.Builder
	lab.WriteString("cluster: \"lab\"\n")
	for i, clusters := range []int{1024, 1024, 944, 512} {
		n, zone := i+1, "b"
		if i == 0 {
			zone = "a"
		}
		fmt.Fprintf(&lab, "nodes: n%d: {rpc: \"unix:///n%d\", address: \"10.0.0.%d\", rebuild: parallel: 1, labels: zone: %q, pools: fast: {aio: \"/dev/n%d\", format: true}}\n", n, n, n, zone, n)
		fmt.Fprintf(&world, "n%d tcp\nn%d disk /dev/n%d lab.fast.disk claimed\nn%d lvstore lab.fast lab.fast.disk 1Mi %d\n", n, n, n, n, clusters)
	}
	lab.WriteString(`volumes: a: {size: 64Mi, replicas: on: ["n1", "n2"], snapshots: ["s1", "s2", "s3", "s4", "s5", "s6"]}
volumes: b: {size: 64Mi, replicas: {count: 2, require: zone: "b"}, snapshots: ["s1"]}
`)
	parent := ""
	for i := range 6 {
		name := fmt.Sprintf("a.aaaa@%d.s%d", i+2, i+1)
		fmt.Fprintf(&world, "n1 lvol lab.fast/%s a%d 64Mi 10 snapshot%s\n", name, i, parent)
		parent = " parent=" + name
	}
	world.WriteString("n1 lvol lab.fast/a.aaaa#8.1.7p ah 64Mi 1" + parent + "\n")
	world.WriteString("n4 lvol lab.fast/b.bbbb@2.s1 b1 64Mi 10 snapshot\nn4 lvol lab.fast/b.bbbb#3.1.2p bh 64Mi 1 parent=b.bbbb@2.s1\n")
	cfg, opt := plantest.Config(t, lab.String()), plan.Options{Nonce: []byte("x")}
	snap := plantest.World(t, "lab", world.String())
	p, err := Build(cfg, snap, opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := sameSlowly(cfg, snap, opt, p); err != nil {
		t.Error(err)
	}
}
