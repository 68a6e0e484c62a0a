package backup

import (
	"fmt"
	"math/bits"
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
// It takes two bits of memory for each cluster.
type intake struct {
	to            sink
	size, cluster int64 // bytes

	mu    sync.Mutex
	seen  []uint64           // a bit for each cluster that has come whole
	parts map[int64][]uint64 // a bit for each grain of those that have begun to come
	ever  []uint64           // a bit for each cluster of which anything has come, of all layers
	n     int64              // grains
}

// next begins to count anew, for another layer.
func (in *intake) next() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.seen, in.parts, in.n = make([]uint64, in.size/in.cluster/64+1), map[int64][]uint64{}, 0
	if in.ever == nil {
		in.ever = make([]uint64, len(in.seen))
	}
}

// sent are the clusters that came, of whichever layer.
func (in *intake) sent() extents {
	in.mu.Lock()
	defer in.mu.Unlock()
	all := extentsOf(in.ever)
	for i := range all {
		all[i][0] *= in.cluster / grain
		all[i][1] *= in.cluster / grain
	}
	return all
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
	for end := off + n; off < end; {
		c := off / in.cluster
		upTo := min(end, (c+1)*in.cluster)
		in.countIn(c, off%in.cluster/grain, (upTo-off)/grain)
		off = upTo
	}
	return nil
}

// countIn counts grains of a cluster. in.mu is held.
func (in *intake) countIn(c, first, n int64) {
	bit, all := uint64(1)<<(c%64), in.cluster/grain
	if in.seen[c/64]&bit != 0 {
		return
	}
	in.ever[c/64] |= bit
	part := in.parts[c]
	if part == nil {
		part = make([]uint64, all/64+1)
		in.parts[c] = part
	}
	for g := first; g < first+n; g++ {
		if bit := uint64(1) << (g % 64); part[g/64]&bit == 0 {
			part[g/64] |= bit
			in.n++
		}
	}
	came := 0
	for _, word := range part {
		came += bits.OnesCount64(word)
	}
	if int64(came) == all {
		in.seen[c/64] |= bit
		delete(in.parts, c)
	}
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
