package main

import (
	"bufio"
	"io"
	"sync"
	"time"
)

// lazyFlush is how long a line may wait to be written.
const lazyFlush = 50 * time.Millisecond

// lazy gathers what is written in a moment into one write: an apply that makes
// thousands of things would spend as long telling of them as making them. What
// is not told of the last moment before a kill is found by looking, like the rest.
type lazy struct {
	mu    sync.Mutex
	out   *bufio.Writer
	armed bool
}

// lazily returns what writes to out, and what ends that. People at a terminal
// see every line at once.
func lazily(out io.Writer) (io.Writer, func()) {
	if terminal(out) != nil {
		return out, func() {}
	}
	l := &lazy{out: bufio.NewWriterSize(out, 64<<10)}
	return l, l.Flush
}

// Write keeps b, to be written with what comes in the same moment.
func (l *lazy) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.armed {
		l.armed = true
		time.AfterFunc(lazyFlush, l.Flush)
	}
	return l.out.Write(b)
}

// Flush writes what was kept. Nobody is left to be told of an output that is
// closed.
func (l *lazy) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = false
	_ = l.out.Flush()
}
