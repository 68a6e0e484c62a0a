package spdk

import (
	"errors"
	"io"
	"math/bits"
	"sync"
)

// recordBuffer reads whole objects from a stream. Its memory grows with the
// object and goes back to a pool shared by all connections, so that a hundred
// idle connections cost little.
type recordBuffer struct {
	buf   []byte
	start int // the next object begins here
	frame frame
	taken int // length of the object last returned, still in buf
	limit int // bytes an object may have
}

const (
	smallBuffer = 64 << 10
	maxRecord   = 256 << 20
)

var errTooLong = errors.New("reply exceeds 256 MiB")

// next returns the next object and the frame that describes it. Both are valid
// until the following call.
func (r *recordBuffer) next(src io.Reader) ([]byte, *frame, error) {
	r.start += r.taken
	r.taken = 0
	r.frame = frame{}
	for {
		if r.frame.pos == 0 {
			for r.start < len(r.buf) && isSpace(r.buf[r.start]) {
				r.start++
			}
		}
		n, err := r.frame.scan(r.buf[r.start:])
		if err != nil {
			return nil, nil, err
		}
		if n > 0 {
			r.taken = n
			return r.buf[r.start : r.start+n], &r.frame, nil
		}
		if len(r.buf)-r.start > r.limit {
			return nil, nil, errTooLong
		}
		if err := r.fill(src); err != nil {
			return nil, nil, err
		}
	}
}

// fill makes room and reads once.
func (r *recordBuffer) fill(src io.Reader) error {
	switch have := len(r.buf) - r.start; {
	case have == 0 && cap(r.buf) != smallBuffer:
		r.swap(smallBuffer)
	case len(r.buf) == cap(r.buf) && have <= cap(r.buf)/2:
		copy(r.buf, r.buf[r.start:])
		r.buf, r.start = r.buf[:have], 0
	case len(r.buf) == cap(r.buf):
		r.swap(2 * cap(r.buf))
	case have == 0:
		r.buf, r.start = r.buf[:0], 0
	}
	n, err := src.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf = r.buf[:len(r.buf)+n]
	if n > 0 {
		return nil
	}
	if err == io.EOF && len(r.buf) > r.start {
		return io.ErrUnexpectedEOF
	}
	return err
}

// swap moves what is unread into another buffer of the given size.
func (r *recordBuffer) swap(size int) {
	b := getBuffer(size)
	b = append(b, r.buf[r.start:]...)
	putBuffer(r.buf)
	r.buf, r.start = b, 0
}

// release gives the memory back.
func (r *recordBuffer) release() {
	putBuffer(r.buf)
	r.buf, r.start, r.taken = nil, 0, 0
}

// buffers holds unused buffers by the logarithm of their capacity.
var buffers [64]sync.Pool

func getBuffer(size int) []byte {
	if b, ok := buffers[bits.Len(uint(size))].Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, size)
}

func putBuffer(b []byte) {
	if cap(b) > 0 {
		buffers[bits.Len(uint(cap(b)))].Put(&b)
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
