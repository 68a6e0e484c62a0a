package sim

import "time"

// traffic is how much was moved in a second and in the one before it, and ever.
type traffic struct {
	second    int64 // Unix
	now, last int64 // bytes
	sum       int64 // bytes
}

func (w *traffic) add(n int64) {
	w.sum += n
	w.turn()
	w.now += n
}

// rate is how much was moved in the last whole second.
func (w *traffic) rate() int64 {
	w.turn()
	return w.last
}

func (w *traffic) turn() {
	switch s := time.Now().Unix(); {
	case s == w.second:
	case s == w.second+1:
		w.second, w.now, w.last = s, 0, w.now
	default:
		w.second, w.now, w.last = s, 0, 0
	}
}

// Copied is how many bytes shallow copies have written so far.
func (c *Cluster) Copied() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.copied.sum
}

// hostTicks is what an I/O of a host takes, in nanoseconds: more while much is copied,
// for disks and network are the same.
func (c *Cluster) hostTicks() uint64 {
	took := c.opts.HostLatency
	if c.opts.CopyLoad > 0 {
		took += time.Duration(float64(took) * float64(c.copied.rate()) / float64(c.opts.CopyLoad))
	}
	return uint64(took)
}
