package balance

// Where there are few replicas all ways are gone through, within reason: what is moved one
// by one or in pairs is not always the least.
const (
	fewReplicas = 24
	searched    = 200_000
)

// search goes through what can be done with few replicas, the best so far being known, and
// returns what is better, if anything is.
type search struct {
	*solver
	homes   []home
	left    int // of what may be tried
	outside int64
	cost    int64
	best    []Move
}

// improve is the best way there is, if there are few replicas, or the one that was found.
func improve(pools []Pool, volumes []Volume, bands []Band, found *solver) []Move {
	s := &search{solver: newSolver(pools, volumes, bands), left: searched, outside: found.outside(), cost: found.cost(), best: found.moves}
	for _, in := range s.in {
		s.homes = append(s.homes, in...)
	}
	if len(s.homes) <= fewReplicas && s.cost > least(pools, bands) {
		s.try(0, 0)
	}
	return s.best
}

// try decides of all replicas from an index on.
func (s *search) try(i int, cost int64) {
	if s.left--; s.left < 0 || s.outside == 0 && cost >= s.cost {
		return
	}
	if i == len(s.homes) {
		if out := s.solver.outside(); out < s.outside || out == s.outside && cost < s.cost {
			s.outside, s.cost, s.best = out, cost, append([]Move(nil), s.moves...)
		}
		return
	}
	s.try(i+1, cost)
	for to := range s.pools {
		m := s.move(s.homes[i], to)
		if m.From == to || !s.fits(m) || !s.lawful(m) {
			continue
		}
		s.take(m)
		s.try(i+1, cost+m.Copied)
		s.moves = s.moves[:len(s.moves)-1]
		s.shift(m, -1)
	}
}

// least is how many bytes have to move at least: what is too much in some pools, or lacks in
// others.
func least(pools []Pool, bands []Band) int64 {
	var over, under int64
	for i, b := range bands {
		over += max(0, pools[i].Used-b.Most)
		under += max(0, b.Least-pools[i].Used)
	}
	return max(over, under)
}
