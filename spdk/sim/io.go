package sim

import (
	"context"
	"errors"
)

// errStalled says that an I/O can neither be done nor fail now: a controller
// on the way is reconnecting, or its peer does not answer.
var errStalled = errors.New("stalled")

// op is one I/O on its way through a stack of bdevs. Where it gets stuck it
// leaves marks, so that whoever has to wait for outstanding I/O does.
type op struct {
	held map[*int]struct{}
	done map[any]struct{}
	sent map[part]*sent
}

// hold counts the op as outstanding in n until it ends.
func (o *op) hold(n *int) {
	if _, ok := o.held[n]; ok {
		return
	}
	if o.held == nil {
		o.held = map[*int]struct{}{}
	}
	o.held[n] = struct{}{}
	*n++
}

// once says whether a part of the op was done by an earlier attempt.
func (o *op) once(part any) bool {
	_, ok := o.done[part]
	return ok
}

func (o *op) did(part any) {
	if o.done == nil {
		o.done = map[any]struct{}{}
	}
	o.done[part] = struct{}{}
}

// end uncounts an op that is done or given up.
func (o *op) end(c *Cluster) {
	if len(o.held) == 0 {
		return
	}
	for n := range o.held {
		*n--
	}
	o.held = nil
	c.notify()
}

// run attempts f until it is done, fails, or ctx ends. The caller holds the lock.
func (c *Cluster) run(ctx context.Context, f func(*op) error) error {
	o := &op{}
	defer o.end(c)
	for {
		err := f(o)
		if !errors.Is(err, errStalled) {
			return err
		}
		if err := c.wait(ctx); err != nil {
			return err
		}
	}
}

// ReadBdev reads from a bdev named by name, alias or UUID, as spdk_dd would
// inside the target. While the I/O stalls it waits for ctx.
func (t *Target) ReadBdev(ctx context.Context, name string, p []byte, off int64) error {
	return t.io(ctx, name, off, int64(len(p)), func(b *bdev, o *op) error { return b.dev.read(o, p, off) })
}

// WriteBdev writes to a bdev whoever has claimed it.
func (t *Target) WriteBdev(ctx context.Context, name string, p []byte, off int64) error {
	return t.io(ctx, name, off, int64(len(p)), func(b *bdev, o *op) error { return b.dev.write(o, p, off) })
}

func (t *Target) io(ctx context.Context, name string, off, n int64, f func(*bdev, *op) error) error {
	t.c.mu.Lock()
	defer t.c.mu.Unlock()
	return t.c.run(ctx, func(o *op) error {
		if t.p == nil {
			return enodev
		}
		b := t.p.bdevs.find(name)
		if b == nil {
			return enodev
		}
		if off < 0 || off+n > b.bytes() {
			return einval
		}
		return f(b, o)
	})
}
