package etcdtest

import (
	"net"
	"sync"
	"testing"
)

// proxy passes on connections to an address, until it is cut: then nothing gets
// through, and nobody is told.
type proxy struct {
	to string
	l  net.Listener

	mu    sync.Mutex
	conns []net.Conn
	open  chan struct{} // closed while everything gets through
	dead  bool
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{to: to, l: l, open: make(chan struct{})}
	close(p.open)
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(near)
		}
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *proxy) address() string { return p.l.Addr().String() }

func (p *proxy) serve(near net.Conn) {
	p.pass()
	far, err := net.Dial("tcp", p.to)
	if err != nil || !p.keep(near, far) {
		near.Close()
		return
	}
	go p.copy(far, near)
	p.copy(near, far)
}

// pass waits while the proxy is cut.
func (p *proxy) pass() {
	p.mu.Lock()
	open := p.open
	p.mu.Unlock()
	<-open
}

func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, conns...)
	if p.dead {
		for _, c := range conns {
			c.Close()
		}
	}
	return !p.dead
}

func (p *proxy) copy(to, from net.Conn) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.pass()
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// cut has nothing get through; what was sent arrives when it is mended.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dead {
		p.open = make(chan struct{})
	}
}

func (p *proxy) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.open)
}

// kill closes all connections, as the end of a process does, and refuses more.
func (p *proxy) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
	p.l.Close()
	for _, c := range p.conns {
		c.Close()
	}
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}
