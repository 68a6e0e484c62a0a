package sim

import "slices"

// raidLevel is how a RAID uses its bases.
type raidLevel string

// What is simulated: a mirror, one that strips go round, and one whose bases follow one
// another.
const (
	raid1  raidLevel = "raid1"
	raid0  raidLevel = "raid0"
	concat raidLevel = "concat"
)

// levels are those that are simulated, as RPCs may name them.
var levels = map[string]raidLevel{"raid1": raid1, "1": raid1, "raid0": raid0, "0": raid0, "concat": concat}

// stripBlocks is a strip in blocks.
func (r *raid) stripBlocks() uint64 { return uint64(r.strip) * 1024 / uint64(r.blockSize) }

// wholeStrips is a size without what is left of a strip at its end.
func (r *raid) wholeStrips(blocks uint64) uint64 { return blocks - blocks%r.stripBlocks() }

// least is the size of the smallest base that blocks gives, in whole strips.
func (r *raid) least(blocks func(*slot) uint64) uint64 {
	n := ^uint64(0)
	for _, s := range r.slots {
		n = min(n, blocks(s))
	}
	return r.wholeStrips(n)
}

// layOut registers the bdev of what lays its bases out: they have whole strips, and where
// strips go round all are used as far as the smallest.
func (r *raid) layOut() error {
	if r.stripBlocks() == 0 {
		return einval
	}
	total := uint64(0)
	least := r.least(func(s *slot) uint64 { return s.size })
	for _, s := range r.slots {
		if s.size = r.wholeStrips(s.size); r.level == raid0 {
			s.size = least
		}
		total += s.size
	}
	b := &bdev{name: r.name, uuid: r.uuid, product: "Raid Volume", blockSize: r.blockSize, numBlocks: total, dev: r}
	r.state = raidOnline
	if err := r.p.register(b); err != nil {
		r.state = raidConfiguring
		return err
	}
	r.bdev, r.uuid = b, b.uuid
	r.writeSuper()
	return nil
}

// breakUp takes a base out: without any of them nothing is there any more. The RAID stays
// as it is, offline, and keeps its other bases until it is deleted.
func (r *raid) breakUp(s *slot) {
	s.free()
	r.operational--
	if b := r.bdev; b != nil {
		r.bdev, r.state = nil, raidOffline
		r.p.unregister(b, func() {})
	}
	if r.discovered() == 0 {
		r.p.raids = slices.DeleteFunc(r.p.raids, func(x *raid) bool { return x == r })
	}
}

// stretch follows bases that have grown where strips go round; where they follow one
// another, they are used as far as they were when the RAID was made.
func (r *raid) stretch() {
	if r.level != raid0 {
		return
	}
	least := r.least(func(s *slot) uint64 { return s.base.numBlocks - s.offset })
	if total := least * uint64(len(r.slots)); total != r.bdev.numBlocks {
		for _, s := range r.slots {
			s.size = least
		}
		r.bdev.resize(total)
		r.writeSuper()
	}
}

// each does what lies on one base after the other, in the order of the RAID's bytes.
func (r *raid) each(p []byte, off int64, do func(s *slot, p []byte, at int64) error) error {
	for len(p) > 0 {
		s, at, most := r.find(off)
		if s == nil || !s.configured {
			return eio
		}
		n := min(int64(len(p)), most)
		if err := do(s, p[:n], s.pos(at)); err != nil {
			return err
		}
		p, off = p[n:], off+n
	}
	return nil
}

// find is the base that a byte is on, where it is there, and how many follow it there.
func (r *raid) find(off int64) (s *slot, at, most int64) {
	strip := int64(r.strip) << 10
	if r.level == raid0 {
		n := off / strip
		in := off % strip
		return r.slots[n%int64(len(r.slots))], n/int64(len(r.slots))*strip + in, strip - in
	}
	for _, s := range r.slots {
		size := int64(s.size) * int64(r.blockSize)
		if off < size {
			return s, off, size - off
		}
		off -= size
	}
	return nil, 0, 0
}

// piece is a part of a write that was done, should the rest have to be tried again.
type piece struct {
	s  *slot
	at int64
}

func (r *raid) writeEach(o *op, p []byte, off int64) error {
	err := r.each(p, off, func(s *slot, p []byte, at int64) error {
		if o.once(piece{s, at}) {
			return nil
		}
		err := s.base.write(o, p, at)
		if err == nil {
			o.did(piece{s, at})
		}
		return err
	})
	if err == errStalled {
		o.hold(&r.outstanding)
	}
	return err
}
