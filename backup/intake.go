package backup

import (
	"fmt"
	"sync"

	"strata/nvmetcp"
)

// grain is of what it is counted whether it has come, in bytes: the smallest cluster.
const grain = 64 << 10

// sink is what becomes of what a node sends.
type sink interface {
	ReadAt(p []byte, off int64) (int, error)
	WriteAt(p []byte, off int64) (int, error)
	ZeroAt(off, n int64) error
}

// intake is the disk that a node copies layers to: an image that is written, of which
// it is counted what came. What a connection that was lost sends again counts once.
type intake struct {
	to   sink
	size int64

	mu   sync.Mutex
	seen []uint64 // a bit for each grain
	ever []uint64 // of all layers
	n    int64
}

// next begins to count anew, for another layer.
func (in *intake) next() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.seen, in.n = make([]uint64, in.size/grain/64+1), 0
	if in.ever == nil {
		in.ever = make([]uint64, len(in.seen))
	}
}

// sent are the clusters that came, of whichever layer.
func (in *intake) sent() extents {
	in.mu.Lock()
	defer in.mu.Unlock()
	return extentsOf(in.ever)
}

// came is how many bytes have come.
func (in *intake) came() int64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.n * grain
}

func (in *intake) count(off, n int64) error {
	if off%grain != 0 || n%grain != 0 {
		return fmt.Errorf("%d bytes at %d are no whole clusters: %w", n, off, nvmetcp.InvalidField)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for g := off / grain; g < (off+n)/grain; g++ {
		if bit := uint64(1) << (g % 64); in.seen[g/64]&bit == 0 {
			in.seen[g/64] |= bit
			in.ever[g/64] |= bit
			in.n++
		}
	}
	return nil
}

// ReadAt reads zeroes: a node looks at a disk that it attaches.
func (in *intake) ReadAt(p []byte, off int64) (int, error) { return in.to.ReadAt(p, off) }

// WriteAt takes clusters, or whole parts of them.
func (in *intake) WriteAt(p []byte, off int64) (int, error) {
	n, err := in.to.WriteAt(p, off)
	if err == nil {
		err = in.count(off, int64(len(p)))
	}
	return n, err
}

// ZeroAt takes clusters that are zero.
func (in *intake) ZeroAt(off, n int64) error {
	if err := in.to.ZeroAt(off, n); err != nil {
		return err
	}
	return in.count(off, n)
}
