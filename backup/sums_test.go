package backup

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"strata/scrub"
)

// Blocks come in whole, in parts, over two blocks, as zeroes, and again after a connection
// was lost; the last one is shorter.
func TestSumming(t *testing.T) {
	const block, size = 64 << 10, 5*64<<10 - 4096
	data := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	clear(data[2*block : 3*block])
	s := &summing{block: block, size: size, parts: map[int64]*part{}}
	write := func(from, to int64) {
		if n, err := s.WriteAt(data[from:to], from); err != nil || int64(n) != to-from {
			t.Fatal(n, err)
		}
	}
	write(block, block+4096)
	write(4*block, size)
	write(0, block)
	write(block+4096, 2*block)
	if err := s.ZeroAt(2*block, block); err != nil {
		t.Fatal(err)
	}
	write(0, block)
	if len(s.parts) != 0 {
		t.Errorf("%d blocks are left in part", len(s.parts))
	}
	var want []scrub.Sum
	for _, at := range []int64{0, 1, 2, 4} {
		want = append(want, scrub.Sum{At: at, SHA256: sha256.Sum256(data[at*block : min((at+1)*block, size)])})
	}
	if got := scrub.Sort(s.sums); !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
}

func TestSummingAtARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &summing{block: 1 << 20, size: 128 << 20, pace: pace{rate: 8 << 20}, parts: map[int64]*part{}}
		next := int64(0)
		take := func(mib int64) time.Duration {
			start := time.Now()
			for range mib {
				if _, err := s.WriteAt(make([]byte, 1<<20), next); err != nil {
					t.Fatal(err)
				}
				next += 1 << 20
			}
			return time.Since(start)
		}
		if took := take(32); took != 4*time.Second {
			t.Errorf("32 MiB took %v", took)
		}
		time.Sleep(30 * time.Second) // the node stands still, and goes on
		if took := take(32); took != 4*time.Second-caughtUp {
			t.Errorf("after it stood still, 32 MiB took %v", took)
		}
		start := time.Now()
		for range 32 { // each is on its way for a while
			time.Sleep(20 * time.Millisecond)
			take(1)
		}
		if took := time.Since(start); took != 4*time.Second {
			t.Errorf("32 MiB that are on their way took %v", took)
		}
	})
}
