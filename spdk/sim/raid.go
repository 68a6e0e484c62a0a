package sim

import (
	"slices"
)

// raid is a RAID1, or one that would be if all its bases were there; or what lays its bases
// out (laid.go).
type raid struct {
	p           *process
	name, uuid  string
	super       bool
	level       raidLevel
	strip       uint32 // KiB; 0 of a RAID1
	state       raidState
	slots       []*slot
	operational int // how many bases it takes to be configured
	bdev        *bdev
	blockSize   uint32
	rebuild     *rebuild
	outstanding int
	seq         uint64 // of the superblock
}

type raidState string

const (
	raidOnline      raidState = "online"
	raidConfiguring raidState = "configuring"
	raidOffline     raidState = "offline"
)

// slot is the place of one base bdev.
type slot struct {
	r          *raid
	name       *string // as it was given; nil when there is none
	uuid       string  // of the base, kept while it may come back
	base       *bdev
	configured bool
	offset     uint64 // blocks before the data: the superblock
	size       uint64 // blocks of data
}

// minOffset is what a superblock takes, in bytes.
const minOffset = 1 << 20

func (p *process) raidNamed(name string) *raid {
	for _, r := range p.raids {
		if r.name == name {
			return r
		}
	}
	return nil
}

func (r *raid) discovered() int {
	n := 0
	for _, s := range r.slots {
		if s.configured {
			n++
		}
	}
	return n
}

// configure opens and claims the base of a slot. With an existing one
// nothing is read from it to find a superblock of another RAID.
func (r *raid) configure(s *slot, existing bool) error {
	var b *bdev
	if s.uuid != "" {
		b = r.p.bdevs.find(s.uuid)
		if b == nil {
			return enodev
		}
		if s.name == nil {
			s.name = &b.name
		} else if *s.name != b.name {
			return einval
		}
	}
	if b = r.p.bdevs.find(*s.name); b == nil {
		return enodev
	}
	if err := r.take(s, b); err != nil {
		return err
	}
	if !existing {
		if sb := readSuper(b); sb != nil {
			s.free()
			if sb.UUID != r.uuid {
				return eexist
			}
			return nil
		}
	}
	return r.joined(s)
}

// take opens and claims a base for a slot that it fits.
func (r *raid) take(s *slot, b *bdev) error {
	if err := b.open(s, true, claimExclusive); err != nil {
		return err
	}
	s.uuid, s.base = b.uuid, b
	if err := r.fit(s); err != nil {
		s.free()
		return err
	}
	return nil
}

// fit checks that the base of a slot suits the RAID and sets its geometry.
func (r *raid) fit(s *slot) error {
	b := s.base
	if r.super {
		s.offset = minOffset / uint64(b.blockSize)
		if v, ok := b.dev.(*lvol); ok {
			boundary := uint64(v.lvs.store.cluster) / uint64(b.blockSize)
			s.offset = (s.offset + boundary - 1) / boundary * boundary
		}
	}
	switch {
	case s.offset >= b.numBlocks:
		return einval
	case s.size == 0:
		s.size = b.numBlocks - s.offset
	case s.offset+s.size > b.numBlocks:
		return einval
	}
	if r.blockSize == 0 {
		r.blockSize = b.blockSize
	} else if r.blockSize != b.blockSize {
		return einval
	}
	return nil
}

// joined counts a base in: it completes the RAID, or is to be rebuilt, or
// waits for the others.
func (r *raid) joined(s *slot) error {
	target := r.state == raidOnline && r.discovered() == r.operational
	s.configured = true
	switch {
	case target:
		r.operational++
		r.startRebuild(s)
	case r.discovered() == r.operational:
		return r.goOnline()
	}
	return nil
}

// goOnline registers the RAID's bdev.
func (r *raid) goOnline() error {
	if r.level != raid1 {
		return r.layOut()
	}
	least := ^uint64(0)
	for _, s := range r.slots {
		if s.base != nil {
			least = min(least, s.size)
		}
	}
	for _, s := range r.slots {
		s.size = least
	}
	b := &bdev{name: r.name, uuid: r.uuid, product: "Raid Volume", blockSize: r.blockSize, numBlocks: least, dev: r}
	r.state = raidOnline
	if err := r.p.register(b); err != nil {
		r.state = raidConfiguring
		return err
	}
	r.bdev, r.uuid = b, b.uuid
	r.writeSuper()
	return nil
}

// free closes the base of a slot.
func (s *slot) free() {
	s.name, s.configured = nil, false
	if s.r.state != raidConfiguring {
		s.uuid = ""
	}
	s.offset = 0
	if b := s.base; b != nil {
		s.base = nil
		b.close(s)
	}
}

// remove takes a base out. An online RAID without any is deleted.
func (r *raid) remove(s *slot) {
	if r.state != raidOnline {
		s.free()
		return
	}
	if r.level != raid1 {
		r.breakUp(s)
		return
	}
	rb := r.rebuild
	if rb != nil && rb.target == s {
		r.rebuild = nil
	}
	s.free()
	r.operational--
	if rb != nil && rb.target != s && r.discovered() == 1 {
		// What the target lacks is nowhere any more.
		r.rebuild = nil
		rb.target.free()
		r.operational--
	}
	if r.operational < 1 {
		r.delete(nil)
		return
	}
	r.seq++
	r.writeSuper()
}

// delete takes the RAID away and calls then once its bdev is gone.
func (r *raid) delete(then func()) {
	finish := func() {
		r.rebuild = nil
		r.state = raidOffline
		for _, s := range r.slots {
			s.free()
		}
		r.p.raids = slices.DeleteFunc(r.p.raids, func(x *raid) bool { return x == r })
		if then != nil {
			then()
		}
	}
	if r.bdev == nil {
		finish()
		return
	}
	r.state = raidOffline
	b := r.bdev
	r.bdev = nil
	r.p.unregister(b, finish)
}

// gone lets go of a base that is being removed.
func (s *slot) gone(b *bdev) bool {
	s.r.remove(s)
	return false // remove has closed it
}

// resized grows the RAID when all its bases have grown.
func (s *slot) resized(*bdev) {
	r := s.r
	if r.bdev == nil {
		return
	}
	if r.level != raid1 {
		r.stretch()
		return
	}
	least := ^uint64(0)
	for _, x := range r.slots {
		if x.base != nil {
			least = min(least, x.base.numBlocks-x.offset)
		}
	}
	if least == r.bdev.numBlocks {
		return
	}
	for _, x := range r.slots {
		x.size = least
	}
	r.bdev.resize(least)
	r.writeSuper()
}

// examineRaids gives a bdev that has appeared to the configuring RAID that
// wants it. A base given by alias is not recognised by that alias: SPDK
// compares the bdev's own name, or the UUID if it knows that already.
func (p *process) examineRaids(b *bdev) {
	if p.t.c.superRun && b.claim == claimNone {
		if sb := readSuper(b); sb != nil {
			p.assemble(sb, b)
			return
		}
	}
	for _, r := range slices.Clone(p.raids) {
		if r.state != raidConfiguring || r.super {
			continue
		}
		for _, s := range r.slots {
			if s.base == nil && ((s.name != nil && *s.name == b.name) || s.uuid == b.uuid) {
				r.configure(s, true)
				break
			}
		}
	}
}
