package balance

import (
	"cmp"
	"slices"
)

// mostWays bounds in how many ways greedy tries to go on with what was begun, and
// waysTimes the replicas times ways.
const (
	mostWays  = 256
	waysTimes = 20_000
)

// way says of each volume that an earlier run has begun to move which of its moves is gone
// on with: nothing tells any more which replica was to go.
type way []Move

// ways are those in which it can be gone on, the first of which takes what relieves pools
// most, as far as there are few.
func (s *solver) ways() []way {
	most := mostWays
	if n := s.replicas(); n > 0 {
		most = max(1, min(most, waysTimes/n))
	}
	all := []way{nil}
	for i := range s.volumes {
		moves := s.goingOn(i)
		if len(moves) == 0 {
			continue
		}
		if len(all)*(len(moves)+1) > most {
			moves = moves[:1]
		}
		var next []way
		for _, w := range all {
			for _, m := range moves {
				next = append(next, append(w[:len(w):len(w)], m))
			}
			if len(all)*(len(moves)+1) <= most {
				next = append(next, w)
			}
		}
		all = next
	}
	return all
}

// goingOn are the moves that go on with what was begun of a volume, those first that relieve
// pools most.
func (s *solver) goingOn(volume int) (all []Move) {
	v := &s.volumes[volume]
	for to := range s.pools {
		_, begun := v.Begun[to]
		for j := range v.Replicas {
			if m := s.move(home{volume, j}, to); begun && !v.Replicas[j].Stays && m.Bytes > 0 && s.fits(m) && s.lawful(m) {
				all = append(all, m)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Move) int {
		return cmp.Or(cmp.Compare(a.Copied, b.Copied), -cmp.Compare(s.gain(a), s.gain(b)))
	})
	return all
}

// goOn makes the moves of a way that can be made.
func (s *solver) goOn(w way) {
	for _, m := range w {
		if s.fits(m) && s.lawful(m) {
			s.take(m)
		}
	}
}

// replicas counts those that may move.
func (s *solver) replicas() (n int) {
	for _, in := range s.in {
		n += len(in)
	}
	return n
}
