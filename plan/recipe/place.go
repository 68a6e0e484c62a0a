package recipe

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// stick says how much a volume wants to stay in a place. Lower is stronger.
type stick int

const (
	stickEngine   stick = iota // current, and local to the engine
	stickCurrent               // current
	stickReleased              // current, one too many, and released by the operator, or damaged
	stickJoined                // the RAID writes to it, and it is being completed
	stickBegun                 // a rebuild has begun there
	stickStale                 // has some of the data
	stickServed                // has nothing, but the engine is there, and it fits
	stickNone
)

// place chooses a pool for each replica: where replicas are first, then where
// base is, the layer of another volume that this one stands on ("" for none), for
// none can be complete elsewhere; then the node that is to be the engine, for one
// without a replica leaves nobody who knows what is current when it restarts; then
// where the spread label has a new value, then where it fits, then a node that has one in
// another pool, or replaces one that has one, then by space that
// is neither used nor promised, then by a hash, so that equal pools share the
// load. It never chooses a node twice, and of the pools of a node the one where a replica
// is, if one may be there; and only pools of that block size; 0 leaves that open. What is missing to reach the count is said in the second result.
func (b *builder) place(v *schema.Volume, held map[lineage.Place]stick, block int64, base lineage.LvolName) (plan.Placement, string) {
	return b.placeBytes(v, held, block, base, v.Size)
}

// placeBytes is place for replicas that take up to so many bytes: with layers, more
// than the volume's size.
func (b *builder) placeBytes(v *schema.Volume, held map[lineage.Place]stick, block int64, base lineage.LvolName, need int64) (plan.Placement, string) {
	out := plan.Placement{Volume: v.Name}
	if block == 0 {
		block = b.commonBlock(v, held, base, need)
	}
	open, passed := b.candidates(v, held, block, base, need)
	used := map[string]int{}
	but := "the volume has replicas elsewhere"
	for len(out.Chosen) < v.Replicas.Count && len(open) > 0 {
		best := slices.MinFunc(open, func(x, y candidate) int { return x.compare(y, used) })
		out.Chosen = append(out.Chosen, plan.Choice{Node: best.pool.node.Name, Lvstore: best.pool.conf.Lvstore, Why: best.why(v, used)})
		used[best.label]++
		if best.stick >= stickServed {
			but = "others are preferred"
		}
		open = slices.DeleteFunc(open, func(c candidate) bool { return c.pool.node == best.pool.node })
	}
	if b.opt.Explain {
		for _, c := range open {
			passed = append(passed, plan.Choice{Node: c.pool.node.Name, Lvstore: c.pool.conf.Lvstore, Why: "qualifies, but " + but + ": " + c.why(v, used)})
		}
		slices.SortFunc(passed, func(x, y plan.Choice) int { return cmp.Compare(x.Node, y.Node) })
		out.Others = passed
	}
	if missing := v.Replicas.Count - len(out.Chosen); missing > 0 {
		var reasons []string
		for _, c := range passed {
			reasons = append(reasons, string(c.Node)+": "+c.Why)
		}
		return out, fmt.Sprintf("%s no place (%s)", amount.OutOf(missing, v.Replicas.Count, "replica", "has", "have"), strings.Join(reasons, "; "))
	}
	return out, ""
}

// weighed is what places were chosen by, beside the pools, and which were.
type weighed struct {
	v      *schema.Volume
	held   map[lineage.Place]stick
	block  int64
	base   lineage.LvolName
	need   int64
	chosen []plan.Choice
}

// weigh is placeBytes that notes what it has chosen.
func (b *builder) weigh(w *weighed) (plan.Placement, string) {
	p, shortage := b.placeBytes(w.v, w.held, w.block, w.base, w.need)
	w.chosen = p.Chosen
	return p, shortage
}

// choice reports whether there are more pools than the volume takes.
func (b *builder) choice(v *schema.Volume) bool {
	n := 0
	for _, node := range b.cfg.Nodes {
		if v.KeptOff(node) != "" {
			continue
		}
		for _, p := range node.Pools {
			n += boolToInt(v.Replicas.KeptOut(node, p) == "")
		}
	}
	return n > v.Replicas.Count
}

// tips reports whether other places would be chosen now.
func (b *builder) tips(w *weighed) bool {
	now, _ := b.placeBytes(w.v, w.held, w.block, w.base, w.need)
	return !slices.EqualFunc(now.Chosen, w.chosen, func(x, y plan.Choice) bool { return x.Node == y.Node && x.Lvstore == y.Lvstore })
}

// decided notes where a volume's replicas go. What is decided first in a pass
// counts: what is seen later is what came of it.
func (b *builder) decided(p plan.Placement) {
	if _, before := b.decides[p.Volume]; !before {
		b.decides[p.Volume] = p
	}
}

