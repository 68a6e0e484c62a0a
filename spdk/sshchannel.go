package spdk

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// sshChannel is a connection to a target within an ssh connection. It adds what
// an ssh channel lacks: a limit to writing, and a Close that does not wait.
type sshChannel struct {
	net.Conn
	host  *sshHost
	grace time.Duration // in which the host has to confirm the end

	mu       sync.Mutex
	deadline time.Time // of Write
	closing  sync.Once
	closed   chan struct{}
	ended    chan struct{} // closed when nothing more can be read
	ending   sync.Once
}

func newChannel(nc net.Conn, host *sshHost, grace time.Duration) *sshChannel {
	return &sshChannel{Conn: nc, host: host, grace: grace, closed: make(chan struct{}), ended: make(chan struct{})}
}

var errFarEnd = errors.New("connection closed by the target, or by the ssh connection to its host")

func (c *sshChannel) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		c.ending.Do(func() { close(c.ended) })
	}
	if err == io.EOF {
		err = errFarEnd
	}
	return n, err
}

func (c *sshChannel) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	return nil
}

// Write waits until the host has taken b, or until the deadline or Close. Then all of b
// counts as written, because nobody knows how much of it was; b must not be
// used again.
func (c *sshChannel) Write(b []byte) (int, error) {
	c.mu.Lock()
	deadline := c.deadline
	c.mu.Unlock()
	if deadline.IsZero() {
		return c.Conn.Write(b)
	}
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	go func() {
		n, err := c.Conn.Write(b)
		done <- result{n, err}
	}()
	late := time.NewTimer(time.Until(deadline))
	defer late.Stop()
	select {
	case r := <-done:
		return r.n, r.err
	case <-late.C:
		return len(b), os.ErrDeadlineExceeded
	case <-c.closed:
		return len(b), net.ErrClosed
	}
}

// Close ends the channel and does not wait for that. A host that does not
// confirm the end is taken for dead.
func (c *sshChannel) Close() error {
	c.closing.Do(func() {
		close(c.closed)
		dead := time.AfterFunc(c.grace, func() { c.host.nc.Close() })
		go func() {
			c.Conn.Close()
			<-c.ended
			dead.Stop()
		}()
	})
	return nil
}
