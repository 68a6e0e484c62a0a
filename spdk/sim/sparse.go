package sim

import (
	"bytes"
)

// pageSize is the grain of the sparse memory behind disks.
const pageSize = 4096

type page = [pageSize]byte

// medium is where the bytes of a disk are.
type medium interface {
	readAt(p []byte, off int64) error
	writeAt(p []byte, off int64) error
	discard(off, n int64) error
	// written calls f for every part that may have been written to.
	written(f func(off, n int64) error) error
	close() error
}

// sparse is memory that costs only what was written. Pages are never changed
// once stored, so copies share them.
type sparse struct {
	pages map[int64]*page
}

func newSparse() *sparse { return &sparse{pages: map[int64]*page{}} }

func (s *sparse) readAt(p []byte, off int64) error {
	for len(p) > 0 {
		at := int(off % pageSize)
		n := min(len(p), pageSize-at)
		if pg := s.pages[off/pageSize]; pg != nil {
			copy(p[:n], pg[at:])
		} else {
			clear(p[:n])
		}
		p, off = p[n:], off+int64(n)
	}
	return nil
}

func (s *sparse) writeAt(p []byte, off int64) error {
	for len(p) > 0 {
		at := int(off % pageSize)
		n := min(len(p), pageSize-at)
		old := s.pages[off/pageSize]
		if old != nil || !zero(p[:n]) {
			pg := new(page)
			if old != nil && n < pageSize {
				*pg = *old
			}
			copy(pg[at:], p[:n])
			s.pages[off/pageSize] = pg
		}
		p, off = p[n:], off+int64(n)
	}
	return nil
}

func (s *sparse) discard(off, n int64) error {
	for i := (off + pageSize - 1) / pageSize; i < (off+n)/pageSize; i++ {
		delete(s.pages, i)
	}
	return nil
}

func (s *sparse) written(f func(off, n int64) error) error {
	for i := range s.pages {
		if err := f(i*pageSize, pageSize); err != nil {
			return err
		}
	}
	return nil
}

func (s *sparse) close() error { return nil }

// zero reports whether all bytes are 0: the first is, and each is as the next.
func zero(p []byte) bool { return len(p) == 0 || p[0] == 0 && bytes.Equal(p[:len(p)-1], p[1:]) }