// decide takes the placements of a pass into the plan: of each volume, that of
// the first pass that finds a place for as many replicas as it is to have, as far
// as any does. Later passes find replicas there.
func (p *passes) decide(places map[string]plan.Placement) {
	for name, next := range places {
		old, was := p.places[name]
		if !was || len(old.Chosen) < p.cfg.Volume(name).Replicas.Count && len(old.Chosen) < len(next.Chosen) {
			p.places[name] = next
		}
	}
}

type candidate struct {
	pool   *pool
	stick  stick
	beside bool   // has the layer that the volume stands on
	engine bool   // is to be the volume's engine
	heir   bool   // has one in another pool, or replaces a node that has one, or may have
	moves  bool   // has one in another pool
	label  string // value of the spread label
	need   int64  // bytes that the replica takes at most
	hash   uint64
}

// candidates are the best pool of each node that qualifies and can be used;
// the other nodes come with what speaks against them.
func (b *builder) candidates(v *schema.Volume, held map[lineage.Place]stick, block int64, base lineage.LvolName, need int64) (open []candidate, passed []plan.Choice) {
	nodes := b.cfg.Nodes
	if !b.opt.Explain && b.settled(v, held) {
		nodes = nil
		for _, at := range slices.SortedFunc(maps.Keys(held), lineage.Place.Compare) {
			if n := b.cfg.Node(at.Node); n != nil && (len(nodes) == 0 || nodes[len(nodes)-1] != n) {
				nodes = append(nodes, n)
			}
		}
	}
	for _, n := range nodes {
		if why := b.keptOff(v, n); why != "" {
			passed = append(passed, plan.Choice{Node: n.Name, Lvstore: "", Why: why})
			continue
		}
		var best *candidate
		why := "has no pool"
		for _, p := range b.ground.pools[n.Name] {
			if out := v.Replicas.KeptOut(n, p.conf); out != "" {
				if best == nil && p.conf.ReplacedBy != "" {
					why = out
				}
				continue
			}
			if !b.opt.Wishes.Has(v.Name, n.Name, p.conf.Lvstore) {
				continue
			}
			if p.state != poolReady {
				why = p.why
				continue
			}
			if !p.fits(block) {
				why = fmt.Sprintf("%s has blocks of %d bytes, the other replicas of %d", p.conf.Name, p.block, block)
				continue
			}
			c := candidate{p, stickNone, b.has(n.Name, p.conf.Lvstore, base), n.Name == v.Engine, b.inherits(n, held), on(held, n.Name), n.Labels[v.Replicas.Spread], roundUp(need, p.cluster), rendezvous(v.Name, string(n.Name), p.conf.Name)}
			if s := stickIn(held, lineage.Place{Node: n.Name, Lvstore: p.conf.Lvstore}); s != stickServed || p.roomFor(c.need) != fitsNot {
				c.stick = s
			}
			if best == nil || c.compare(*best, nil) < 0 {
				best = &c
			}
		}
		if best == nil {
			passed = append(passed, plan.Choice{Node: n.Name, Lvstore: "", Why: why})
			continue
		}
		open = append(open, *best)
	}
	return open, passed
}

// keptOff says why a volume is to have no replica on a node; "" if it may.
func (b *builder) keptOff(v *schema.Volume, n *schema.Node) string {
	why := v.KeptOff(n)
	if why != "" && b.opt.Wishes[v.Name].Replicas != nil && !n.Drain {
		return "is not where rebalancing has it"
	}
	return why
}

// inherits reports whether a node has a replica, be it in another pool, or replaces one that
// has, or that nobody can read.
func (b *builder) inherits(n *schema.Node, held map[lineage.Place]stick) bool {
	if on(held, n.Name) {
		return true
	}
	if n.Replaces == "" {
		return false
	}
	at := b.w.Nodes[n.Replaces]
	return on(held, n.Replaces) || at == nil || at.Unknown != ""
}

// stickIn is how much a volume wants to stay in a pool. One of which it is not known in
// which pool of its node it is may be in any.
func stickIn(held map[lineage.Place]stick, at lineage.Place) stick {
	best := stickNone
	for _, in := range []lineage.Place{at, {Node: at.Node}} {
		if s, ok := held[in]; ok {
			best = min(best, s)
		}
	}
	return best
}

// on reports whether a volume has anything on a node.
func on(held map[lineage.Place]stick, n lineage.Node) bool {
	for at, s := range held {
		if at.Node == n && s != stickServed {
			return true
		}
	}
	return false
}

// has reports whether an lvstore has an lvol of that name.
func (b *builder) has(n lineage.Node, lvstore string, name lineage.LvolName) bool {
	return name != "" && b.w.Nodes[n].Lvols[lvstore+"/"+string(name)] != nil
}

// settled reports whether enough nodes that qualify have a current replica:
// then no other can be preferred, and most volumes at most times are settled.
func (b *builder) settled(v *schema.Volume, held map[lineage.Place]stick) bool {
	current, had := 0, map[lineage.Node]bool{}
	for at, s := range held {
		n := b.cfg.Node(at.Node)
		if s > stickCurrent || n == nil || had[at.Node] || v.KeptOff(n) != "" {
			continue
		}
		for _, p := range b.ground.pools[at.Node] {
			if p.state == poolReady && (at.Lvstore == "" || p.conf.Lvstore == at.Lvstore) && v.Replicas.KeptOut(n, p.conf) == "" {
				had[at.Node] = true
				current++
				break
			}
		}
	}
	return current >= v.Replicas.Count
}

