package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/google/uuid"

	"strata/archive"
	"strata/lineage"
	"strata/nvmetcp"
	"strata/spdk"
)

// Lend is the image of a record, which a node reads as a disk for as long as a volume is made of
// it. Beyond the image it reads as zero.
type Lend struct {
	Target *spdk.Client
	Of     lineage.Cluster
	Node   lineage.Node
	Name   lineage.Staging // of what reads it
	// Address is that of the node.
	Address string
	// Archive has the image, of that layer of that cluster.
	Archive string
	Cluster lineage.Cluster
	Layer   lineage.LvolName
	Block   int // of the lvstore, in bytes
	// Bound is how long a node waits for what it does not get before it gives errors, in
	// seconds, counted from when it has noticed.
	Bound int
	Keys  string // as in Job
}

// lent is an image that is served.
type lent struct {
	target *nvmetcp.Target
	at     *net.TCPAddr
	image  *archive.Image
	end    context.CancelFunc
	way    proof // by which the node and strata prove themselves
	// worn says that the node lost who served it before, for a time that nobody knows. A target that
	// was once without its peer for longer than its I/O waits does not let it wait ever after, by
	// that path.
	worn bool
}

// lends are all that are served, by the subsystem. They outlive the runs that have begun them.
type lends struct {
	mu  sync.Mutex
	all map[lineage.NQN]*lent
}

// Lend serves an image to a node until it is given back, or the archives are closed, and has
// the node be connected to it: one that was, of a strata before, finds it where it was, or is
// led to where strata listens besides if it does not come back.
func (a *Archives) Lend(ctx context.Context, l Lend) error {
	a.lends.mu.Lock()
	defer a.lends.mu.Unlock()
	name := l.Of.ImageController(l.Name.Volume)
	was, _, err := found(ctx, l.Target, name)
	if err != nil {
		return err
	}
	is := a.lends.all[l.Of.ImageNQN(l.Name.Volume)]
	way := proof{l.Target, l.Keys, l.Of, lineage.JobKey{Path: lineage.ImagePath, Volume: l.Name.Volume}}
	if is == nil {
		if is, err = a.serve(ctx, l, was, way); err != nil {
			return err
		}
		a.lends.put(l, is)
	}
	if was != nil && (was.Trid.TrAddr != is.at.IP.String() || was.Trid.TrSvcID != fmt.Sprint(is.at.Port)) {
		return fmt.Errorf("it looks for strata at %s, and strata listens at %s", net.JoinHostPort(was.Trid.TrAddr, was.Trid.TrSvcID), is.at)
	}
	err = l.connect(ctx, is, name, was != nil)
	if err == nil && (!is.worn || a.onePort()) || err != nil && !errors.Is(err, errStuck) {
		return err
	}
	if other := a.detour(ctx, l, is, name); other != nil && err == nil {
		return fmt.Errorf("the path by which %s reaches strata may not wait for it when it is lost again, and there is no other: %w", l.Node, other)
	} else if other != nil {
		return fmt.Errorf("%w; by another path: %w", err, other)
	}
	is.worn = false
	return nil
}

// onePort reports whether there is no other port to listen on.
func (a *Archives) onePort() bool {
	_, port, err := net.SplitHostPort(a.Listen)
	return err == nil && port != "0"
}

// detour has the node reach what is served by another path, instead of those that it has:
// whatever is wrong with them, it is none the worse for it.
func (a *Archives) detour(ctx context.Context, l Lend, is *lent, name string) error {
	listener, err := a.listenFor(ctx, l, nil)
	if err != nil {
		return err
	}
	go func() { _ = is.target.Serve(listener) }() // which ends when it is closed
	at, to := listener.Addr().(*net.TCPAddr), l.attachment(name, is.way.names())
	to.Multipath = "multipath"
	if err := attach(ctx, l.Target, at, to); err != nil {
		listener.Close()
		return err
	}
	is.at = at // where the node looks for it from now on
	return l.await(ctx, name)
}

// Unlend takes away from a node, which is attached to the image no more, what it had for that.
func Unlend(ctx context.Context, t *spdk.Client, c lineage.Cluster, v lineage.Volume, keys string) error {
	way := proof{t, keys, c, lineage.JobKey{Path: lineage.ImagePath, Volume: v}}
	if !way.listed(ctx) {
		return nil
	}
	return way.take(ctx)
}

// Return serves an image no more. Nobody may be attached to it.
func (a *Archives) Return(c lineage.Cluster, v lineage.Volume) {
	a.lends.mu.Lock()
	defer a.lends.mu.Unlock()
	nqn := c.ImageNQN(v)
	if is := a.lends.all[nqn]; is != nil {
		is.close()
		delete(a.lends.all, nqn)
	}
}

