package sim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"sync"
	"time"
)

// Options of a cluster. The zero value is a memory-only cluster of stock
// targets that answer at once.
type Options struct {
	// Tick is how often a target looks at its RPC sockets: 4 ms on a real
	// one, 0 for at once. With 0, everything asynchronous (namespace events,
	// attaching, copying) is done at once, too.
	Tick time.Duration
	// Dir is where disks are kept. Empty: in memory, for the life of the Cluster.
	Dir string
	// DiskSize is the size in bytes of every disk a node is asked for; 64 GiB if 0.
	DiskSize int64
	// Disks, if not nil, lists the disks of every node by path (or PCI
	// address) with their sizes in bytes; any other path does not exist.
	Disks map[string]int64
	// NoHoles are the paths of disks in which AIO can make no holes: to discard fails there.
	NoHoles []string
	// CopyRate limits rebuilds and shallow copies, in bytes a second. 0: not
	// limited if Tick is 0, else 256 MiB/s.
	CopyRate int64
	// HostLatency is what an I/O of a host is counted as having taken (bdev_get_iostat)
	// while nothing is copied; hosts do not wait for it. Shallow copies that write
	// CopyLoad bytes a second together double it. 0: latency is not counted.
	HostLatency time.Duration
	CopyLoad    int64
	// NVMe, if not nil, has hosts outside of the simulation reach the targets over
	// NVMe/TCP: it listens on a network for an address and port that subsystems of a
	// target listen on. Where it fails the target refuses the listener. Nothing is
	// simulated of the way there.
	NVMe func(target, address string) (net.Listener, error)
	// Dial, if not nil, has the targets attach to subsystems that are not simulated, over
	// NVMe/TCP: it connects to an address where no target listens.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// Files has the files with keys of all machines, by their paths without the first slash;
	// nil: this machine has.
	Files fs.FS
	// Profile is the build simulated; Stock if its Name is empty.
	Profile Profile
}

// Cluster is a set of targets that reach one another.
type Cluster struct {
	opts Options

	mu       sync.Mutex
	targets  map[string]*Target
	fabric   map[string]*process // address:port → the process listening there
	cut      map[[2]string]bool  // pairs of nodes that do not reach one another
	dark     map[string]bool     // addresses at which no node reaches another
	hook     Hook
	rules    []*rule // what is scripted, in order
	watch    func(*View)
	waiters  int
	pids     int // processes so far
	copied   traffic
	held     int // copies stay where they are until somebody has asked that often how far they are
	changed  chan struct{}
	closed   bool
	superRun bool // a RAID superblock was ever written: examine looks for them
}

// New makes an empty cluster.
func New(o Options) *Cluster {
	if o.DiskSize == 0 {
		o.DiskSize = 64 << 30
	}
	if o.CopyRate == 0 && o.Tick > 0 {
		o.CopyRate = 256 << 20
	}
	if o.Profile.Name == "" {
		o.Profile = Stock
	}
	return &Cluster{
		opts:     o,
		targets:  map[string]*Target{},
		fabric:   map[string]*process{},
		cut:      map[[2]string]bool{},
		dark:     map[string]bool{},
		changed:  make(chan struct{}),
		superRun: o.Dir != "",
	}
}

// Start makes a target and serves its RPC on a Unix socket; with an empty
// socket it is reached through [Target.Serve] only.
func (c *Cluster) Start(name, socket string) (*Target, error) {
	c.mu.Lock()
	if c.targets[name] != nil || c.closed {
		c.mu.Unlock()
		return nil, fmt.Errorf("target %s: exists already or the cluster is closed", name)
	}
	t := &Target{c: c, name: name, socket: socket, disks: map[string]*disk{}, calls: newCallLog()}
	c.targets[name] = t
	c.mu.Unlock()
	if err := t.Restart(); err != nil {
		c.mu.Lock()
		delete(c.targets, name)
		c.mu.Unlock()
		return nil, err
	}
	return t, nil
}

// Target returns the target of that name, nil if there is none.
func (c *Cluster) Target(name string) *Target {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.targets[name]
}

// Close stops every target and closes the disks.
func (c *Cluster) Close() error {
	c.mu.Lock()
	c.closed = true
	ts := make([]*Target, 0, len(c.targets))
	for _, t := range c.targets {
		ts = append(ts, t)
	}
	c.mu.Unlock()
	var errs []error
	for _, t := range ts {
		t.Stop()
		errs = append(errs, t.removeSocket())
		c.mu.Lock()
		for _, d := range t.disks {
			errs = append(errs, d.close())
		}
		c.mu.Unlock()
	}
	return errors.Join(errs...)
}

// notify wakes everything that waits for the state to change.
func (c *Cluster) notify() {
	if c.waiters > 0 {
		close(c.changed)
		c.changed = make(chan struct{})
		c.waiters = 0
	}
}

// wait gives up the lock until the state changes or ctx ends.
func (c *Cluster) wait(ctx context.Context) error {
	c.waiters++
	ch := c.changed
	c.mu.Unlock()
	defer c.mu.Lock()
	select {
	case <-ch:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// soon runs f under the lock after n ticks, at once if there are no ticks.
func (p *process) soon(n int, f func()) {
	if p.t.c.opts.Tick == 0 {
		f()
		return
	}
	p.after(time.Duration(n)*p.t.c.opts.Tick, f)
}

// after runs f under the lock after d, unless the process has died.
func (p *process) after(d time.Duration, f func()) {
	time.AfterFunc(d, func() {
		p.t.c.mu.Lock()
		defer p.t.c.mu.Unlock()
		if !p.dead {
			f()
			p.t.c.notify()
		}
	})
}
