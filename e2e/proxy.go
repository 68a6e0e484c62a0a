package e2e

import (
	"bytes"
	"net"
	"sync"
	"testing"
)

// Proxy stands between strata and a target's RPC. It passes everything on
// until a method is called that it was told to hang; that call, and whatever
// follows it on the same connection, reaches nobody.
type Proxy struct {
	Hung chan struct{} // closed when the call has come

	target string
	mu     sync.Mutex
	method []byte // nil for none
	cut    bool
	mute   bool // nothing comes through, and nobody is told
	open   map[net.Conn]bool
}

// NewProxy makes a proxy of a target, which strata is told of by what is
// configured from now on. It ends with the test.
func NewProxy(t testing.TB, x *Target) *Proxy {
	t.Helper()
	p := &Proxy{target: x.Socket, open: map[net.Conn]bool{}}
	l, err := net.Listen("unix", x.Socket+".proxy")
	if err != nil {
		t.Fatal(err)
	}
	x.RPC = "unix://" + x.Socket + ".proxy"
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

// Hang makes the next call of a method hang.
func (p *Proxy) Hang(method string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.method, p.Hung = []byte(`"`+method+`"`), make(chan struct{})
}

// Cut breaks all connections, and those that come, until Heal.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for c := range p.open {
		c.Close()
	}
}

// Mute has nothing come through any more, as a network in which packets vanish, until
// Heal.
func (p *Proxy) Mute() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mute = true
}

// Heal ends a Cut, or a Mute: what was lost meanwhile is lost, so connections that stand
// end.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut, p.mute = false, false
	for c := range p.open {
		c.Close()
	}
}

// muted reports whether nothing comes through.
func (p *Proxy) muted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mute
}

// enter takes note of a connection, and reports whether it may be.
func (p *Proxy) enter(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[c] = true
	return !p.cut
}

func (p *Proxy) leave(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
}

// hangs reports whether what was sent has the call to hang.
func (p *Proxy) hangs(sent []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.method == nil || !bytes.Contains(sent, p.method) {
		return false
	}
	p.method = nil
	close(p.Hung)
	return true
}

func (p *Proxy) serve(c net.Conn) {
	defer c.Close()
	defer p.leave(c)
	if !p.enter(c) {
		return
	}
	x, err := net.Dial("unix", p.target)
	if err != nil {
		return
	}
	defer x.Close()
	go func() {
		pass(x, c, func([]byte) bool { return !p.muted() })
		c.Close()
	}()
	hung := false
	pass(c, x, func(sent []byte) bool {
		hung = hung || p.hangs(sent)
		return !hung && !p.muted()
	})
}

// pass copies what wanted says yes to, until the end.
func pass(from, to net.Conn, wanted func([]byte) bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && wanted(buf[:n]) {
			if _, werr := to.Write(buf[:n]); werr != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