func (l *lends) put(of Lend, is *lent) {
	if l.all == nil {
		l.all = map[lineage.NQN]*lent{}
	}
	l.all[of.Of.ImageNQN(of.Name.Volume)] = is
}

func (l *lends) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, is := range l.all {
		is.close()
	}
	l.all = nil
}

func (is *lent) close() {
	is.end()
	is.target.Close()
	is.image.Close()
}

// serve opens the image and listens for the node: where it looks for it already, or else where
// jobs listen.
func (a *Archives) serve(ctx context.Context, l Lend, was *spdk.ControllerPath, way proof) (*lent, error) {
	if was != nil && way.dir != "" {
		// What is attached already goes on as it began.
		if proven, err := way.known(ctx); err != nil {
			return nil, err
		} else if !proven {
			way.dir = ""
		}
	}
	listener, err := a.listenFor(ctx, l, was) // first of all: nobody else serves it there from now on
	if err != nil {
		return nil, err
	}
	keys, err := way.bring(ctx)
	if err != nil {
		listener.Close()
		return nil, err
	}
	image, err := a.image(ctx, l.Archive, l.Cluster, l.Layer)
	if err != nil {
		listener.Close()
		return nil, err
	}
	id, err := uuid.Parse(string(l.Of.ImageUUID(l.Name)))
	if err == nil && image.Size > l.Name.Size() {
		err = fmt.Errorf("%s has %d bytes, and %s is to have %d", l.Layer, image.Size, l.Name.Lvol(), l.Name.Size())
	}
	if err != nil {
		listener.Close()
		image.Close()
		return nil, err
	}
	serving, end := context.WithCancel(context.Background())
	nqn := l.Of.ImageNQN(l.Name.Volume)
	disk := &nvmetcp.Disk{
		NQN: string(nqn), Hosts: []string{string(l.Of.HostNQN(l.Node))}, HostKey: keys.host, TargetKey: keys.target,
		Namespace: nvmetcp.Namespace{ID: 1, UUID: id, BlockSize: l.Block, Size: l.Name.Size(), ReadOnly: true,
			Backend: &lentImage{of: image, until: serving, bound: time.Duration(l.Bound) * time.Second}},
	}
	is := &lent{target: &nvmetcp.Target{Connect: disk.Connect}, at: listener.Addr().(*net.TCPAddr), image: image, end: end, way: way, worn: was != nil}
	go func() { _ = is.target.Serve(listener) }() // which ends when it is closed
	return is, nil
}

func (a *Archives) listenFor(ctx context.Context, l Lend, was *spdk.ControllerPath) (net.Listener, error) {
	j := &Job{Node: l.Node, Address: l.Address, Listen: a.Listen, Net: a.Net}
	if was == nil {
		listener, err := listen(ctx, j)
		if err != nil {
			return nil, fmt.Errorf("listening for %s: %w; --backup-listen says at which address of this machine it reaches strata", l.Node, err)
		}
		return listener, nil
	}
	at := net.JoinHostPort(was.Trid.TrAddr, was.Trid.TrSvcID)
	var listener net.Listener
	var err error
	if a.Net != nil {
		listener, err = a.Net.ListenAt(ctx, at)
	} else {
		listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", at)
	}
	if err != nil {
		return nil, fmt.Errorf("%s looks for strata at %s, where it was before, and strata cannot listen there: %w; run it on the machine that has that address", l.Node, at, err)
	}
	return listener, nil
}

// lentImage is an image as a node reads it. Where the archive does not give what it is asked for,
// the node waits, for it is asked again; but not longer than for a strata that is away.
type lentImage struct {
	of    *archive.Image
	until context.Context // it is served
	bound time.Duration
}

// again is how long after an error an archive is asked once more.
const again = time.Second

func (i *lentImage) ReadAt(p []byte, off int64) (int, error) {
	n := int(min(int64(len(p)), max(i.of.Size-off, 0)))
	clear(p[n:])
	if n == 0 {
		return len(p), nil
	}
	ctx, cancel := context.WithTimeout(i.until, i.bound)
	defer cancel()
	for {
		_, err := i.of.ReadAtContext(ctx, p[:n], off)
		if err == nil || errors.Is(err, io.EOF) {
			return len(p), nil
		}
		select {
		case <-ctx.Done():
			return 0, err
		case <-time.After(again):
		}
	}
}

// WriteAt refuses: nobody writes to an image.
func (i *lentImage) WriteAt([]byte, int64) (int, error) { return 0, nvmetcp.ReadOnly }
