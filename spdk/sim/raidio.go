package sim

import "slices"

// pos is where data is on the base: behind the superblock.
func (s *slot) pos(off int64) int64 { return off + int64(s.offset)*int64(s.r.blockSize) }

func (r *raid) read(o *op, p []byte, off int64) error {
	if r.level != raid1 {
		return r.each(p, off, func(s *slot, p []byte, at int64) error { return s.base.read(o, p, at) })
	}
	err := error(eio)
	for _, s := range slices.Clone(r.slots) {
		if !s.configured || (r.rebuild != nil && r.rebuild.target == s) {
			continue
		}
		if err = s.base.read(o, p, s.pos(off)); err == nil {
			return nil
		}
		if err == errStalled {
			o.hold(&r.outstanding)
			return err
		}
		r.remove(s)
	}
	return err
}

func (r *raid) write(o *op, p []byte, off int64) error {
	if r.level != raid1 {
		return r.writeEach(o, p, off)
	}
	return r.mirrored(o, func(s *slot) error { return s.base.write(o, p, s.pos(off)) })
}

func (r *raid) discard(o *op, off, n int64) error {
	if r.level != raid1 {
		return r.each(make([]byte, n), off, func(s *slot, p []byte, at int64) error { return s.base.discard(o, at, int64(len(p))) })
	}
	return r.mirrored(o, func(s *slot) error { return s.base.discard(o, s.pos(off), n) })
}

// mirrored does to every leg what changes it; one that fails is dropped, one that stalls
// holds the I/O up.
func (r *raid) mirrored(o *op, do func(*slot) error) error {
	ok, stalled := false, false
	for _, s := range slices.Clone(r.slots) {
		if !s.configured {
			continue
		}
		if o.once(s) {
			ok = true
			continue
		}
		switch err := do(s); err {
		case nil:
			ok = true
			o.did(s)
		case errStalled:
			stalled = true
		default:
			r.remove(s)
		}
	}
	switch {
	case stalled:
		o.hold(&r.outstanding)
		return errStalled
	case ok:
		return nil
	}
	return eio
}

func (r *raid) ioTypes() ioType {
	t := ioUnmap | ioFlush
	for _, s := range r.slots {
		if s.base != nil {
			t &= s.base.types
		}
	}
	return t | ioRead | ioWrite | ioReset | ioWriteZeroes
}

func (r *raid) memoryDomains() []string {
	var ds []string
	for _, s := range r.slots {
		if s.base != nil {
			ds = append(ds, s.base.memoryDomains()...)
		}
	}
	return ds
}
