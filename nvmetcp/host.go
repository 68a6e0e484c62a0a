package nvmetcp

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// HostOptions say how a host connects. HostNQN and Subsystem must be set.
type HostOptions struct {
	HostNQN   string
	HostID    [16]byte // random if zero
	Subsystem string   // NQN
	// Queues is how many I/O queues are connected, 1 if 0; the target may grant
	// fewer. Depth is how many commands each has under way at most, 32 if 0.
	Queues, Depth int
	// KeepAlive is how long the target may be silent before the connection counts
	// as lost, 10 s if 0 (SPDK takes no less); less than 0 for ever.
	KeepAlive time.Duration
	// Patience is how long a PDU may take to come or go, 30 s if 0.
	Patience time.Duration
	// HeaderDigest and DataDigest ask for CRC32C sums; the target may decline.
	HeaderDigest, DataDigest bool
	// Key is that of the host, for targets that ask for authentication. With
	// TargetKey the target has to prove that it has that one.
	Key, TargetKey *Key
	// Notice, if not nil, is called when the target tells of a change: of
	// namespaces, or of ANA states. It must not wait for the host.
	Notice func(Notice)
	// Dial connects; net.Dialer's if nil.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

// Notice is what a target tells by itself.
type Notice int

// The notices.
const (
	NamespacesChanged Notice = iota + 1
	StatesChanged
)

// ErrLost is in the chain of every error of a host that has no connection any more.
var ErrLost = errors.New("nvmetcp: the connection is lost")

// Host is a connection to a controller. It does not connect again by itself.
type Host struct {
	o      HostOptions
	addr   string
	admin  *hostQueue
	queues []*hostQueue // for I/O

	mu  sync.Mutex
	all []*hostQueue

	// ID is that of the controller, Serial and Model as it calls itself.
	ID            uint16
	Serial, Model string

	maxTransfer int
	inCapsule   int
	zeroes      bool
	discards    bool
	turn        chan int // round robin of the queues

	ctx     context.Context
	stop    context.CancelCauseFunc
	running sync.WaitGroup
}

// Connect connects to a subsystem at an address with port. ctx bounds connecting only.
// What the target refuses is a [Status]: HostRefused, ConnectParameters.
func Connect(ctx context.Context, addr string, o HostOptions) (*Host, error) {
	o.Queues, o.Depth = or(o.Queues, 1), or(o.Depth, 32)
	o.KeepAlive = time.Duration(or(int64(o.KeepAlive), int64(10*time.Second)))
	o.Patience = time.Duration(or(int64(o.Patience), int64(30*time.Second)))
	if o.HostID == [16]byte{} {
		rand.Read(o.HostID[:])
	}
	if o.Dial == nil {
		o.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}
	}
	h := &Host{o: o, addr: addr}
	h.ctx, h.stop = context.WithCancelCause(context.Background())
	if err := h.connect(ctx); err != nil {
		h.Close()
		return nil, fmt.Errorf("nvmetcp: %s at %s: %w", o.Subsystem, addr, err)
	}
	return h, nil
}

func (h *Host) connect(ctx context.Context) (err error) {
	const adminEntries = 32
	if h.admin, h.ID, err = h.queue(ctx, 0, adminEntries, anyController); err != nil {
		return err
	}
	cap, err := h.admin.property(ctx, propCAP, true)
	if err != nil {
		return err
	}
	if err := h.enable(ctx); err != nil {
		return err
	}
	if err := h.describe(ctx); err != nil {
		return err
	}
	granted, err := h.admin.feature(ctx, featQueues, uint32(h.o.Queues-1)*0x10001)
	if err != nil {
		return fmt.Errorf("asking for I/O queues: %w", err)
	}
	n := min(h.o.Queues, int(granted&0xffff)+1, int(granted>>16&0xffff)+1)
	entries := min(h.o.Depth+1, int(cap&0xffff)+1)
	h.turn = make(chan int, 1)
	h.turn <- 0
	for i := range n {
		q, _, err := h.queue(ctx, uint16(i+1), max(entries, 2), h.ID)
		if err != nil {
			return fmt.Errorf("I/O queue %d: %w", i+1, err)
		}
		h.queues = append(h.queues, q)
	}
	if h.o.KeepAlive > 0 {
		h.running.Go(h.keepAlive)
	}
	return h.listen(ctx)
}

