package sim

import "time"

// rebuild copies every block of a RAID onto a base that was added.
type rebuild struct {
	target *slot
	at     uint64 // blocks done
	io     *op    // of the window that is being copied
}

// window is how much a rebuild copies in one go, in bytes.
const window = 1 << 20

func (r *raid) startRebuild(s *slot) {
	rb := &rebuild{target: s, io: &op{}}
	r.rebuild = rb
	r.step(rb)
}

// step copies windows as fast as the copy rate allows.
func (r *raid) step(rb *rebuild) {
	p := r.p
	buf := make([]byte, window)
	if rate := p.t.c.opts.CopyRate; rate > 0 {
		p.after(time.Duration(window*int64(time.Second)/rate), func() { r.advance(rb, buf, true) })
		return
	}
	r.advance(rb, buf, false)
}

func (r *raid) advance(rb *rebuild, buf []byte, paced bool) {
	defer func() {
		if r.rebuild != rb {
			rb.io.end(r.p.t.c)
		}
	}()
	for r.rebuild == rb && !r.p.dead {
		if r.p.t.c.held > 0 {
			r.p.after(stallPoll, func() { r.advance(rb, buf, paced) })
			return
		}
		off := int64(rb.at) * int64(r.blockSize)
		n := min(window, r.bdev.bytes()-off)
		if n <= 0 {
			r.rebuild = nil
			r.seq++
			r.writeSuper()
			return
		}
		err := r.read(rb.io, buf[:n], off)
		if err == nil && r.rebuild == rb {
			err = rb.target.base.write(rb.io, buf[:n], rb.target.pos(off))
		}
		switch {
		case r.rebuild != rb:
			return
		case err == errStalled:
			r.p.after(stallPoll, func() { r.advance(rb, buf, paced) })
			return
		case err != nil:
			r.remove(rb.target)
			return
		}
		rb.io.end(r.p.t.c)
		rb.io = &op{}
		rb.at += uint64(n) / uint64(r.blockSize)
		if paced {
			r.step(rb)
			return
		}
	}
}

// stallPoll is how often background copying looks whether it can go on.
const stallPoll = 20 * time.Millisecond
