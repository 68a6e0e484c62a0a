package balance

import (
	"cmp"
	"slices"
)

// rounds bounds how often moves are gone through to make them cheaper.
const rounds = 4

// thorough bounds the replicas times moves up to which a move is exchanged for one between
// other pools, too.
const thorough = 200_000

// cheapen leaves moves out that are not needed, and exchanges others for cheaper ones, as long as no
// more is outside of bands then.
func (s *solver) cheapen() {
	for range rounds {
		before := s.cost()
		s.drop()
		s.exchange()
		if s.cost() == before {
			break
		}
	}
	s.drop()
}

// count is how many moves there are.
func (s *solver) count() (n int) {
	for _, m := range s.moves {
		if m.From != m.To {
			n++
		}
	}
	return n
}

// dearest are the indices of the moves, those that copy most first.
func (s *solver) dearest() []int {
	all := make([]int, len(s.moves))
	for i := range all {
		all[i] = i
	}
	slices.SortStableFunc(all, func(a, b int) int { return -cmp.Compare(s.moves[a].Copied, s.moves[b].Copied) })
	return all
}

// drop unmakes moves that are not needed.
func (s *solver) drop() {
	for _, i := range s.dearest() {
		m := s.moves[i]
		if m.From == m.To {
			continue
		}
		lost := s.lost(m)
		s.shift(m, -1)
		if lost > 0 || !s.promisesStill(m.From) || !s.sound(m.Volume) {
			s.shift(m, 1)
			continue
		}
		s.forget(i)
	}
}

// promisesStill reports whether a pool is promised no more than it may be.
func (s *solver) promisesStill(p int) bool {
	return s.pools[p].Limit == 0 || s.promised[p] <= max(s.pools[p].Limit, s.pools[p].Promised)
}

// sound reports whether the replicas of a volume may be where they are, one move being
// unmade: another may have come to where it was.
func (s *solver) sound(volume int) bool {
	v, at := &s.volumes[volume], s.at[volume]
	for i, p := range at {
		for _, o := range at[:i] {
			if s.pools[o].Node == s.pools[p].Node {
				return false
			}
		}
	}
	return v.Domain == nil || domains(v, at, 0, at[0]) >= v.spread()
}

// forget takes a move out that is unmade.
func (s *solver) forget(i int) {
	m := &s.moves[i]
	delete(s.moved, home{m.Volume, m.Replica})
	m.To, m.Bytes, m.Copied = m.From, 0, 0
}

// exchange makes a cheaper move out of the same pool, or into it, in place of each for which
// there is one.
func (s *solver) exchange() {
	wide := s.replicas()*len(s.moves) <= thorough
	for _, i := range s.dearest() {
		m := s.moves[i]
		if m.From == m.To {
			continue
		}
		gain := s.lost(m)
		s.shift(m, -1)
		if !s.sound(m.Volume) {
			s.shift(m, 1)
			continue
		}
		delete(s.moved, home{m.Volume, m.Replica})
		best := m
		try := func(h home, to int) {
			if o := s.move(h, to); o.Copied < best.Copied && o.From != to && s.free(h) && s.gain(o) >= gain && s.fits(o) && s.lawful(o) {
				best = o
			}
		}
		for from, homes := range s.in {
			for _, h := range homes {
				switch {
				case from != m.From:
					if wide {
						try(h, m.To)
					}
				case wide:
					for to := range s.pools {
						try(h, to)
					}
				default:
					try(h, m.To)
				}
			}
		}
		s.moved[home{best.Volume, best.Replica}] = i
		s.moves[i] = best
		s.shift(best, 1)
	}
}

// lost is how much more would be outside of bands without a move that was made.
func (s *solver) lost(m Move) int64 {
	m.From, m.To = m.To, m.From
	return -s.gain(m)
}
