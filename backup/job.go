// Package backup copies layers of a volume from a node into an archive, and has the
// archives of a configuration open. It knows neither plans nor when something is backed up.
package backup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"
	"time"

	"strata/archive"
	"strata/catalog"
	"strata/lineage"
	"strata/spdk"
	"strata/spdk/shallow"
)

// Job is one record to be made. While it runs the node must be locked: nothing may delete
// a layer meanwhile, and nobody else may make a job of this name there.
type Job struct {
	Target *spdk.Client
	Names  lineage.Backup
	Of     lineage.Cluster
	Node   lineage.Node
	// Address is that of the node, and Listen where strata listens for it: an IP address,
	// with or without port; "" is the one from which this machine reaches the node.
	Address, Listen string
	Net             *Net // nil: TCP
	// Keys is the directory on the node's machine that has the keys by which it and strata
	// prove themselves to each other; "" where neither does.
	Keys string
	// Layers are what RPCs call the layers whose clusters are sent, the oldest first. The
	// last is recorded, as Record says.
	Layers []string
	Record catalog.Record
	Base   *archive.Record // nil: all is sent
}

// Sent is what a job has come to.
type Sent struct {
	Clusters int64
	Bytes    int64 // that came from the node
	Stored   int64 // bytes of packs that are new
	Record   catalog.Record
}

// Run carries a job out, and tells how many clusters of how many have come. When it returns
// the node is attached to nothing of the job any more, if it can be reached.
func (j *Job) Run(ctx context.Context, r *archive.Repository, tell func(copied, total uint64)) (sent Sent, err error) {
	shape, err := j.shape(ctx)
	if err != nil {
		return sent, err
	}
	b, err := r.Backup(ctx, archive.BackupOptions{Volume: j.Names.Volume.Name, Size: shape.size, BlockSize: j.Record.Block, Base: j.Base})
	if err != nil {
		return sent, err
	}
	defer b.Close()
	var came extents
	if shape.clusters > 0 {
		if sent.Bytes, came, err = j.send(ctx, b, shape, tell); err != nil {
			return sent, err
		}
	}
	sent.Clusters = sent.Bytes / shape.cluster
	rec := j.Record
	rec.Cluster, rec.Size, rec.Bytes, rec.Time = j.Of, shape.size, sent.Bytes, time.Now().Unix()
	came, known, err := j.have(ctx, r, came)
	if err != nil {
		return sent, err
	}
	note, err := noteOf(rec, shape, came, known)
	if err != nil {
		return sent, err
	}
	made, err := b.Commit(ctx, archive.Commit{Time: time.Unix(rec.Time, 0), Host: string(j.Of), Tags: rec.Tags(), Note: note})
	sent.Stored, rec.ID = b.Stats().Stored, made.ID.String()
	sent.Record = rec
	return sent, err
}

// shape is what the layers are like on the node.
type shape struct {
	size     int64 // of the layer that is recorded, in bytes
	block    int   // of the lvstore, in bytes
	cluster  int64 // bytes
	clusters int64 // of all layers
	each     []int64
}

func (j *Job) shape(ctx context.Context) (s shape, err error) {
	stores, err := j.Target.GetLvstores(ctx)
	if err != nil {
		return s, err
	}
	for _, layer := range j.Layers {
		b, err := j.Target.GetBdev(ctx, layer)
		if err != nil {
			return s, err
		}
		l := b.Driver.Lvol
		if l == nil || !l.Snapshot {
			return s, fmt.Errorf("%s is no snapshot", layer)
		}
		i := slices.IndexFunc(stores, func(x spdk.Lvstore) bool { return x.UUID == l.LvstoreUUID })
		if i < 0 {
			return s, fmt.Errorf("%s is in no lvstore that is listed", layer)
		}
		s.block, s.cluster = int(stores[i].BlockSize), int64(stores[i].ClusterSize)
		s.size = max(s.size, int64(b.Size()))
		s.each = append(s.each, int64(l.NumAllocatedClusters))
		s.clusters += int64(l.NumAllocatedClusters)
	}
	if s.cluster%j.Record.Block != 0 {
		return s, fmt.Errorf("clusters of %d bytes are not whole blocks of the image, which has %d", s.cluster, j.Record.Block)
	}
	return s, nil
}

// Of a peer that is this process not much patience is needed: what ends it ends the copy.
const (
	lossTimeoutSec = 5
	fastFailSec    = 2
)

// have are the clusters that the layer has, or one below it: those that came, and those of the
// record on which this one is built. They are not known where that one does not say so.
func (j *Job) have(ctx context.Context, r *archive.Repository, came extents) (all extents, known bool, err error) {
	if j.Base == nil {
		return came, true, nil
	}
	image, err := r.Image(ctx, *j.Base)
	if err != nil {
		return nil, false, err
	}
	defer image.Close()
	below, known := sentIn(image)
	return below.with(came), known, nil
}

