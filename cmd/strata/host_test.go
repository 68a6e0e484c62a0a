package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"strata/lineage"
	"strata/nvmetcp"
	"strata/spdk/sim"
)

// hostNQN is what a story's hosts call themselves unless it says otherwise.
const hostNQN = "nqn.2014-08.org.nvmexpress:uuid:6a9f1e1c-0000-4000-8000-000000000001"

// ioLimit is how long a host waits for an answer.
const ioLimit = time.Minute

// host is a machine that uses a volume, as a Linux host with
// ctrlr_loss_timeout -1 does: it reconnects by itself and finds the same disk.
type host struct {
	conn   *sim.Conn
	disk   atomic.Pointer[sim.Namespace]
	cancel context.CancelFunc // ends the reading
	failed chan error         // what came of it
}

func (h *host) stop() {
	if h.cancel != nil {
		h.cancel()
	}
	h.conn.Close() // what it waits for may never come
	if h.cancel != nil {
		<-h.failed
	}
}

// cmdKeys gives hosts that connect from here on the keys in files: their own, and the target's.
func (l *lab) cmdKeys(s *script, args []string) error {
	l.keys = [2]*nvmetcp.Key{}
	for i, file := range args {
		k, err := nvmetcp.ParseKey(s.ReadFile(file))
		if err != nil {
			return err
		}
		l.keys[i] = k
	}
	return nil
}

// cmdPSK has hosts that connect from here on come by TLS with the key in a file, or without it.
func (l *lab) cmdPSK(s *script, args []string) (err error) {
	l.psk = nil
	if len(args) > 0 {
		l.psk, err = nvmetcp.ParsePSK(strings.TrimSpace(s.ReadFile(args[0])))
	}
	return err
}

// cmdPSKgen makes a key of TLS in a file, as nvme gen-tls-key does.
func (l *lab) cmdPSKgen(s *script, args []string) error {
	return os.WriteFile(s.MkAbs(args[0]), []byte(nvmetcp.NewPSK().Text()), 0o600)
}

// cmdDiscover prints what a host finds that looks for subsystems at an address.
func (l *lab) cmdDiscover(s *script, args []string) error {
	found, err := l.cluster.Host(args[1]).Discover(args[0], "4420")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.Stdout(), strings.Join(found, "\n"))
	return err
}

// cmdKeygen makes a key in a file, as nvme gen-dhchap-key does.
func (l *lab) cmdKeygen(s *script, args []string) error {
	return os.WriteFile(s.MkAbs(args[0]), []byte(nvmetcp.NewKey().Text()+"\n"), 0o600)
}

// connect connects a host to a volume.
func (l *lab) connect(volume, nqn string) error {
	conn, disk, err := l.dial(volume, nqn)
	if err == nil {
		l.hosts[volume] = &host{conn: conn}
		l.hosts[volume].disk.Store(disk)
	}
	return err
}

// dial finds a volume's export that shows its disk, and connects to it.
func (l *lab) dial(volume, nqn string) (conn *sim.Conn, disk *sim.Namespace, err error) {
	err = fmt.Errorf("%s is exported nowhere", volume)
	last := l.listeners(volume, func(sub, address, port string) error {
		if disk != nil {
			return nil
		}
		if conn, err = l.cluster.Host(nqn).With(l.keys[0], l.keys[1]).WithPSK(l.psk).Connect(address, port, sub); err != nil {
			return err
		}
		if disk, err = conn.Namespace(1); err != nil {
			conn.Close()
		}
		return nil
	})
	if last != nil {
		err = last
	}
	return conn, disk, err
}

// host returns the host connected to a volume, connecting one if there is none.
func (l *lab) host(volume string) (*host, error) {
	if l.hosts[volume] == nil {
		if err := l.connect(volume, hostNQN); err != nil {
			return nil, err
		}
	}
	return l.hosts[volume], nil
}

// cmdPaths connects a host by every listener of a volume, the one first that has its disk.
func (l *lab) cmdPaths(s *script, args []string) error {
	if err := l.cmdHost(s, args); err != nil {
		return err
	}
	h := l.hosts[args[0]]
	return l.listeners(args[0], func(nqn, address, port string) error {
		if h.conn.At() == address+":"+port {
			return nil
		}
		return h.conn.Also(address, port)
	})
}

