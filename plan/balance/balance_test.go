package balance

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// small makes a case that can be searched through: pools on nodes of their own or two on
// one, volumes of one or two replicas.
func small(r *rand.Rand) ([]Pool, []Volume) {
	pools := make([]Pool, 3+r.IntN(2))
	domain := make([]string, len(pools))
	var all []int
	for i := range pools {
		pools[i] = Pool{Node: fmt.Sprintf("n%d", i), Size: int64(60 + 20*r.IntN(3))}
		if i == 3 && r.IntN(2) == 0 {
			pools[i].Node = "n0"
		}
		domain[i] = fmt.Sprintf("r%d", i%2)
		all = append(all, i)
	}
	var volumes []Volume
	for range 5 + r.IntN(2) {
		v := Volume{May: all}
		if r.IntN(4) == 0 {
			v.May = all[:len(all)-1]
		}
		if r.IntN(4) == 0 {
			v.Domain = domain
		}
		v.Once = r.IntN(4) == 0
		bytes := int64(1 + r.IntN(25))
		v.Need = bytes
		for range 1 + r.IntN(2) {
			p := r.IntN(1 + r.IntN(len(pools))) // the first have most
			if slices.ContainsFunc(v.Replicas, func(o Replica) bool { return pools[o.Pool].Node == pools[p].Node }) {
				continue
			}
			v.Replicas = append(v.Replicas, Replica{Pool: p, Bytes: bytes, Stays: r.IntN(6) == 0})
			pools[p].Used += bytes
			pools[p].Promised += v.Need
		}
		volumes = append(volumes, v)
	}
	for i := range pools {
		pools[i].Size = max(pools[i].Size, pools[i].Used)
	}
	return pools, volumes
}

// exhaustive is the least that is outside of bands, and the least bytes that take that.
func exhaustive(pools []Pool, volumes []Volume, within float64) (outside, cost int64) {
	s := newSolver(pools, volumes, Bands(pools, volumes, within))
	outside = -1
	var homes []home
	for i := range volumes {
		for j, r := range volumes[i].Replicas {
			if !r.Stays {
				homes = append(homes, home{i, j})
			}
		}
	}
	var try func(k int, spent int64)
	try = func(k int, spent int64) {
		if k == len(homes) {
			for i := range volumes {
				if !holds(pools, &volumes[i], s.at[i]) {
					return
				}
			}
			for p := range pools {
				if s.peak[p] > pools[p].Size {
					return
				}
			}
			if out := s.outside(); outside < 0 || out < outside || out == outside && spent < cost {
				outside, cost = out, spent
			}
			return
		}
		try(k+1, spent)
		h := homes[k]
		for _, q := range volumes[h.volume].May {
			if m := s.move(h, q); m.To != m.From {
				s.shift(m, 1)
				try(k+1, spent+m.Copied)
				s.shift(m, -1)
			}
		}
	}
	try(0, 0)
	return outside, cost
}

// holds reports whether a volume may have its replicas in these pools.
func holds(pools []Pool, v *Volume, at []int) bool {
	nodes, now, before, moved := map[string]bool{}, map[string]bool{}, map[string]bool{}, 0
	for i, p := range at {
		nodes[pools[p].Node] = true
		if p != v.Replicas[i].Pool {
			moved++
		}
		if pools[p].Node == pools[v.Replicas[i].Pool].Node && p != v.Replicas[i].Pool {
			return false // between pools of one node
		}
		if v.Domain != nil {
			now[v.Domain[p]], before[v.Domain[v.Replicas[i].Pool]] = true, true
		}
	}
	return len(nodes) == len(at) && (!v.Once || moved < 2) && len(now) >= len(before)
}

