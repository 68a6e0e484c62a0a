package balance

import (
	"cmp"
	"slices"
)

// settle makes moves until no pool is outside of its band for which there is one. The pool
// that is farthest outside comes first.
func (s *solver) settle(pick func([]candidate, int64) *candidate) {
	given := make([]bool, len(s.pools))
	for {
		worst := -1
		for i, b := range s.bands {
			if out := b.Outside(s.used[i]); out > 0 && !given[i] && (worst < 0 || out > s.bands[worst].Outside(s.used[worst])) {
				worst = i
			}
		}
		if worst < 0 {
			return
		}
		lacks := s.bands[worst].Outside(s.used[worst])
		c := pick(s.around(worst, s.good), lacks)
		if c == nil {
			c = pick(s.around(worst, s.able), lacks)
		}
		switch {
		case c != nil:
			s.take(c.Move)
		case !s.pass(worst):
			given[worst] = true
		}
	}
}

// around are moves that relieve a pool: out of it if it is too full, else into it.
func (s *solver) around(p int, may func(home, int) (candidate, bool)) []candidate {
	if s.used[p] > s.bands[p].Most {
		return s.out(p, may)
	}
	return s.into(p, may)
}

// emptiest are the pools, those first that are least full.
func (s *solver) emptiest() []int {
	all := make([]int, len(s.pools))
	for i := range all {
		all[i] = i
	}
	fill := func(i int) float64 {
		if s.pools[i].Size == 0 {
			return 1
		}
		return float64(s.used[i]) / float64(s.pools[i].Size)
	}
	slices.SortStableFunc(all, func(a, b int) int { return cmp.Compare(fill(a), fill(b)) })
	return all
}

// out are moves of replicas out of a pool, each into the emptiest that can have it.
func (s *solver) out(from int, may func(home, int) (candidate, bool)) (all []candidate) {
	order := s.emptiest()
	for _, h := range s.in[from] {
		if !s.free(h) {
			continue
		}
		for _, to := range order {
			if c, ok := may(h, to); ok && to != from {
				all = append(all, c)
				break
			}
		}
	}
	return all
}

// into are moves of replicas into a pool, out of the fullest that can give any.
func (s *solver) into(to int, may func(home, int) (candidate, bool)) (all []candidate) {
	for _, from := range slices.Backward(s.emptiest()) {
		if from == to {
			continue
		}
		for _, h := range s.in[from] {
			if s.free(h) {
				if c, ok := may(h, to); ok {
					all = append(all, c)
				}
			}
		}
		if len(all) > 0 {
			return all
		}
	}
	return nil
}