// listeners goes through those of a volume's exports.
func (l *lab) listeners(volume string, each func(nqn, address, port string) error) error {
	return l.listenersOf(l.nodes, volume, each)
}

func (l *lab) listenersOf(nodes []string, volume string, each func(nqn, address, port string) error) error {
	for _, n := range nodes {
		result, err := l.call(n, "nvmf_get_subsystems", "")
		if err != nil {
			continue
		}
		var subs []struct {
			NQN    string
			Listen []struct{ Traddr, Trsvcid string } `json:"listen_addresses"`
		}
		if err := json.Unmarshal(result, &subs); err != nil {
			return err
		}
		for _, s := range subs {
			if !strings.Contains(s.NQN, ":"+volume+".") {
				continue
			}
			for _, a := range s.Listen {
				if err := each(s.NQN, a.Traddr, a.Trsvcid); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (l *lab) cmdHost(_ *script, args []string) error {
	if h := l.hosts[args[0]]; h != nil {
		h.stop()
		delete(l.hosts, args[0])
	}
	return l.connect(args[0], append(args, hostNQN)[1])
}

// extent is the OFFSET SIZE LETTER of a command.
func extent(args []string) (off int64, data []byte, err error) {
	off, err = bytesOf(args[0])
	if err != nil {
		return 0, nil, err
	}
	size, err := bytesOf(args[1])
	letter := args[2][:1]
	if args[2] == "zero" {
		letter = "\x00"
	}
	return off, bytes.Repeat([]byte(letter), int(size)), err
}

func (l *lab) cmdWrite(_ *script, args []string) error {
	off, data, err := extent(args[1:])
	if err != nil {
		return err
	}
	h, err := l.host(args[0])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), ioLimit)
	defer cancel()
	return h.disk.Load().WriteAt(ctx, data, off)
}

func (l *lab) cmdRead(_ *script, args []string) error {
	h, err := l.host(args[0])
	if err != nil {
		return err
	}
	return compare(args[1:], h.disk.Load().ReadAt)
}

// compare reads an extent and compares it with what it should be.
func compare(args []string, read func(context.Context, []byte, int64) error) error {
	off, want, err := extent(args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), ioLimit)
	defer cancel()
	got := make([]byte, len(want))
	if err := read(ctx, got, off); err != nil {
		return err
	}
	for i := range got {
		if got[i] != want[i] {
			return fmt.Errorf("at %d there is %q, not %q", off+int64(i), got[i], want[i])
		}
	}
	return nil
}

func (l *lab) cmdReplica(_ *script, args []string) error {
	read, err := l.replica(args[0], args[1])
	if err != nil {
		return err
	}
	return compare(args[2:], read)
}

// cmdDamage flips a bit of a node's layer at an offset.
func (l *lab) cmdDamage(_ *script, args []string) error {
	t, uuid, err := l.replicaOf(args[0], args[1])
	if err != nil {
		return err
	}
	off, err := bytesOf(args[2])
	if err != nil {
		return err
	}
	return t.Damage(uuid, off)
}

// replica returns a reader of a node's replica of a volume, or, of
// volume@snapshot, of the layer there.
func (l *lab) replica(node, name string) (func(context.Context, []byte, int64) error, error) {
	t, uuid, err := l.replicaOf(node, name)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, p []byte, off int64) error { return t.ReadBdev(ctx, uuid, p, off) }, nil
}

// replicaOf is the UUID of what replica reads.
func (l *lab) replicaOf(node, name string) (t *sim.Target, uuid string, err error) {
	if t, err = l.target(node); err != nil {
		return nil, "", err
	}
	result, err := l.call(node, "bdev_lvol_get_lvols", "")
	if err != nil {
		return nil, "", err
	}
	var lvols []struct{ UUID, Name string }
	if err := json.Unmarshal(result, &lvols); err != nil {
		return nil, "", err
	}
	var epoch lineage.Epoch
	volume, snapshot, layer := strings.Cut(name, "@")
	for _, lv := range lvols {
		n, ok := lineage.Parse(lineage.LvolName(lv.Name))
		if !ok || n.Of().Name != volume {
			continue
		}
		switch n := n.(type) {
		case lineage.Head:
			if n.Mark == lineage.Fenced {
				n.Epoch = 0 // a stale replica is read only where there is no other
			}
			if !layer && (uuid == "" || n.Epoch > epoch) {
				uuid, epoch = lv.UUID, n.Epoch
			}
		case lineage.Layer:
			if layer && n.Snapshot == snapshot {
				uuid = lv.UUID
			}
		}
	}
	if uuid == "" {
		return nil, "", fmt.Errorf("%s has no %s", node, name)
	}
	return t, uuid, nil
}

