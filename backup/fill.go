package backup

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"strata/archive"
	"strata/lineage"
	"strata/nvmetcp"
	"strata/spdk"
)

// Fill is an lvol, which is empty and nobody else's, that an image is written to. While it
// runs the node must be locked.
type Fill struct {
	Target *spdk.Client
	Names  lineage.Backup
	Of     lineage.Cluster
	Node   lineage.Node
	// Address and Port are where the node serves NVMe/TCP.
	Address, Port string
	Lvol          string // what RPCs call it
	Net           *Net   // nil: TCP
	Keys          string // as in Job
	Cluster       int64  // bytes
}

// Run writes the image, or what it has over what the lvol stands on, and tells how many
// bytes of it are written. When it returns the node shows the lvol to nobody any more, if it can be reached.
func (f *Fill) Run(ctx context.Context, of Content, tell func(bytes int64)) (err error) {
	nqn := string(f.Of.RestoreNQN(f.Names))
	way := proof{f.Target, f.Keys, f.Of, lineage.JobKey{Path: lineage.RestorePath, Volume: f.Names.Volume, Run: f.Names.Run}}
	if err := f.hide(ctx, nqn); err != nil { // of a try of this run that failed
		return err
	}
	defer func() {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), detachTimeout)
		defer cancel()
		if derr := errors.Join(f.hide(after, nqn), way.take(after)); derr != nil && err == nil {
			err = derr
		}
	}()
	keys, err := way.bring(ctx)
	if err != nil {
		return err
	}
	if err := f.show(ctx, nqn, way.names()); err != nil {
		return err
	}
	at := net.JoinHostPort(f.Address, f.Port)
	h, err := nvmetcp.Connect(ctx, at, nvmetcp.HostOptions{HostNQN: string(f.Of.RestoreHost()), Subsystem: nqn, Key: keys.host, TargetKey: keys.target, Dial: f.Net.dial()})
	if err != nil {
		return fmt.Errorf("strata does not reach %s at %s: %w", f.Node, at, err)
	}
	defer h.Close()
	disk, err := h.Open(ctx, 1)
	if err != nil {
		return err
	}
	if disk.Size < of.Size || of.Block%int64(disk.BlockSize) != 0 {
		return fmt.Errorf("%s has %d bytes in blocks of %d, and the image %d in pieces of %d", f.Lvol, disk.Size, disk.BlockSize, of.Size, of.Block)
	}
	w := &writer{disk: disk, cluster: max(f.Cluster, of.Block), block: of.Block, over: of.Over, seen: map[int64]map[int64]bool{}}
	if err := of.Blocks(ctx, w.has, func(b archive.Block) error {
		if err := w.write(ctx, b); err != nil {
			return err
		}
		tell(w.bytes.Load())
		return nil
	}); err != nil {
		return err
	}
	if of.Zeroes != nil {
		if err := of.Zeroes(ctx, func(off, n int64) error {
			if err := w.zero(ctx, off, n); err != nil {
				return err
			}
			tell(w.bytes.Load())
			return nil
		}); err != nil {
			return err
		}
	}
	if !of.Over {
		if err := w.pad(ctx); err != nil {
			return err
		}
	}
	return disk.Flush(ctx)
}

// writer writes blocks, and what is missing of the clusters that they are in: a target does
// not zero a cluster that is written to first. Over a layer it copies it from there.
type writer struct {
	disk           *nvmetcp.Device
	cluster, block int64
	over           bool
	bytes          atomic.Int64

	mu   sync.Mutex
	seen map[int64]map[int64]bool // blocks by cluster; nil of a cluster that is whole
}

func (w *writer) write(ctx context.Context, b archive.Block) error {
	switch {
	case b.Data != nil:
		if err := w.disk.WriteAt(ctx, b.Data, b.Off); err != nil {
			return err
		}
	case w.over:
		return w.zero(ctx, b.Off, b.Len)
	default:
		return nil // it reads as zero
	}
	w.wrote(b.Off, b.Len)
	return nil
}

// zero writes zeroes, which take room then.
func (w *writer) zero(ctx context.Context, off, n int64) error {
	if err := w.disk.Zero(ctx, off, n); err != nil {
		return err
	}
	w.wrote(off, n)
	return nil
}

// wrote notes that a block is written.
func (w *writer) wrote(off, n int64) {
	w.bytes.Add(n)
	if w.over || w.block == w.cluster {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	c := off / w.cluster
	blocks, begun := w.seen[c]
	if !begun {
		blocks = map[int64]bool{}
		w.seen[c] = blocks
	}
	if blocks[off] = true; int64(len(blocks)) == w.cluster/w.block {
		w.seen[c] = nil
	}
}

// has reports whether the disk has a block already.
func (w *writer) has(ctx context.Context, off, n int64, sum archive.ID) (bool, error) {
	p := make([]byte, n)
	if err := w.disk.ReadAt(ctx, p, off); err != nil {
		return false, err
	}
	return sha256.Sum256(p) == sum, nil
}

// pad zeroes the rest of clusters that were written to in part.
func (w *writer) pad(ctx context.Context) error {
	for c, blocks := range w.seen {
		if blocks == nil {
			continue
		}
		for off := c * w.cluster; off < min((c+1)*w.cluster, w.disk.Size); off += w.block {
			if !blocks[off] {
				if err := w.disk.WriteAt(ctx, make([]byte, min(w.block, w.disk.Size-off)), off); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// show has the node show the lvol to strata alone.
func (f *Fill) show(ctx context.Context, nqn string, keys lineage.HostKeys) error {
	if err := f.Target.TransportCreate(ctx, "TCP"); err != nil && spdk.ClassOf(err) != spdk.Exists {
		return err
	}
	id := uuid.New().String()
	steps := []func() error{
		func() error {
			return f.Target.SubsystemCreate(ctx, spdk.SubsystemCreate{NQN: nqn, SerialNumber: "STRESTORE", ModelNumber: "strata", MaxNamespaces: 1})
		},
		func() error {
			return f.Target.HostAdd(ctx, spdk.HostAdd{NQN: nqn, Host: string(f.Of.RestoreHost()), Key: keys.Key, CtrlKey: keys.CtrlKey})
		},
		func() error {
			_, err := f.Target.NamespaceAdd(ctx, spdk.NamespaceAdd{NQN: nqn, Namespace: spdk.NamespaceSpec{NSID: 1, BdevName: f.Lvol, UUID: id}})
			return err
		},
		func() error {
			return f.Target.ListenerAdd(ctx, spdk.ListenerAdd{NQN: nqn, Address: spdk.Address{TrType: "TCP", AdrFam: family(net.ParseIP(f.Address)), TrAddr: f.Address, TrSvcID: f.Port}})
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (f *Fill) hide(ctx context.Context, nqn string) error {
	all, err := f.Target.GetSubsystems(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.NQN == nqn {
			return f.Target.SubsystemDelete(ctx, nqn)
		}
	}
	return nil
}