// TestNearOptimal holds what is found to what an exhaustive search finds. These are no bounds
// that are proven: it is what is found over many cases, and is not to get worse.
func TestNearOptimal(t *testing.T) {
	for _, of := range []struct {
		name         string
		moves        func(pools []Pool, volumes []Volume) []Move
		ratio, worst float64
		missed       float64
	}{
		{"greedy", func(p []Pool, v []Volume) []Move { return greedy(p, v, Bands(p, v, 0.1)).moves }, 1.05, 1.9, 0.12},
		{"all", func(p []Pool, v []Volume) []Move { return Moves(p, v, 0.1) }, 1.01, 1.2, 0.07},
	} {
		able, missed, same := 0, 0, 0
		var found, fewest int64
		worst := 1.0
		for seed := range uint64(200) {
			pools, volumes := small(rand.New(rand.NewPCG(seed, 1)))
			s := replay(t, pools, volumes, of.moves(pools, volumes))
			out, cost := exhaustive(pools, volumes, 0.1)
			if out > 0 || cost == 0 {
				continue // no moves bring all in, or all are
			}
			able++
			if s.outside() > 0 {
				missed++
				continue
			}
			found, fewest = found+s.cost(), fewest+cost
			if s.cost() == cost {
				same++
			}
			worst = max(worst, float64(s.cost())/float64(cost))
		}
		ratio := float64(found) / float64(fewest)
		t.Logf("%s: of %d, %d not brought in, %d by the fewest bytes; all by %.3f of the fewest, the worst by %.2f", of.name, able, missed, same, ratio, worst)
		if ratio > of.ratio || worst > of.worst || float64(missed) > of.missed*float64(able) {
			t.Errorf("%s is worse than it was: %.3f, %.2f, %d of %d", of.name, ratio, worst, missed, able)
		}
	}
}

// replay makes the moves, and makes sure that each may be made.
func replay(t *testing.T, pools []Pool, volumes []Volume, moves []Move) *solver {
	t.Helper()
	s := newSolver(pools, volumes, Bands(pools, volumes, 0.1))
	for _, m := range moves {
		r := volumes[m.Volume].Replicas[m.Replica]
		if r.Stays || m.From != r.Pool || m.Bytes != r.Bytes || !slices.Contains(volumes[m.Volume].May, m.To) {
			t.Fatalf("%+v", m)
		}
		s.take(m)
	}
	for i := range volumes {
		if !holds(pools, &volumes[i], s.at[i]) {
			t.Fatalf("volume %d: %v", i, s.at[i])
		}
	}
	for p := range pools {
		if s.peak[p] > pools[p].Size {
			t.Fatalf("pool %d is full on the way", p)
		}
	}
	return s
}

// large is a cluster to which some empty nodes have come.
func large(nodes, fresh, volumes int) ([]Pool, []Volume) {
	r := rand.New(rand.NewPCG(1, 2))
	pools := make([]Pool, nodes)
	var all []int
	for i := range pools {
		pools[i] = Pool{Node: fmt.Sprintf("n%03d", i), Size: 10 << 40}
		all = append(all, i)
	}
	list := make([]Volume, volumes)
	for i := range list {
		v := Volume{May: all, Need: 100 << 30}
		bytes := int64(1+r.IntN(50)) << 30
		for len(v.Replicas) < 2 {
			p := r.IntN(nodes - fresh)
			if len(v.Replicas) == 1 && v.Replicas[0].Pool == p {
				continue
			}
			v.Replicas = append(v.Replicas, Replica{Pool: p, Bytes: bytes})
			pools[p].Used += bytes
			pools[p].Promised += v.Need
		}
		list[i] = v
	}
	return pools, list
}

func TestLarge(t *testing.T) {
	pools, volumes := large(100, 10, 10000)
	start := time.Now()
	moves := Moves(pools, volumes, 0.1)
	took := time.Since(start)
	s := replay(t, pools, volumes, moves)
	var must int64
	for i, b := range s.bands {
		must += max(0, b.Least-pools[i].Used)
	}
	t.Logf("%d moves in %v, %.3f of what empty pools lack", len(moves), took, float64(s.cost())/float64(must))
	if s.outside() > 0 || len(moves) == 0 {
		t.Errorf("%d moves leave %d outside", len(moves), s.outside())
	}
	if again := Moves(pools, volumes, 0.1); !reflect.DeepEqual(again, moves) {
		t.Error("the same input gives other moves")
	}
}
