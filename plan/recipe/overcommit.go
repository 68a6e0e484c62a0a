package recipe

import (
	"fmt"

	"strata/amount"
	"strata/plan"
)

// A pool may be allowed to promise its volumes more than it has (overcommit): thin volumes
// take what is written to them.

func (p *pool) overcommits() bool { return p.conf.Overcommit > 1 }

// left is what a replica there may be promised, in bytes: it is free, and not promised to
// others. It is less than 0 where too much is promised.
func (p *pool) left() int64 { return min(p.conf.Limit(p.capacity)-p.taken, p.capacity-p.used) }

// promise notes what a place is about to hold, so that those that are chosen later in the same
// pass count it: the next pass finds it there.
func (b *builder) promise(c plan.Choice, size int64) {
	if p := b.pool(c.Node, c.Lvstore); p != nil {
		p.taken += size
	}
}

// roomOver is room of a pool that may promise more than it has.
func (p *pool) roomOver() string {
	left, free := p.conf.Limit(p.capacity)-p.taken, amount.Bytes(p.capacity-p.used)
	if left < 0 {
		return fmt.Sprintf("%s more promised in %s than its overcommit allows, and %s free", amount.Bytes(-left), p.conf.Name, free)
	}
	return fmt.Sprintf("%s may still be promised in %s, and %s free", amount.Bytes(left), p.conf.Name, free)
}

// noteOvercommit says when volumes may grow to more than a pool is to promise.
func (b *builder) noteOvercommit(p *pool) {
	if p.conf.Overcommit == 0 || p.capacity == 0 || p.taken <= p.conf.Limit(p.capacity) {
		return
	}
	b.note("pool "+string(p.node.Name)+"/"+p.conf.Name, p.conf.Pos, "add a pool or a disk, or move volumes away, before it is full: hosts' writes fail then",
		"volumes may grow to %s there, which is more than its overcommit of %g allows: it has %s, and %s of that are free",
		amount.Bytes(p.taken), p.conf.Overcommit, amount.Bytes(p.capacity), amount.Bytes(p.capacity-p.used))
}