// send has the node send the layers, and returns which clusters came.
func (j *Job) send(ctx context.Context, to sink, s shape, tell func(copied, total uint64)) (bytes int64, sent extents, err error) {
	in := &intake{to: to, size: s.size, cluster: s.cluster}
	name := j.Of.BackupController(j.Names.Volume)
	if err := Detach(ctx, j.Target, name); err != nil { // of a job of this run that failed
		return 0, nil, err
	}
	way := proof{j.Target, j.Keys, j.Of, lineage.JobKey{Path: lineage.BackupPath, Volume: j.Names.Volume, Run: j.Names.Run}}
	after := func(do func(context.Context) error) {
		over, cancel := context.WithTimeout(context.WithoutCancel(ctx), detachTimeout)
		defer cancel()
		if oerr := do(over); oerr != nil && err == nil {
			err = oerr
		}
	}
	// The node detaches while it is still connected: else its target goes on looking for it.
	defer after(way.take)
	keys, err := way.bring(ctx)
	if err != nil {
		return 0, nil, err
	}
	door, err := open(ctx, j, in, s, keys)
	if err != nil {
		return 0, nil, err
	}
	defer door.close()
	defer after(func(ctx context.Context) error { return Detach(ctx, j.Target, name) })
	if err := door.attach(ctx, j, name, way.names()); err != nil {
		return 0, nil, err
	}
	if err := awaitBdev(ctx, j.Target, door.uuid, s.block); err != nil {
		return 0, nil, err
	}
	var before uint64
	for i, layer := range j.Layers {
		if s.each[i] == 0 {
			continue
		}
		in.next()
		got, err := j.layer(ctx, layer, door.uuid, func(copied, _ uint64) { tell(before+copied, uint64(s.clusters)) })
		if err != nil {
			return bytes, nil, fmt.Errorf("copying %s: %w", layer, err)
		}
		if came := in.came(); came != int64(got)*s.cluster {
			return bytes, nil, fmt.Errorf("%s: the target says that it has sent %d clusters, and %d bytes have come, which are %.1f: nothing is recorded", layer, got, came, float64(came)/float64(s.cluster))
		}
		before += got
		bytes += int64(got) * s.cluster
	}
	return bytes, in.sent(), nil
}

// layer copies one layer, and returns of how many clusters the target says that they are.
func (j *Job) layer(ctx context.Context, layer, to string, tell func(copied, total uint64)) (clusters uint64, err error) {
	id, err := shallow.Start(ctx, j.Target, layer, to)
	if err != nil {
		return 0, err
	}
	err = shallow.Follow(ctx, j.Target, id, func(copied, total uint64) {
		clusters = total
		tell(copied, total)
	})
	return clusters, err
}

const (
	detachTimeout = 15 * time.Second
	appearTimeout = 10 * time.Second
)

// Detach takes a controller from a node. It is disabled before, for one that is detached as a
// namespace comes may stay for good; where that is refused it goes all the same.
func Detach(ctx context.Context, t *spdk.Client, name string) error {
	if err := t.DisableController(ctx, name); spdk.ClassOf(err) == spdk.NotFound {
		return nil
	}
	err := t.DetachController(ctx, name)
	if spdk.ClassOf(err) == spdk.NotFound {
		return nil
	}
	return err
}

// awaitBdev waits until what strata shows is there as a bdev, with the lvstore's blocks.
func awaitBdev(ctx context.Context, t *spdk.Client, uuid string, block int) error {
	ctx, cancel := context.WithTimeout(ctx, appearTimeout)
	defer cancel()
	for {
		b, err := t.GetBdev(ctx, uuid)
		if err == nil {
			return fits(b, block)
		}
		if spdk.ClassOf(err) != spdk.NotFound {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("what strata shows did not appear as a bdev: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// fits refuses a bdev that has not the lvstore's blocks.
func fits(b spdk.Bdev, block int) error {
	if int(b.BlockSize) != block {
		return &shallow.BlocksError{Src: "the lvstore", Dst: b.Name, SrcBlock: uint32(block), DstBlock: b.BlockSize}
	}
	return nil
}

// reason says in words why a node did not attach.
func reason(err error, at net.Addr) error {
	var refused *spdk.Error
	if errors.As(err, &refused) && refused.Code == -int(syscall.EOPNOTSUPP) {
		return fmt.Errorf("the target attaches no NVMe-oF controller, as one does in interrupt mode: start it without (--interrupt-mode); nothing is backed up from it until then: %w", err)
	}
	return fmt.Errorf("it does not reach strata at %s: see that nothing is between them that drops packets, and say with --backup-listen at which address of this machine it does: %w", at, err)
}