// fit says whether a replica has room in a pool. Lower is better.
type fit int

const (
	fitsWhole fit = iota // even if every volume there is written whole
	fitsNow              // there is as much free, and some of that was promised to others
	fitsNot
)

// roomFor judges a pool whose size is not known yet better than one that is too small.
func (p *pool) roomFor(need int64) fit {
	switch {
	case p.capacity > 0 && need <= p.left():
		return fitsWhole
	case p.capacity == 0 || need <= p.capacity-p.used:
		return fitsNow
	}
	return fitsNot
}

// room says what a pool has left, beside what is used and what may still be written
// to the volumes there.
func (p *pool) room() string {
	left, free := p.left(), amount.Bytes(p.capacity-p.used)
	switch {
	case p.overcommits() && p.capacity > 0:
		return p.roomOver()
	case p.capacity == 0:
		return fmt.Sprintf("%s promised in %s", amount.Bytes(p.taken), p.conf.Name)
	case left < 0:
		return fmt.Sprintf("%s more promised than the %s that are free in %s", amount.Bytes(-left), free, p.conf.Name)
	case p.used == p.taken:
		return fmt.Sprintf("%s free in %s, and nothing of it promised", free, p.conf.Name)
	}
	return fmt.Sprintf("%s not promised yet of %s free in %s", amount.Bytes(left), free, p.conf.Name)
}

// tight says of new replicas in these places which of them may outgrow their
// pools; "" when none may.
func (b *builder) tight(v *schema.Volume, places []plan.Choice) string {
	text := ""
	for _, c := range places {
		if p := b.pool(c.Node, c.Lvstore); p != nil && p.capacity > 0 && p.roomFor(roundUp(v.Size, p.cluster)) != fitsWhole {
			text += fmt.Sprintf("; it may outgrow its pool on %s: %s", c.Node, p.room())
		}
	}
	return text
}

func (c candidate) compare(o candidate, used map[string]int) int {
	return cmp.Or(
		cmp.Compare(min(c.stick, stickJoined), min(o.stick, stickJoined)),
		-cmp.Compare(boolToInt(c.beside), boolToInt(o.beside)),
		cmp.Compare(c.stick, o.stick),
		-cmp.Compare(boolToInt(c.engine), boolToInt(o.engine)),
		cmp.Compare(used[c.label], used[o.label]),
		cmp.Compare(boolToInt(c.pool.roomFor(c.need) == fitsNot), boolToInt(o.pool.roomFor(o.need) == fitsNot)),
		-cmp.Compare(boolToInt(c.heir), boolToInt(o.heir)),
		cmp.Compare(c.pool.roomFor(c.need), o.pool.roomFor(o.need)),
		-cmp.Compare(c.pool.left(), o.pool.left()),
		cmp.Compare(c.hash, o.hash),
		cmp.Compare(c.pool.node.Name, o.pool.node.Name),
	)
}

func (c candidate) why(v *schema.Volume, used map[string]int) string {
	switch c.stick {
	case stickEngine:
		return "has a current replica, and the engine"
	case stickCurrent, stickReleased:
		return "has a current replica"
	case stickJoined, stickBegun:
		return "is being rebuilt"
	case stickStale:
		return "has an older replica"
	case stickServed:
		return "has the engine"
	}
	if c.beside {
		return "has the snapshot it is cloned from"
	}
	if c.engine {
		return "is to be its engine"
	}
	var parts []string
	switch {
	case c.heir && c.moves:
		parts = append(parts, "has a replica in a pool where none is to be")
	case c.heir:
		parts = append(parts, fmt.Sprintf("replaces %s", c.pool.node.Replaces))
	}
	if v.Replicas.Spread != "" {
		fresh := "not used yet"
		if used[c.label] > 0 {
			fresh = fmt.Sprintf("used by %d", used[c.label])
		}
		parts = append(parts, fmt.Sprintf("%s %q is %s", v.Replicas.Spread, c.label, fresh))
	}
	room := c.pool.room()
	if c.pool.roomFor(c.need) == fitsNot {
		room += ", and it is to have " + amount.Bytes(c.need)
	}
	parts = append(parts, room)
	return strings.Join(parts, ", ")
}

// rendezvous ranks the pools for a volume in an order of its own.
func rendezvous(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{'\n'})
	}
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}

// hidden counts the nodes that may hold a replica and could not be read, and
// says whether any of them will be in this very pass. Every node counts: the
// configuration may have kept the volume elsewhere before.
func (b *builder) hidden() (hidden int, pending bool, why string) {
	u := b.ground.unread
	return len(u.nodes), u.pending, u.why
}
