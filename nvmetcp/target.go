package nvmetcp

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Target serves NVMe/TCP. What there is to serve, and to whom, Connect says.
type Target struct {
	// Connect takes in a host that asks for a subsystem: it returns what the
	// host is shown, or ErrSubsystem, ErrHost, or any other error, which the host
	// sees as an internal one. It is called once for each controller.
	Connect func(*Session) (Controller, error)
	// MaxTransfer is how many bytes one command moves at most: 4096 times a power
	// of two, 1 MiB if 0. A host that can sends as many within the capsule of a
	// write, so that a cluster of that size takes one PDU and no round trip.
	MaxTransfer int
	// InCapsule is how many bytes come within a capsule at most, MaxTransfer if
	// 0; less than 0 for none at all: all data is asked for.
	InCapsule int
	// AskFor is how much of a write is asked for at a time (R2T), MaxTransfer if 0.
	AskFor int
	// Depth is the number of entries of each queue, 128 if 0.
	Depth int
	// Queues is how many I/O queues a host may have, 16 if 0.
	Queues int
	// Connections is how many there may be at a time, 1024 if 0. One more is closed.
	Connections int
	// Patience is how long a PDU may take to come or go, and connecting to
	// succeed; 30 s if 0. A peer that is slower is disconnected.
	Patience time.Duration

	mu        sync.Mutex
	closed    bool
	listeners map[net.Listener]bool
	queues    map[*queue]bool
	sessions  map[*Session]bool
	running   sync.WaitGroup
}

// Errors that a Connect function returns.
var (
	ErrSubsystem = errors.New("nvmetcp: there is no such subsystem")
	ErrHost      = errors.New("nvmetcp: the host is not admitted")
)

// ErrTargetClosed is what Serve returns after Close.
var ErrTargetClosed = errors.New("nvmetcp: the target is closed")

// Controller is what a host is connected to.
type Controller struct {
	// ID, 1 to 0xffef, is that of no other controller of the subsystem, on no other
	// target either: hosts with several paths refuse one that they have already.
	ID uint16
	// Serial and Model have 20 and 40 characters at most.
	Serial, Model string
	// MaxNamespaces bounds the ids of namespaces.
	MaxNamespaces uint32
	// ANA says that the host is told of the states of namespaces.
	ANA bool
	// View is what the host sees.
	View View
	// asksLast has hosts say what they support (host behavior support, a feature) when they
	// have read the rest.
	asksLast bool
	// HostKey, if not nil, is what the host has to prove that it has, on each queue;
	// TargetKey is what the target proves to have if the host asks.
	HostKey, TargetKey *Key
	// Left is called once, when the host is gone: nobody waits any more for what
	// commands of its may still be under way. May be nil.
	Left func()
}

// View is what a host sees of a subsystem. Its methods are called at any time, and
// concurrently; while one waits, the command that it is called for does.
type View interface {
	// Namespaces are those that are shown at present, by ascending id.
	Namespaces() []Namespace
	// Namespace is that of an id; ok is false if it is not shown.
	Namespace(id uint32) (ns Namespace, ok bool)
}

// Namespace is a disk as hosts see it.
type Namespace struct {
	ID        uint32
	UUID      [16]byte
	NGUID     [16]byte // UUID if zero
	BlockSize int      // a power of two, 512 or more
	Size      int64    // bytes; what is beyond the last whole block is not shown
	ReadOnly  bool
	Group     uint32 // ANA group, the id if 0
	State     State  // of the group by this path
	Backend   Backend
}

// State of an ANA group; 0 is StateOptimized.
type State uint8

// The states, with the numbers that NVMe has for them.
const (
	StateOptimized    State = 1
	StateNonOptimized State = 2
	StateInaccessible State = 3
)

// Backend has the data of a namespace. Calls are concurrent, and at most the
// target's MaxTransfer long. An error that is a [Status] is what the host gets;
// of any other it gets a read error or a write fault.
type Backend interface {
	io.ReaderAt
	io.WriterAt
}

// A Zeroer makes bytes read as zero; without it zeroes are written.
type Zeroer interface{ ZeroAt(off, n int64) error }

// A Discarder is told of bytes that nobody needs any more. It may keep them;
// where it does not they read as zero.
type Discarder interface{ DiscardAt(off, n int64) error }

// A Syncer makes what was written durable; without it a flush does nothing.
type Syncer interface{ Sync() error }

func (t *Target) maxTransfer() int { return or(t.MaxTransfer, 1<<20) }
func (t *Target) askFor() int      { return min(or(t.AskFor, t.maxTransfer()), t.maxTransfer()) }
func (t *Target) depth() int       { return or(t.Depth, 128) }
func (t *Target) maxQueues() int   { return or(t.Queues, 16) }
func (t *Target) patience() time.Duration {
	return time.Duration(or(int64(t.Patience), int64(30*time.Second)))
}

func (t *Target) inCapsule() int {
	if t.InCapsule < 0 {
		return 0
	}
	return min(or(t.InCapsule, t.maxTransfer()), t.maxTransfer())
}

func or[T int | int64](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// Serve takes connections in until the listener fails or the target is closed.
// The listener is closed when it returns.
func (t *Target) Serve(l net.Listener) error {
	defer l.Close()
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return ErrTargetClosed
	}
	if t.listeners == nil {
		t.listeners = map[net.Listener]bool{}
	}
	t.listeners[l] = true
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		delete(t.listeners, l)
		t.mu.Unlock()
	}()
	for wait := time.Duration(0); ; {
		nc, err := l.Accept()
		switch {
		case err == nil:
			wait = 0
			t.ServeConn(nc)
		case t.isClosed():
			return ErrTargetClosed
		case errors.Is(err, net.ErrClosed):
			return err
		default: // out of file descriptors, or a peer that left: it passes
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			time.Sleep(wait)
		}
	}
}

func (t *Target) isClosed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

// ServeConn serves a connection that was made otherwise, and does not wait for its end.
func (t *Target) ServeConn(nc net.Conn) {
	q := newQueue(t, nc)
	t.mu.Lock()
	if t.closed || len(t.queues) >= or(t.Connections, 1024) {
		t.mu.Unlock()
		nc.Close()
		return
	}
	if t.queues == nil {
		t.queues = map[*queue]bool{}
	}
	t.queues[q] = true
	t.running.Add(1)
	t.mu.Unlock()
	go func() {
		defer t.running.Done()
		q.serve()
		t.mu.Lock()
		delete(t.queues, q)
		t.mu.Unlock()
	}()
}

// Close ends listeners and connections and waits until the last command has ended.
func (t *Target) Close() error {
	t.mu.Lock()
	t.closed = true
	for l := range t.listeners {
		l.Close()
	}
	for q := range t.queues {
		q.close()
	}
	t.mu.Unlock()
	t.running.Wait()
	return nil
}

// join makes a session known, so that I/O queues find it.
func (t *Target) join(s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sessions == nil {
		t.sessions = map[*Session]bool{}
	}
	t.sessions[s] = true
}

func (t *Target) leave(s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.sessions, s)
}

// session finds that of a controller which a host connects an I/O queue to.
func (t *Target) session(c connectData) *Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := range t.sessions {
		if s.ctrl.ID == c.cntlid && s.connect.subnqn == c.subnqn && s.connect.hostnqn == c.hostnqn && s.connect.hostid == c.hostid {
			return s
		}
	}
	return nil
}
