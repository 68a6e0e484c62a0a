package balance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// fewestOutside is the least by which nodes can be outside of their share.
func fewestOutside(nodes []string, served []Served, within float64) (off, handovers int) {
	least, most := Share(nodes, served, within)
	at := make([]string, len(served))
	off = -1
	var try func(i, moved int)
	try = func(i, moved int) {
		if i < len(served) {
			for _, n := range append([]string{served[i].At}, served[i].May...) {
				if at[i] = n; n == served[i].At {
					try(i+1, moved)
				} else {
					try(i+1, moved+1)
				}
			}
			return
		}
		out := 0
		for _, n := range nodes {
			load := 0
			for _, o := range at {
				if o == n {
					load++
				}
			}
			out += max(0, load-most) + max(0, least-load)
		}
		if off < 0 || out < off || out == off && moved < handovers {
			off, handovers = out, moved
		}
	}
	try(0, 0)
	return off, handovers
}

// TestHandovers holds them to an exhaustive search: as good, by no more than two more.
func TestHandovers(t *testing.T) {
	more := 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		nodes := []string{"n0", "n1", "n2", "n3"}
		var served []Served
		for range 4 + r.IntN(5) {
			at := r.IntN(1 + r.IntN(4))
			s := Served{At: nodes[at]}
			for i, n := range nodes {
				if i != at && r.IntN(2) == 0 {
					s.May = append(s.May, n)
				}
			}
			served = append(served, s)
		}
		got := Handovers(nodes, served, 0.1)
		after := slices.Clone(served)
		for _, h := range got {
			if after[h.Volume].At != h.From || !slices.Contains(after[h.Volume].May, h.To) {
				t.Fatal(seed, h)
			}
			after[h.Volume] = Served{At: h.To}
		}
		for i := range after {
			after[i].May = nil
		}
		off, fewest := fewestOutside(nodes, served, 0.1)
		is, _ := fewestOutside(nodes, after, 0.1)
		if is != off {
			t.Errorf("case %d: %d outside, and it can be %d: %v", seed, is, off, got)
		}
		if more += len(got) - fewest; len(got) > fewest+2 {
			t.Errorf("case %d: %d handovers, and %d do: %v", seed, len(got), fewest, got)
		}
	}
	t.Logf("%d more handovers than would do", more)
}

func TestHandoversLarge(t *testing.T) {
	var nodes []string
	for i := range 100 {
		nodes = append(nodes, fmt.Sprintf("n%03d", i))
	}
	var served []Served
	r := rand.New(rand.NewPCG(4, 4))
	for range 10000 {
		served = append(served, Served{At: nodes[r.IntN(50)], May: []string{nodes[r.IntN(100)], nodes[50+r.IntN(50)]}})
	}
	least, most := Share(nodes, served, 0.1)
	load := map[string]int{}
	for _, s := range served {
		load[s.At]++
	}
	for _, h := range Handovers(nodes, served, 0.1) {
		load[h.From]--
		load[h.To]++
	}
	for _, n := range nodes {
		if load[n] < least || load[n] > most {
			t.Errorf("%s serves %d, which is not %d to %d", n, load[n], least, most)
		}
	}
}
