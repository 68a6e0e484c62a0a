package recipe

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// TestPoolsMove makes histories in which every node has two pools, and volumes are to be
// now in one and now in the other, or one replaces the other.
func TestPoolsMove(t *testing.T) {
	if *replay != 0 {
		newPoolHistory(*replay).told(t, *replay, nil)
		return
	}
	many(t, *histories/2, newPoolHistory)
}

func newPoolHistory(seed int64) *history {
	h := &history{Rand: rand.New(rand.NewSource(seed)), word: map[lineage.Volume]lineage.Node{}, kinds: 12, pools: true}
	h.cfg = h.config()
	h.c = newCluster(h.Rand, h.cfg, seed%3 == 0)
	h.foreigners()
	return h
}

// editPools has a pool replaced by the other of its node, or no more; or a volume be in one.
func (h *history) editPools() {
	if len(h.cfg.Volumes) > 0 && h.Intn(2) == 0 {
		i := h.Intn(len(h.cfg.Volumes))
		v := *h.cfg.Volumes[i]
		v.Replicas.Pool = []string{"", "fast", "slow"}[h.Intn(3)]
		h.cfg.Volumes[i] = &v
		return
	}
	i := h.Intn(len(h.cfg.Nodes))
	n := *h.cfg.Nodes[i]
	n.Pools = slices.Clone(n.Pools)
	for j := range n.Pools {
		p := *n.Pools[j]
		p.Replaces, p.ReplacedBy = "", ""
		n.Pools[j] = &p
	}
	if old := h.Intn(3); old < len(n.Pools) {
		by := n.Pools[1-old]
		by.Replaces, n.Pools[old].ReplacedBy = n.Pools[old].Name, by.Name
	}
	h.cfg.Nodes[i] = &n
}

// misplaced says of a replica of a volume with which nothing is in the way that it is where
// none is to be.
func (h *history) misplaced(v *schema.Volume, verdict state.Verdict) string {
	for _, l := range verdict.Legs {
		if l.Head == nil {
			continue
		}
		n := h.cfg.Node(l.Node)
		for _, p := range n.Pools {
			if why := v.Replicas.KeptOut(n, p); p.Lvstore == l.Head.Lvol.Lvstore && why != "" {
				return fmt.Sprintf("%s of %s is in %s: %s", l.Head.Name.Lvol(), v.Name, p.Name, why)
			}
		}
	}
	return ""
}
