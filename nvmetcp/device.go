package nvmetcp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
)

// Device is a namespace as a host sees it. Its methods may be called concurrently.
// They split what is longer than the target takes in one command, and have as many
// commands under way as queues have room for; an error may leave a part done.
type Device struct {
	h  *Host
	id uint32
	// UUID is that of the namespace, or its NGUID where it has none.
	UUID [16]byte
	// BlockSize is in bytes: offsets and lengths must be multiples of it.
	BlockSize int
	// Size is in bytes, as of when the device was opened.
	Size int64
}

// Open looks a namespace up. A [Status] InvalidNamespace says that there is none.
func (h *Host) Open(ctx context.Context, id uint32) (*Device, error) {
	b, err := h.admin.identify(ctx, cnsNamespace, id)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	blocks := le.Uint64(b[0:])
	if blocks == 0 {
		return nil, fmt.Errorf("nvmetcp: namespace %d: %w", id, InvalidNamespace)
	}
	shift := b[128+4*int(b[26]&15)+2]
	if shift < 9 || shift > 16 || blocks > 1<<62>>shift {
		return nil, fmt.Errorf("nvmetcp: namespace %d has blocks of 2^%d bytes, %d of them", id, shift, blocks)
	}
	d := &Device{h: h, id: id, BlockSize: 1 << shift, Size: int64(blocks << shift)}
	copy(d.UUID[:], b[104:])
	ids, err := h.admin.identify(ctx, cnsDescriptors, id)
	if err != nil {
		return nil, err
	}
	for len(ids) >= 4 && ids[1] > 0 && len(ids) >= 4+int(ids[1]) {
		if ids[0] == nidUUID && ids[1] == 16 {
			copy(d.UUID[:], ids[4:])
		}
		ids = ids[4+int(ids[1]):]
	}
	return d, nil
}

// ErrRange is an offset or a length that is not in whole blocks, or beyond the end.
var ErrRange = errors.New("nvmetcp: not whole blocks of the device")

// ReadAt fills p from offset off.
func (d *Device) ReadAt(ctx context.Context, p []byte, off int64) error {
	return d.split(ctx, off, int64(len(p)), int64(d.h.maxTransfer), func(ctx context.Context, q *hostQueue, from, to int64) error {
		c := d.command(opRead, off+from, to-from)
		_, err := q.do(ctx, c, nil, p[from:to])
		return err
	})
}

// WriteAt writes p at offset off. A write that ctx ends early may be done all the
// same, in part, later; if its data was still to be sent, the connection is lost.
func (d *Device) WriteAt(ctx context.Context, p []byte, off int64) error {
	return d.split(ctx, off, int64(len(p)), int64(d.h.maxTransfer), func(ctx context.Context, q *hostQueue, from, to int64) error {
		c := d.command(opWrite, off+from, to-from)
		_, err := q.do(ctx, c, p[from:to], nil)
		return err
	})
}

// Zero makes n bytes from off on read as zero; a target that cannot is sent zeroes.
func (d *Device) Zero(ctx context.Context, off, n int64) error {
	if !d.h.zeroes {
		return d.split(ctx, off, n, int64(d.h.maxTransfer), func(ctx context.Context, q *hostQueue, from, to int64) error {
			_, err := q.do(ctx, d.command(opWrite, off+from, to-from), make([]byte, to-from), nil)
			return err
		})
	}
	return d.split(ctx, off, n, min(1<<16*int64(d.BlockSize), 64<<20), func(ctx context.Context, q *hostQueue, from, to int64) error {
		_, err := q.do(ctx, d.command(opWriteZeroes, off+from, to-from), nil, nil)
		return err
	})
}

// Discards reports whether the target has a use for what is discarded.
func (d *Device) Discards() bool { return d.h.discards }

// Discard tells the target that nobody needs n bytes from off on. What they are
// after that is the target's choice; one that has no use for it is not told.
func (d *Device) Discard(ctx context.Context, off, n int64) error {
	if !d.h.discards {
		return nil
	}
	return d.split(ctx, off, n, 1<<30, func(ctx context.Context, q *hostQueue, from, to int64) error {
		var r [16]byte
		binary.LittleEndian.PutUint32(r[4:], uint32((to-from)/int64(d.BlockSize)))
		binary.LittleEndian.PutUint64(r[8:], uint64((off+from)/int64(d.BlockSize)))
		c := newCommand(opDSM)
		c.put(1, d.id)
		c.put(11, 1<<2)
		_, err := q.do(ctx, c, r[:], nil)
		return err
	})
}

// Flush makes what was written durable.
func (d *Device) Flush(ctx context.Context) error {
	c := newCommand(opFlush)
	c.put(1, d.id)
	_, err := d.h.next().do(ctx, c, nil, nil)
	return d.explain(err, 0, 0)
}

func (d *Device) command(op uint8, off, n int64) sqe {
	c := newCommand(op)
	c.put(1, d.id)
	c.put64(10, uint64(off/int64(d.BlockSize)))
	c.put(12, uint32(n/int64(d.BlockSize)-1))
	return c
}

// split has f do n bytes in parts no longer than most, some at a time.
func (d *Device) split(ctx context.Context, off, n, most int64, f func(ctx context.Context, q *hostQueue, from, to int64) error) error {
	block := int64(d.BlockSize)
	if off < 0 || n < 0 || off%block != 0 || n%block != 0 || off+n > d.Size {
		return fmt.Errorf("%w: %d bytes at %d of %d, with blocks of %d", ErrRange, n, off, d.Size, block)
	}
	most = min(most, 1<<16*block) / block * block
	if n <= most {
		if n == 0 {
			return nil
		}
		return d.explain(f(ctx, d.h.next(), 0, n), off, n)
	}
	var (
		parts sync.WaitGroup
		mu    sync.Mutex
		first error // once there is one, nothing more is begun
	)
	room := make(chan struct{}, d.h.o.Depth*len(d.h.queues))
	for from := int64(0); from < n; from += most {
		room <- struct{}{}
		mu.Lock()
		failed := first != nil
		mu.Unlock()
		if failed {
			break
		}
		parts.Go(func() {
			defer func() { <-room }()
			to := min(from+most, n)
			err := d.explain(f(ctx, d.h.next(), from, to), off+from, to-from)
			mu.Lock()
			defer mu.Unlock()
			if first == nil {
				first = err
			}
		})
	}
	parts.Wait()
	return first
}

func (d *Device) explain(err error, off, n int64) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("nvmetcp: namespace %d, %d bytes at %d: %w", d.id, n, off, err)
}

// next is the I/O queue whose turn it is.
func (h *Host) next() *hostQueue {
	if len(h.queues) == 1 {
		return h.queues[0]
	}
	i := <-h.turn
	h.turn <- (i + 1) % len(h.queues)
	return h.queues[i]
}
