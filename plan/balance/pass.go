package balance

// most bounds how many first moves are tried where it takes two.
const most = 64

// pass relieves a pool by two moves, where one will not do: a replica goes into a pool that
// gives another away, or takes the place of one that goes. It reports whether there are any.
func (s *solver) pass(pool int) bool {
	var best *[2]Move
	tried := 0
	for _, p := range s.emptiest() {
		for _, h := range s.in[p] {
			if !s.free(h) {
				continue
			}
			for _, q := range s.emptiest() {
				first := s.move(h, q)
				if p == q || p != pool && q != pool || !s.fits(first) || !s.lawful(first) {
					continue
				}
				if tried++; tried > most {
					break
				}
				best = s.second(first, best)
			}
		}
	}
	if best == nil {
		return false
	}
	s.take(best[0])
	s.take(best[1])
	return true
}

// second finds the cheapest move out of or into the pools of a first, with which less is
// outside of bands than without both; cheaper together than the best so far.
func (s *solver) second(first Move, best *[2]Move) *[2]Move {
	lost := -s.gain(first)
	s.shift(first, 1)
	defer s.shift(first, -1)
	try := func(h home, to int) {
		m := s.move(h, to)
		if m.From == to || !s.free(h) || h == (home{first.Volume, first.Replica}) || best != nil && first.Copied+m.Copied >= best[0].Copied+best[1].Copied {
			return
		}
		if s.gain(m) > lost && s.fits(m) && s.lawful(m) {
			best = &[2]Move{first, m}
		}
	}
	for _, h := range s.in[first.To] {
		for to := range s.pools {
			try(h, to)
		}
	}
	for from := range s.pools {
		if from != first.To {
			for _, h := range s.in[from] {
				try(h, first.From)
			}
		}
	}
	return best
}
