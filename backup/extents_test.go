package backup

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// What is done to extents is what is done to the bits that they stand for.
func TestExtents(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func() []uint64 {
		bits := make([]uint64, 4)
		for i := range bits {
			bits[i] = r.Uint64() & r.Uint64() // sparse
		}
		return bits
	}
	has := func(e extents) map[int64]bool {
		all := map[int64]bool{}
		for i, x := range e {
			if x[1] <= 0 || i > 0 && e[i-1][0]+e[i-1][1] >= x[0] {
				t.Fatalf("they touch, or are not in order: %v", e)
			}
			for n := range x[1] {
				all[x[0]+n] = true
			}
		}
		return all
	}
	for range 200 {
		a, b := random(), random()
		both, only := make([]uint64, 4), make([]uint64, 4)
		for i := range a {
			both[i], only[i] = a[i]|b[i], a[i]&^b[i]
		}
		x, y := extentsOf(a), extentsOf(b)
		for name, c := range map[string]struct {
			got  extents
			want []uint64
		}{"of": {x, a}, "with": {x.with(y), both}, "without": {x.without(y), only}} {
			want := map[int64]bool{}
			for i, word := range c.want {
				for n := range 64 {
					if word&(1<<n) != 0 {
						want[int64(i*64+n)] = true
					}
				}
			}
			if got := has(c.got); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%s: %v, not %v", name, got, want)
			}
		}
		few := x.few(5)
		got := has(few)
		for n := range has(x) {
			if !got[n] || len(few) > 5 {
				t.Fatalf("%v of %v lack %d", few, x, n)
			}
		}
	}
}