// enable starts the controller and waits until it is ready.
func (h *Host) enable(ctx context.Context) error {
	const cc = 1 | 6<<16 | 4<<20 // EN, IOSQES, IOCQES
	if err := h.admin.setProperty(ctx, propCC, cc); err != nil {
		return fmt.Errorf("starting the controller: %w", err)
	}
	for {
		csts, err := h.admin.property(ctx, propCSTS, false)
		switch {
		case err != nil:
			return err
		case csts&2 != 0:
			return errors.New("the controller reports a fatal error")
		case csts&1 != 0:
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// describe learns what the controller can do.
func (h *Host) describe(ctx context.Context) error {
	b, err := h.admin.identify(ctx, cnsController, 0)
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	h.Serial, h.Model = text(b[4:24]), text(b[24:64])
	h.maxTransfer = 1 << 20
	if n := b[77]; n > 0 && n < 9 {
		h.maxTransfer = 4096 << n
	}
	oncs := le.Uint16(b[520:])
	h.discards, h.zeroes = oncs>>2&1 == 1, oncs>>3&1 == 1
	if n := int64(le.Uint32(b[1792:]))*16 - sqeLen; n > 0 && le.Uint16(b[1800:]) == 0 {
		h.inCapsule = int(min(n, maxData))
	}
	return nil
}

func text(b []byte) string {
	n := len(b)
	for n > 0 && (b[n-1] == ' ' || b[n-1] == 0) {
		n--
	}
	return string(b[:n])
}

// listen asks for notices, if anybody is to hear them.
func (h *Host) listen(ctx context.Context) error {
	if h.o.Notice == nil {
		return nil
	}
	if _, err := h.admin.feature(ctx, featEvents, 1<<8|1<<11); err != nil {
		return fmt.Errorf("asking for notices: %w", err)
	}
	h.running.Go(func() {
		for {
			c := newCommand(opAsyncEvent)
			result, err := h.admin.do(h.ctx, c, nil, nil)
			if err != nil {
				return
			}
			// Reading the log page lets the next notice of the kind come; what is
			// in it whoever hears the notice finds out by looking.
			switch uint32(result) & 0xffffff {
			case noticeNamespace:
				_, _ = h.readLog(logChanged, 4*maxChanged)
				h.o.Notice(NamespacesChanged)
			case noticeANA:
				_, _ = h.readLog(logANA, 16)
				h.o.Notice(StatesChanged)
			default:
				_, _ = h.readLog(uint8(result>>16), 64)
			}
		}
	})
	return nil
}

func (h *Host) readLog(id uint8, n int) ([]byte, error) {
	c := newCommand(opGetLogPage)
	c.put(1, 0xffffffff)
	c.put(10, uint32(id)|uint32(n/4-1)<<16)
	b := make([]byte, n)
	_, err := h.admin.do(h.ctx, c, nil, b)
	return b, err
}

// keepAlive asks for a sign of life twice in the time that the target may be silent.
func (h *Host) keepAlive() {
	every := time.NewTicker(h.o.KeepAlive / 2)
	defer every.Stop()
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-every.C:
		}
		ctx, cancel := context.WithTimeout(h.ctx, h.o.KeepAlive)
		_, err := h.admin.do(ctx, newCommand(opKeepAlive), nil, nil)
		cancel()
		if err != nil {
			h.lose(fmt.Errorf("no answer to a keep-alive within %v", h.o.KeepAlive))
			return
		}
	}
}

// lose ends all connections for a reason.
func (h *Host) lose(why error) {
	if !errors.Is(why, ErrLost) {
		why = fmt.Errorf("%w: %w", ErrLost, why)
	}
	h.stop(why)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, q := range h.all {
		q.close()
	}
}

// know notes a connection, so that it ends with the others.
func (h *Host) know(q *hostQueue) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, q)
	if h.ctx.Err() != nil {
		q.close()
	}
}

// Lost is closed when there is no connection any more; Err says why.
func (h *Host) Lost() <-chan struct{} { return h.ctx.Done() }

// Err is why there is no connection any more, nil while there is one.
func (h *Host) Err() error { return context.Cause(h.ctx) }

// Close tells the controller to shut down and disconnects. Commands under way fail.
// A Notice function must not call it, for it waits for that to return.
func (h *Host) Close() error {
	if h.ctx.Err() == nil && h.admin != nil {
		h.shutDown()
	}
	h.lose(errors.New("it was closed"))
	h.running.Wait()
	return nil
}

// shutDown tells the controller, and waits a little until it has.
func (h *Host) shutDown() {
	ctx, cancel := context.WithTimeout(h.ctx, time.Second)
	defer cancel()
	if h.admin.setProperty(ctx, propCC, 1|1<<14|6<<16|4<<20) != nil {
		return
	}
	for {
		csts, err := h.admin.property(ctx, propCSTS, false)
		if err != nil || csts>>2&3 == 2 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// Namespaces are the ids of those that are shown at present.
func (h *Host) Namespaces(ctx context.Context) ([]uint32, error) {
	var ids []uint32
	for last := uint32(0); ; {
		b, err := h.admin.identify(ctx, cnsList, last)
		if err != nil {
			return nil, err
		}
		for at := 0; at < len(b); at += 4 {
			id := binary.LittleEndian.Uint32(b[at:])
			if id <= last { // 0, the end
				return ids, nil
			}
			ids, last = append(ids, id), id
		}
	}
}
