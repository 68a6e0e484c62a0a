package sim

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Target is one simulated spdk_tgt: its disks, its RPC socket and, while it
// runs, a process.
type Target struct {
	c      *Cluster
	name   string
	socket string
	disks  map[string]*disk // by path; they outlive the process
	calls  *callLog

	examineTime time.Duration // it takes to look into a disk
	strands     bool          // the next try to connect again has no end

	p *process // nil while stopped

	connMu   sync.Mutex
	away     bool // no connection is taken
	listener net.Listener
	ended    chan struct{} // closed when nobody waits on the listener: until then its socket is open
	conns    map[*conn]struct{}
	waiting  []*conn // beyond maxConns
}

// process is one run of a target: everything that is gone when it stops.
type process struct {
	t          *Target
	pid        int // no two processes of a cluster have the same
	dead       bool
	frozen     bool
	freezes    int         // how often it was frozen, or went on
	hungOn     *controller // whose peer the whole process waits for
	asking     *controller // whose peer has sent an event, and vanished
	connecting int         // attempts to connect that the whole process waits for
	examining  int         // disks that it looks into
	hostID     string      // host NQN of initiators that name none

	bdevs   *registry
	lvs     []*lvstore
	raids   []*raid
	keys    []*accelKey
	cryptos []*crypto
	copies  map[uint32]*shallowCopy
	copyID  uint32
	degr    map[string][]*lvol // degraded lvols by the UUID of what they miss

	transports []string
	subsystems map[string]*subsystem
	keyring    []*keyFile
	discovery  []*listener
	referrals  []referral // newest first
	doors      map[string]*door
	secure     map[string]bool // address:port → nobody is heard there without TLS
	nvme       []*controller
	attaching  []string // names of controllers on their way
	nvmeOpts   nvmeOptions
	ublk       map[uint32]*ublkDisk
	ublkOn     bool
	nbd        []*nbdDisk
}

func (p *process) build() *Profile { return &p.t.c.opts.Profile }

// Name of the target.
func (t *Target) Name() string { return t.name }

// Socket is the path of the RPC socket.
func (t *Target) Socket() string { return t.socket }

// Running says whether the target is running.
func (t *Target) Running() bool {
	t.c.mu.Lock()
	defer t.c.mu.Unlock()
	return t.p != nil
}

// Restart starts the target again on the same socket, empty but for its
// disks; a running one is stopped first.
func (t *Target) Restart() error {
	t.Stop()
	var l net.Listener
	if t.socket != "" {
		err := t.stale()
		if err == nil {
			err = t.removeSocket()
		}
		if err != nil {
			return fmt.Errorf("target %s: %w", t.name, err)
		}
		if l, err = net.Listen("unix", t.socket); err != nil {
			return fmt.Errorf("target %s: %w", t.name, err)
		}
		l.(*net.UnixListener).SetUnlinkOnClose(false)
	}
	t.c.mu.Lock()
	t.c.pids++
	t.p = &process{
		t:          t,
		pid:        t.c.pids,
		hostID:     "nqn.2014-08.org.nvmexpress:uuid:" + newUUID(),
		bdevs:      newRegistry(),
		secure:     map[string]bool{},
		copies:     map[uint32]*shallowCopy{},
		degr:       map[string][]*lvol{},
		subsystems: map[string]*subsystem{},
		ublk:       map[uint32]*ublkDisk{},
		nvmeOpts:   defaultNVMeOptions,
	}
	t.c.mu.Unlock()
	t.connMu.Lock()
	t.listener, t.conns = l, map[*conn]struct{}{}
	if l != nil {
		ended := make(chan struct{})
		t.ended = ended
		go func() {
			t.accept(l)
			close(ended)
		}()
	}
	t.connMu.Unlock()
	return nil
}

// Stop ends the target as SIGKILL does: sockets close, calls under way are
// not answered, peers see their connections reset, disks keep what they have.
func (t *Target) Stop() {
	t.c.mu.Lock()
	if p := t.p; p != nil {
		t.p = nil
		p.die()
	}
	t.c.mu.Unlock()

	t.connMu.Lock()
	l, ended, conns := t.listener, t.ended, t.leaveAll()
	t.listener, t.conns = nil, nil
	t.connMu.Unlock()
	if l != nil {
		l.Close()
	}
	if ended != nil {
		<-ended
	}
	for _, c := range conns {
		c.close()
	}
}

// die drops what the process held of the disks and the fabric.
func (p *process) die() {
	p.dead = true
	for addr, q := range p.t.c.fabric {
		if q == p {
			delete(p.t.c.fabric, addr)
		}
	}
	for addr := range p.doors {
		p.shutDoor(addr)
	}
	for _, ct := range p.nvme {
		ct.comeHome()
	}
	for _, l := range p.lvs {
		l.store.loaded = false
	}
	for _, s := range p.subsystems {
		s.reset()
	}
	for _, ct := range p.nvme {
		ct.disconnect()
	}
	p.t.c.notify()
}

// ErrServed says that somebody else answers on a socket.
var ErrServed = errors.New("another process answers on it")

// servedAfter is how long a socket has to answer before it counts as another's.
// One that was closed here goes on answering while a process that was just
// begun has it, until it becomes another program; on a busy machine that takes
// a while.
const servedAfter = time.Second

// stale says why the socket cannot be taken: only one that a process left
// behind may be removed.
func (t *Target) stale() error {
	switch at, err := os.Lstat(t.socket); {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case at.Mode()&os.ModeSocket == 0:
		return fmt.Errorf("%s: it is not a socket", t.socket)
	}
	for end := time.Now().Add(servedAfter); ; time.Sleep(10 * time.Millisecond) {
		nc, err := net.DialTimeout("unix", t.socket, time.Second)
		if err == nil {
			nc.Close()
		}
		if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s: %w", t.socket, ErrServed) // or would, were it not so busy
		}
	}
}

func (t *Target) removeSocket() error {
	if t.socket == "" {
		return nil
	}
	if err := os.Remove(t.socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// crash ends the process as a fault of its own does: what it was asked last is
// not answered.
func (p *process) crash() (any, error) {
	go p.t.Stop()
	return nil, errNeverAnswered
}
