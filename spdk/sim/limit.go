package sim

import "time"

// paid is the part of an op that a bdev has let through.
type paid struct {
	b     *bdev
	off   int64
	write bool
}

// read and write are I/O to the bdev by those who have it open, in its limits.
// Why it fails they are not told.
func (b *bdev) read(o *op, p []byte, off int64) error {
	if !b.admits(o, paid{b, off, false}, len(p)) {
		return errStalled
	}
	return b.failed(b.dev.read(o, p, off))
}

func (b *bdev) write(o *op, p []byte, off int64) error {
	if !b.admits(o, paid{b, off, true}, len(p)) {
		return errStalled
	}
	return b.failed(b.dev.write(o, p, off))
}

// discard is not limited.
func (b *bdev) discard(o *op, off, n int64) error { return b.failed(b.dev.discard(o, off, n)) }

// failed counts an I/O that fails.
func (b *bdev) failed(err error) error {
	if err != nil && err != errStalled {
		b.stat.failed++
		return eio
	}
	return err
}

// admits says whether an I/O may be done now. It is then due for as long as the
// limits give one of its size, and the next has to wait.
func (b *bdev) admits(o *op, part paid, size int) bool {
	if b.limits == ([4]uint64{}) || o.once(part) {
		return true
	}
	now := time.Now()
	if wait := b.due(part.write).Sub(now); wait > 0 {
		if !b.waking {
			b.waking = true
			b.p.after(wait, func() { b.waking = false }) // wakes who waits
		}
		return false
	}
	for i, rate := range b.limits {
		if rate == 0 || i == limitRead && part.write || i == limitWrite && !part.write {
			continue
		}
		takes := time.Second / time.Duration(rate)
		if i != limitIOPS {
			takes = time.Duration(int64(size) * int64(time.Second) / (int64(rate) << 20))
		}
		b.free[i] = now.Add(takes)
	}
	o.did(part)
	return true
}

// The limits of a bdev, in the order of bdev_set_qos_limit.
const (
	limitIOPS = iota
	limitBoth
	limitRead
	limitWrite
)

// due is when the next I/O may be done.
func (b *bdev) due(write bool) (at time.Time) {
	for i, t := range b.free {
		if b.limits[i] > 0 && (i != limitRead || !write) && (i != limitWrite || write) && t.After(at) {
			at = t
		}
	}
	return at
}
