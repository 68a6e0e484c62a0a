package backup

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"strata/scrub"
)

// Sums has the node send one layer, and keeps the sums of its blocks and nothing else, at
// most rate bytes a second; 0 is as fast as they come.
func (j *Job) Sums(ctx context.Context, rate int64, tell func(copied, total uint64)) ([]scrub.Sum, error) {
	shape, err := j.shape(ctx)
	if err != nil {
		return nil, err
	}
	to := &summing{block: j.Record.Block, size: shape.size, pace: pace{rate: rate}, parts: map[int64]*part{}}
	if shape.clusters > 0 {
		if _, _, err := j.send(ctx, to, shape, tell); err != nil {
			return nil, err
		}
	}
	if len(to.parts) > 0 {
		return nil, fmt.Errorf("%d blocks have come in part", len(to.parts))
	}
	return scrub.Sort(to.sums), nil
}

// summing takes blocks, and keeps what they sum up to.
type summing struct {
	block, size int64

	mu    sync.Mutex
	pace  pace
	parts map[int64]*part // blocks that have come in part
	sums  []scrub.Sum
}

// part is a block of which some has come.
type part struct {
	data []byte
	came map[int64]int64 // lengths by where they begin
}

// ReadAt reads zeroes: a node looks at a disk that it attaches.
func (s *summing) ReadAt(p []byte, _ int64) (int, error) {
	clear(p)
	return len(p), nil
}

func (s *summing) WriteAt(p []byte, off int64) (int, error) {
	for done := int64(0); done < int64(len(p)); {
		at, from := (off+done)/s.block, (off+done)%s.block
		n := min(s.block-from, int64(len(p))-done)
		s.take(at, from, p[done:done+n])
		done += n
	}
	s.wait(int64(len(p)))
	return len(p), nil
}

func (s *summing) ZeroAt(off, n int64) error {
	zeros := make([]byte, min(n, s.block))
	for n > 0 {
		most := min(n, s.block-off%s.block)
		if _, err := s.WriteAt(zeros[:most], off); err != nil {
			return err
		}
		off, n = off+most, n-most
	}
	return nil
}

// take takes a part of a block.
func (s *summing) take(at, from int64, data []byte) {
	length := min(s.block, s.size-at*s.block)
	if int64(len(data)) == length {
		s.add(at, data)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parts[at]
	if p == nil {
		p = &part{make([]byte, length), map[int64]int64{}}
		s.parts[at] = p
	}
	copy(p.data[from:], data)
	p.came[from] = int64(len(data))
	total := int64(0)
	for _, n := range p.came {
		total += n
	}
	if total >= length {
		delete(s.parts, at)
		s.sums = append(s.sums, scrub.Sum{At: at, SHA256: sha256.Sum256(p.data)})
	}
}

func (s *summing) add(at int64, data []byte) {
	sum := sha256.Sum256(data)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.parts, at)
	s.sums = append(s.sums, scrub.Sum{At: at, SHA256: sum})
}

// wait answers no sooner than the rate allows: a target sends one cluster after another.
func (s *summing) wait(n int64) {
	s.mu.Lock()
	at := s.pace.take(time.Now(), n)
	s.mu.Unlock()
	time.Sleep(time.Until(at))
}
