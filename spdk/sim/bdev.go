package sim

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

func newUUID() string { return uuid.NewString() }

const nilUUID = "00000000-0000-0000-0000-000000000000"

// device is what is behind a bdev.
type device interface {
	read(o *op, p []byte, off int64) error
	write(o *op, p []byte, off int64) error
	// discard is told of n bytes that nobody needs; what they are then is up to it.
	discard(o *op, off, n int64) error
	// ioTypes are the I/O types it supports.
	ioTypes() ioType
	// describe appends the members of driver_specific.
	describe(b []byte) []byte
}

// user has a bdev open and hears of what happens to it.
type user interface {
	// gone says that the bdev is being removed; the user closes it. One that
	// returns false keeps it open, and the bdev stays half removed.
	gone(b *bdev) bool
	resized(b *bdev)
}

// claim is what keeps others from writing to a bdev.
type claim string

const (
	claimNone      claim = ""
	claimExclusive claim = "exclusive_write"
	claimWriteOne  claim = "read_many_write_one"
	claimWriteNone claim = "read_many_write_none"
)

type bdev struct {
	p         *process
	seq       uint64
	name      string
	alias     string // lvs/name of an lvol, the UUID of others
	uuid      string
	product   string
	blockSize uint32
	numBlocks uint64
	dev       device
	types     ioType // as they were when it was registered
	limits    [4]uint64
	free      [4]time.Time // when each limit lets the next I/O through
	waking    bool         // it will wake who waits for that
	stat      ioStat
	qdPeriod  uint64 // microseconds; 0: the queue is not watched

	claim    claim
	users    []opening
	removing bool
	removed  func() // once nobody has it open
}

type opening struct {
	u     user
	claim claim
	write bool
}

func (b *bdev) bytes() int64 { return int64(b.blockSize) * int64(b.numBlocks) }

// registry holds the bdevs of a process. Names, aliases and UUIDs share one
// name space.
type registry struct {
	seq    uint64
	byName map[string]*bdev
	order  []*bdev // registration order
}

func newRegistry() *registry { return &registry{byName: map[string]*bdev{}} }

// find looks a bdev up by name, alias or UUID; one being removed is not found.
func (r *registry) find(name string) *bdev {
	b := r.byName[name]
	if b == nil || b.removing {
		return nil
	}
	return b
}

// register adds b and lets everybody examine it.
func (p *process) register(b *bdev) error {
	r := p.bdevs
	if b.uuid == "" {
		b.uuid = newUUID()
	}
	if b.alias == "" && b.uuid != b.name {
		b.alias = b.uuid
	}
	names := b.names()
	for _, n := range names {
		if r.byName[n] != nil {
			return eexist
		}
	}
	r.seq++
	b.p, b.seq, b.types = p, r.seq, b.dev.ioTypes()
	for _, n := range names {
		r.byName[n] = b
	}
	r.order = append(r.order, b)
	p.examine(b)
	return nil
}

func (b *bdev) names() []string {
	names := []string{b.name}
	for _, n := range []string{b.alias, b.uuid} {
		if n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// realias changes the alias; false if the new one is taken.
func (p *process) realias(b *bdev, alias string) bool {
	if o := p.bdevs.byName[alias]; o != nil && o != b {
		return false
	}
	delete(p.bdevs.byName, b.alias)
	b.alias = alias
	p.bdevs.byName[alias] = b
	return true
}

// unregister removes b once all its users have closed it, and calls then.
func (p *process) unregister(b *bdev, then func()) {
	if b.removing {
		return
	}
	b.removing, b.removed = true, then
	for _, o := range slices.Clone(b.users) {
		if slices.ContainsFunc(b.users, func(x opening) bool { return x.u == o.u }) && o.u.gone(b) {
			b.close(o.u)
		}
	}
	b.settle()
}

// settle completes a removal.
func (b *bdev) settle() {
	if !b.removing || len(b.users) > 0 || b.p.bdevs.byName[b.name] != b {
		return
	}
	r := b.p.bdevs
	for _, n := range b.names() {
		if r.byName[n] == b {
			delete(r.byName, n)
		}
	}
	if i, ok := slices.BinarySearchFunc(r.order, b.seq, func(x *bdev, seq uint64) int { return int(int64(x.seq) - int64(seq)) }); ok {
		r.order = slices.Delete(r.order, i, i+1)
	}
	if b.removed != nil {
		b.removed()
	}
}

// open opens b for u; a claim keeps other writers out.
func (b *bdev) open(u user, write bool, c claim) error {
	if b.removing {
		return enodev
	}
	switch {
	case b.claim == claimWriteNone && c == claimWriteNone:
	case b.claim != claimNone && (write || c != claimNone):
		return eperm
	case (c == claimWriteNone || c == claimWriteOne) &&
		slices.ContainsFunc(b.users, func(o opening) bool { return o.write }):
		return eperm
	}
	b.users = append(b.users, opening{u, c, write})
	if c != claimNone {
		b.claim = c
	}
	return nil
}

// close ends u's use of b.
func (b *bdev) close(u user) {
	i := slices.IndexFunc(b.users, func(o opening) bool { return o.u == u })
	if i < 0 {
		return
	}
	c := b.users[i].claim
	b.users = slices.Delete(b.users, i, i+1)
	if c != claimNone && !slices.ContainsFunc(b.users, func(o opening) bool { return o.claim != claimNone }) {
		b.claim = claimNone
	}
	b.settle()
}

// resize changes the number of blocks and tells the users.
func (b *bdev) resize(blocks uint64) {
	if b.numBlocks == blocks {
		return
	}
	b.numBlocks = blocks
	for _, o := range slices.Clone(b.users) {
		o.u.resized(b)
	}
}

// examine lets what waits for a bdev have it.
func (p *process) examine(b *bdev) {
	p.hotplug(b)
	p.examineRaids(b)
	p.examineCryptos(b)
}
