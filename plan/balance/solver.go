package balance

import "slices"

// solver has where replicas are while moves are looked for.
type solver struct {
	pools   []Pool
	volumes []Volume
	bands   []Band

	used     []int64 // bytes, once all is moved
	peak     []int64 // bytes, while nothing has gone yet
	promised []int64
	at       [][]int  // pools of the replicas of each volume
	in       [][]home // replicas in each pool when it began that may move
	may      map[list][]bool
	moved    map[home]int // index of a move
	moves    []Move
}

// home is a replica of a volume.
type home struct{ volume, replica int }

// list tells slices apart that volumes share.
type list struct {
	first *int
	len   int
}

func listOf(all []int) list {
	if len(all) == 0 {
		return list{}
	}
	return list{&all[0], len(all)}
}

func newSolver(pools []Pool, volumes []Volume, bands []Band) *solver {
	s := &solver{pools: pools, volumes: volumes, bands: bands, in: make([][]home, len(pools)), may: map[list][]bool{}, moved: map[home]int{}}
	for _, p := range pools {
		s.used = append(s.used, p.Used)
		s.peak = append(s.peak, p.Used+p.Spare)
		s.promised = append(s.promised, p.Promised)
	}
	for i := range volumes {
		v := &volumes[i]
		at := make([]int, len(v.Replicas))
		for j, r := range v.Replicas {
			at[j] = r.Pool
			if !r.Stays && r.Bytes > 0 {
				s.in[r.Pool] = append(s.in[r.Pool], home{i, j})
			}
		}
		s.at = append(s.at, at)
		if l := listOf(v.May); s.may[l] == nil {
			is := make([]bool, len(pools))
			for _, q := range v.May {
				is[q] = true
			}
			s.may[l] = is
		}
	}
	return s
}

// outside is by how many bytes pools are outside of their bands.
func (s *solver) outside() (sum int64) {
	for i, b := range s.bands {
		sum += b.Outside(s.used[i])
	}
	return sum
}

// cost is how many bytes are copied.
func (s *solver) cost() (sum int64) {
	for _, m := range s.moves {
		sum += m.Copied
	}
	return sum
}

// move is that of a replica to a pool.
func (s *solver) move(h home, to int) Move {
	v := &s.volumes[h.volume]
	r := v.Replicas[h.replica]
	return Move{h.volume, h.replica, r.Pool, to, r.Bytes, max(0, r.Bytes-v.Begun[to])}
}

// lawful reports whether a replica may be in a pool, whatever is full: the volume has none on
// that node, as many failure domains as now, and the pool is promised no more than it may.
func (s *solver) lawful(m Move) bool {
	v, at := &s.volumes[m.Volume], s.at[m.Volume]
	if !s.may[listOf(v.May)][m.To] {
		return false
	}
	for i, p := range at {
		if s.pools[p].Node == s.pools[m.To].Node || v.Once && i != m.Replica && p != v.Replicas[i].Pool {
			return false
		}
	}
	if v.Domain != nil && domains(v, at, m.Replica, m.To) < domains(v, at, m.Replica, at[m.Replica]) {
		return false
	}
	_, begun := v.Begun[m.To] // it is promised there already
	return begun || s.promises(m)
}

// spread is how many failure domains a volume has replicas in.
func (v *Volume) spread() int {
	at := make([]int, len(v.Replicas))
	for i, r := range v.Replicas {
		at[i] = r.Pool
	}
	return domains(v, at, 0, at[0])
}

// domains counts the failure domains of a volume's replicas, with one of them in a pool.
func domains(v *Volume, at []int, replica, pool int) (n int) {
	at = slices.Clone(at)
	at[replica] = pool
	for i, p := range at {
		if !slices.ContainsFunc(at[:i], func(o int) bool { return v.Domain[o] == v.Domain[p] }) {
			n++
		}
	}
	return n
}

// promises reports whether a pool may be promised a replica: no more than is allowed or, if
// nobody has said, than it has; or else it is no worse off than where it comes from.
func (s *solver) promises(m Move) bool {
	from, to, need := &s.pools[m.From], &s.pools[m.To], s.volumes[m.Volume].Need
	then := s.promised[m.To] + need
	if to.Limit > 0 {
		return then <= to.Limit
	}
	return then <= to.Size || from.Size > 0 && float64(then)/float64(to.Size) <= float64(s.promised[m.From])/float64(from.Size)
}

// fits reports whether a pool has room for what is copied, while nothing has gone yet.
func (s *solver) fits(m Move) bool { return s.peak[m.To]+m.Copied <= s.pools[m.To].Size }

// able is a move that may be made with which less is outside of bands.
func (s *solver) able(h home, to int) (candidate, bool) {
	m := s.move(h, to)
	gain := s.gain(m)
	if gain <= 0 || !s.fits(m) || !s.lawful(m) {
		return candidate{}, false
	}
	return candidate{m, gain, s.volumes[h.volume].Replicas[h.replica].Last}, true
}

// gain is how much less is outside of bands with a move.
func (s *solver) gain(m Move) int64 {
	from, to := s.bands[m.From], s.bands[m.To]
	return from.Outside(s.used[m.From]) - from.Outside(s.used[m.From]-m.Bytes) + to.Outside(s.used[m.To]) - to.Outside(s.used[m.To]+m.Bytes)
}

// good is an able move that brings neither pool out of its band.
func (s *solver) good(h home, to int) (candidate, bool) {
	m := s.move(h, to)
	if s.used[to]+m.Bytes > s.bands[to].Most || s.used[m.From]-m.Bytes < s.bands[m.From].Least {
		return candidate{}, false
	}
	return s.able(h, to)
}

// take makes a move.
func (s *solver) take(m Move) {
	s.shift(m, 1)
	s.moved[home{m.Volume, m.Replica}] = len(s.moves)
	s.moves = append(s.moves, m)
}

// shift makes a move, or with -1 unmakes it.
func (s *solver) shift(m Move, sign int64) {
	need := s.volumes[m.Volume].Need
	s.used[m.From] -= sign * m.Bytes
	s.used[m.To] += sign * m.Bytes
	s.peak[m.To] += sign * m.Copied
	s.promised[m.From] -= sign * need
	s.promised[m.To] += sign * need
	s.at[m.Volume][m.Replica] = m.To
	if sign < 0 {
		s.at[m.Volume][m.Replica] = m.From
	}
}

// free reports whether a replica has not been moved.
func (s *solver) free(h home) bool {
	_, is := s.moved[h]
	return !is
}
