package sim

import (
	"maps"
	"slices"
	"syscall"
	"time"
)

func init() {
	register(
		writes("bdev_lvol_start_shallow_copy", (*process).startCopy),
		reads("bdev_lvol_check_shallow_copy", (*process).checkCopy),
	)
}

// shallowCopy copies the clusters of one layer onto another bdev.
type shallowCopy struct {
	src    *lvol
	dst    *bdev
	todo   []uint32
	copied int
	total  int
	buf    []byte // the cluster that is being written, nil before it is read
	io     *op    // of that cluster
	err    syscall.Errno
	over   bool
}

// gone and resized are of the destination. An lvol of the target itself stays until the copy
// is over, and so does the call that deletes it; what is on a peer fails.
func (c *shallowCopy) gone(b *bdev) bool {
	if _, own := b.dev.(*lvol); own {
		return false
	}
	c.fail(eio)
	return true
}

func (c *shallowCopy) resized(*bdev) {}

func (p *process) startCopy(q *struct {
	Src string `json:"src_lvol_name"`
	Dst string `json:"dst_bdev_name"`
}) (any, error) {
	v, err := p.lvol(q.Src)
	if err != nil {
		return nil, err
	}
	p.copyID++
	c := &shallowCopy{src: v, dst: p.bdevs.find(q.Dst), total: len(v.blob.Map), io: &op{}}
	if c.dst == nil {
		return nil, coded(codeInvalidParams, enodev)
	}
	if err := c.dst.open(c, true, claimWriteOne); err != nil {
		return nil, asInvalid(err)
	}
	id := p.copyID
	p.copies[id] = c
	switch {
	case !v.blob.ReadOnly:
		c.fail(eperm)
	case int64(v.blob.Clusters)*v.lvs.store.cluster > c.dst.bytes(),
		v.lvs.store.block%c.dst.blockSize != 0:
		c.fail(einval)
	case v.blob.locked:
		c.fail(ebusy)
	default:
		v.blob.locked = true
		c.todo = slices.Sorted(maps.Keys(v.blob.Map))
		p.soon(2, func() { c.step(p) })
	}
	return map[string]uint32{"operation_id": id}, nil
}

// HoldCopies has shallow copies and rebuilds stay where they are, those too that begin from
// here on, until targets were asked so often how far a copy is. 0 lets them go on.
func (c *Cluster) HoldCopies(asked int) { c.locked(func() { c.held = asked }) }

// Copying is how many shallow copies are not over.
func (c *Cluster) Copying() (n int) {
	c.locked(func() {
		for _, t := range c.targets {
			if t.p == nil {
				continue
			}
			for _, s := range t.p.copies {
				if !s.over {
					n++
				}
			}
		}
	})
	return n
}

// fail ends the copy, end does so whatever came of it.
func (c *shallowCopy) fail(n syscall.Errno) {
	if !c.over {
		c.err = n
		c.end()
	}
}

func (c *shallowCopy) end() {
	c.over = true
	if c.todo != nil {
		c.src.blob.locked = false
		c.todo = nil
	}
	c.io.end(c.dst.p.t.c)
	c.dst.close(c)
}

// step copies as much as the copy rate lets it.
func (c *shallowCopy) step(p *process) {
	s := c.src.lvs.store
	for !c.over {
		if c.copied == c.total {
			c.end()
			return
		}
		if p.t.c.held > 0 {
			p.after(stallPoll, func() { c.step(p) })
			return
		}
		idx := c.todo[c.copied]
		var err error
		if c.buf == nil {
			c.buf = make([]byte, s.cluster)
			err = s.disk.read(c.buf, int64(c.src.blob.Map[idx])*s.cluster)
		}
		if err == nil {
			// The numbers of the source's blocks are taken for those of the destination's.
			n := int64(s.block) / int64(c.dst.blockSize)
			err = c.dst.write(c.io, c.buf[:s.cluster/n], int64(idx)*s.cluster/n)
		}
		switch {
		case err == errStalled:
			poll := stallPoll
			if r, ok := c.dst.dev.(*remote); ok && r.disk != nil {
				poll = abroadPoll
			}
			p.after(poll, func() { c.step(p) })
			return
		case err != nil:
			c.fail(numberOf(err))
			return
		}
		c.io.end(p.t.c)
		c.io, c.buf = &op{}, nil
		c.copied++
		p.t.c.copied.add(s.cluster)
		if rate := p.t.c.opts.CopyRate; rate > 0 && c.copied < c.total {
			p.after(time.Duration(s.cluster*int64(time.Second)/rate), func() { c.step(p) })
			return
		}
	}
}

// checkCopy forgets an operation once it has told its end.
func (p *process) checkCopy(q *struct {
	ID uint32 `json:"operation_id"`
}) (any, error) {
	c := p.copies[q.ID]
	if c == nil {
		return nil, errno(enodev)
	}
	p.t.c.held = max(0, p.t.c.held-1)
	r := struct {
		Copied int    `json:"copied_clusters"`
		Total  int    `json:"total_clusters"`
		State  string `json:"state"`
		Error  string `json:"error,omitempty"`
	}{c.copied, c.total, "in progress", ""}
	switch {
	case c.err != 0:
		r.State, r.Error = "error", strerror(c.err)
	case c.over:
		r.State = "complete"
	default:
		return r, nil
	}
	delete(p.copies, q.ID)
	return r, nil
}
