package balance

import (
	"math"
	"slices"
)

// Served is a volume that a node serves.
type Served struct {
	At  string   // the node
	May []string // nodes that can serve it instead, sorted
}

// Handover is a volume that another node is to serve.
type Handover struct {
	Volume   int // index
	From, To string
}

// Share is how many volumes each node is to serve, if that can be done: within so much of the
// mean, in whole volumes.
func Share(nodes []string, served []Served, within float64) (least, most int) {
	if len(nodes) == 0 {
		return 0, 0
	}
	mean := float64(len(served)) / float64(len(nodes))
	return int(math.Floor(mean * (1 - within))), int(math.Ceil(mean * (1 + within)))
}

// Handovers are few that bring the nodes that serve too many volumes or too few within
// their share, as far as that can be done: no byte is copied for it.
func Handovers(nodes []string, served []Served, within float64) []Handover {
	least, most := Share(nodes, served, within)
	e := &engines{served: served, at: make([]string, len(served)), load: map[string]int{}}
	for i, s := range served {
		e.at[i] = s.At
		e.load[s.At]++
	}
	for e.relieve(nodes, least, most) {
	}
	return e.handovers()
}

type engines struct {
	served []Served
	at     []string
	load   map[string]int
}

// relieve helps a node that serves too many volumes or too few. It reports whether there is
// one that can be helped.
func (e *engines) relieve(nodes []string, least, most int) bool {
	var giving []string // those first that serve most
	for _, n := range nodes {
		if e.load[n] > least {
			giving = append(giving, n)
		}
	}
	slices.SortStableFunc(giving, func(a, b string) int { return e.load[b] - e.load[a] })
	for _, n := range nodes {
		if e.load[n] > most && e.shift([]string{n}, func(o string) bool { return slices.Contains(nodes, o) && e.load[o] < most }) ||
			e.load[n] < least && e.shift(giving, func(o string) bool { return o == n }) {
			return true
		}
	}
	return false
}

// shift hands a volume over from one of these nodes to one that takes it, or along a chain of
// nodes that each hand on another, the shortest there is.
func (e *engines) shift(from []string, takes func(string) bool) bool {
	type hop struct{ volume, before int }
	reached, by := slices.Clone(from), map[string]hop{}
	for _, n := range from {
		by[n] = hop{-1, -1}
	}
	for i := 0; i < len(reached); i++ {
		for v := range e.served {
			if e.at[v] != reached[i] {
				continue
			}
			for _, to := range e.served[v].May {
				if _, seen := by[to]; seen {
					continue
				}
				by[to] = hop{v, i}
				if reached = append(reached, to); !takes(to) {
					continue
				}
				e.load[to]++
				at := to
				for ; by[at].before >= 0; at = reached[by[at].before] {
					e.at[by[at].volume] = at
				}
				e.load[at]--
				return true
			}
		}
	}
	return false
}

func (e *engines) handovers() (all []Handover) {
	for v, at := range e.at {
		if from := e.served[v].At; from != at {
			all = append(all, Handover{v, from, at})
		}
	}
	return all
}
