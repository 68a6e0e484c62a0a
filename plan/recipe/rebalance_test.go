package recipe

import (
	"fmt"
	"strings"
	"testing"

	"strata/plan"
	"strata/plan/plantest"
)

func TestRebalanceTry(t *testing.T) {
	var lab, w strings.Builder
	lab.WriteString("cluster: \"lab\"\n")
	for n := 1; n <= 3; n++ {
		fmt.Fprintf(&lab, "nodes: n%d: {rpc: \"unix:///n%d\", address: \"10.0.0.%d\", pools: fast: {aio: \"/dev/n%d\", format: true}}\n", n, n, n, n)
		fmt.Fprintf(&w, "n%d tcp\nn%d disk /dev/n%d lab.fast.disk claimed\nn%d lvstore lab.fast lab.fast.disk 1Mi 100\n", n, n, n, n)
	}
	for i, used := range []int{20, 10, 30} {
		name := string('a' + rune(i))
		fmt.Fprintf(&lab, "volumes: %s: {size: 64Mi, replicas: 1}\n", name)
		fmt.Fprintf(&w, "n1 lvol lab.fast/%s.%s#1.1s u%d 64Mi %d\n", name, strings.Repeat(name, 4), i, used)
	}
	cfg := plantest.Config(t, lab.String())
	snap := plantest.World(t, "lab", w.String())
	wishes, found := Rebalance(cfg, snap, nil, plan.Options{}, 0.1)
	t.Log(wishes, found)
	p, err := Build(cfg, snap, plan.Options{Wishes: wishes, Nonce: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(plantest.Text(p))
}
