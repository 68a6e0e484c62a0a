package nvmetcp

import "sync"

// window bounds the memory that commands of a queue hold. Whoever asks first gets
// it first, so that large commands are not passed by small ones for ever.
type window struct {
	mu     sync.Mutex
	free   int
	closed bool
	turns  []turn
}

type turn struct {
	n   int
	got chan struct{}
}

// take waits for n bytes, which must not be more than there are in all. It
// returns false once the window is closed.
func (w *window) take(n int) bool {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return false
	}
	if len(w.turns) == 0 && w.free >= n {
		w.free -= n
		w.mu.Unlock()
		return true
	}
	t := turn{n, make(chan struct{})}
	w.turns = append(w.turns, t)
	w.mu.Unlock()
	<-t.got
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.closed
}

func (w *window) give(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.free += n
	for len(w.turns) > 0 && w.free >= w.turns[0].n {
		w.free -= w.turns[0].n
		close(w.turns[0].got)
		w.turns = w.turns[1:]
	}
}

// close lets everybody go who waits.
func (w *window) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, t := range w.turns {
		close(t.got)
	}
	w.turns = nil
}

// buffers are kept by sizes that are powers of two.
var buffers [32]sync.Pool

func class(n int) int {
	k := 12
	for 1<<k < n {
		k++
	}
	return k
}

// buffer returns n bytes of any content.
func buffer(n int) []byte {
	k := class(n)
	if b, ok := buffers[k].Get().(*[]byte); ok {
		return (*b)[:n]
	}
	return make([]byte, n, 1<<k)
}

// recycle takes a buffer back that nobody refers to.
func recycle(b []byte) {
	if cap(b) == 0 {
		return
	}
	b = b[:cap(b)]
	buffers[class(cap(b))].Put(&b)
}