func (l *lab) cmdSame(_ *script, args []string) error {
	off, err := bytesOf(args[1])
	if err != nil {
		return err
	}
	size, err := bytesOf(args[2])
	if err != nil {
		return err
	}
	var first []byte
	for _, node := range args[3:] {
		read, err := l.replica(node, args[0])
		if err != nil {
			return err
		}
		got := make([]byte, size)
		if err := read(context.Background(), got, off); err != nil {
			return err
		}
		if first == nil {
			first = got
		}
		for i := range got {
			if got[i] != first[i] {
				return fmt.Errorf("at %d %s has %d in %s, and %s has %d", off+int64(i), node, got[i], args[0], args[3], first[i])
			}
		}
	}
	return nil
}

func (l *lab) cmdFollow(_ *script, args []string) error {
	h := l.hosts[args[0]]
	conn, disk, err := l.dial(args[0], hostNQN)
	if err != nil {
		return err
	}
	h.disk.Store(disk)
	h.conn.Close()
	h.conn = conn
	return nil
}

func (l *lab) cmdReading(_ *script, args []string) error {
	return l.using(args, (*host).readOn)
}

func (l *lab) cmdWriting(_ *script, args []string) error {
	return l.using(args, (*host).writeOn)
}

// using begins or, with -stop, ends what a host does without end. It has begun when the first
// of it is done, unless that is held.
func (l *lab) using(args []string, do func(h *host, ctx context.Context, first func()) error) error {
	if args[0] == "-stop" {
		h := l.hosts[args[1]]
		h.cancel()
		err := <-h.failed
		h.cancel = nil
		return err
	}
	held := args[0] == "-held"
	if held {
		args = args[1:]
	}
	h, err := l.host(args[0])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel, h.failed = cancel, make(chan error, 1)
	begun := make(chan struct{})
	go func() { h.failed <- do(h, ctx, sync.OnceFunc(func() { close(begun) })) }()
	if held {
		return nil
	}
	select {
	case <-begun:
		return nil
	case err := <-h.failed:
		h.failed <- err // for who ends it
		return err
	case <-time.After(ioLimit):
		return fmt.Errorf("the host of %s is held; say -held if it is to be", args[0])
	}
}

// writeOn writes every millisecond until ctx ends, and once at least, 4 KiB to
// each of the first 64 MiB in turn; then it reads back what it wrote last.
func (h *host) writeOn(ctx context.Context, first func()) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	const blocks = 64
	var last [blocks]byte
	for n := 0; n == 0 || ctx.Err() == nil; n++ {
		at := n % blocks
		last[at] = byte(1 + n%251)
		if err := h.write(bytes.Repeat(last[at:at+1], 4096), int64(at)<<20); err != nil {
			return fmt.Errorf("the host saw an error: %w", err)
		}
		first()
		<-tick.C
	}
	for at, want := range last {
		got := make([]byte, 4096)
		if err := h.disk.Load().ReadAt(context.Background(), got, int64(at)<<20); err != nil {
			return err
		}
		if want != 0 && (got[0] != want || got[4095] != want) {
			return fmt.Errorf("at %dMi there is %d, not %d", at, got[0], want)
		}
	}
	return nil
}

// write writes, again where the host goes on if it leaves a path meanwhile.
func (h *host) write(p []byte, off int64) error {
	for {
		disk := h.disk.Load()
		err := disk.WriteAt(context.Background(), p, off)
		if err == nil || h.disk.Load() == disk {
			return err
		}
	}
}

// readOn reads every millisecond until ctx ends, each read waiting as long as
// it has to.
func (h *host) readOn(ctx context.Context, first func()) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if err := h.disk.Load().ReadAt(ctx, make([]byte, 4096), 0); err != nil && ctx.Err() == nil {
			return fmt.Errorf("the host saw an error: %w", err)
		}
		first()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
