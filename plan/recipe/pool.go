package recipe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// pool is a configured pool and what is known of it.
type pool struct {
	node   *schema.Node
	conf   *schema.Pool
	state  poolState
	why    string // for everything but ready
	hint   string // what to do about it; "" when that goes without saying
	writes bool   // its lvstore is written in this pass
	// unknown is set when no other node knows of its lvstore, nor will after this
	// pass; known has the sections after which one more does.
	unknown  bool
	known    []plan.Key
	capacity int64 // bytes; 0 when not known yet
	used     int64 // bytes that are not free
	taken    int64 // bytes used once every lvol, thin or not, is written whole
	block    int64 // bytes of a block; 0 when not known yet
	cluster  int64 // bytes of a cluster: of the lvstore that was read, else as configured
}

type poolState int

const (
	poolReady   poolState = iota // has its lvstore
	poolBlank                    // its disk was read and has none
	poolHidden                   // not read: what it holds, or which it is, is not known
	poolPending                  // its disk is attached in this pass
)

// attachHint is for disks that are attached only by a person, where nothing has serve.
const attachHint = `strata apply attaches it, and so does a watch with auto: ["serve"]`

// node plans a node's disks and lvstores.
func (b *builder) node(n *schema.Node) {
	at := b.w.Nodes[n.Name]
	b.tellSuspended(n)
	if b.cfg.Suspended(n.Name) {
		b.hidePools(n, "is suspended")
		return
	}
	if at == nil || at.Unknown != "" {
		why, hint := "it was not asked", "nothing that depends on it is changed; restore "+n.RPC+" and run again"
		if b.unattended() { // who carries this out looks again by itself
			hint = "nothing that depends on it is changed meanwhile; see to its target at " + n.RPC
		}
		if at != nil {
			why = at.Unknown
			if at.SameAs != "" {
				hint = fmt.Sprintf("nothing is done to either; correct rpc of %s or %s, or take one of the nodes out of the configuration", n.Name, at.SameAs)
			}
		}
		b.block("node "+string(n.Name), n.Pos, hint, "%s", why)
		b.hidePools(n, "cannot be read")
		return
	}
	// Paths change: while a disk is still to be attached, any pool's lvstore may be on it.
	unread := slices.ContainsFunc(n.Pools, func(p *schema.Pool) bool {
		return at.Lvstores[p.Lvstore] == nil && findDisk(at, b.cfg.Cluster, p) == nil
	})
	for _, conf := range n.Pools {
		p := &pool{node: n, conf: conf}
		b.ground.pools[n.Name] = append(b.ground.pools[n.Name], p)
		if b.opt.Skip[plan.NodeKey(n.Name)] && at.Lvstores[conf.Lvstore] == nil {
			p.state, p.why = poolHidden, fmt.Sprintf("node %s could not be set up", n.Name)
			continue
		}
		b.poolState(at, p, unread)
		if p.state == poolHidden {
			b.block("pool "+string(n.Name)+"/"+conf.Name, conf.Pos, p.hint, "%s", p.why)
		}
		b.measure(at, p)
		b.noteOvercommit(p)
		b.noteKept(at, p)
	}
}

// hidePools has nothing known of a node's pools, for that reason.
func (b *builder) hidePools(n *schema.Node, why string) {
	for _, p := range n.Pools {
		b.ground.pools[n.Name] = append(b.ground.pools[n.Name], &pool{node: n, conf: p, state: poolHidden, why: fmt.Sprintf("node %s %s", n.Name, why)})
	}
}

// poolState finds out what a pool has, and plans what it lacks: the disk as a
// bdev, and an lvstore if the disk has none and may be written to, which none is
// while another of the node's is unread. A pool of which anything is not as
// configured is not read: what is found in its place says nothing of it.
func (b *builder) poolState(at *state.Node, p *pool, unread bool) {
	conf, sec := p.conf, b.section(plan.NodeKey(at.Name))
	disk := findDisk(at, b.cfg.Cluster, conf)
	if lvs := at.Lvstores[conf.Lvstore]; lvs != nil {
		if lvs.Doubt != "" {
			p.hide(lvs.Way, "%s", lvs.Doubt)
			return
		}
		if disk != nil && disk.Bdev != lvs.Base {
			b.note("pool "+string(at.Name)+"/"+conf.Name, conf.Pos, "correct the path in the configuration",
				"lvstore %s was found on %s, not on %s; it is used where it is", conf.Lvstore, lvs.Base, conf.Path)
		}
		if b.opt.ResumeOnly == nil && !b.opt.Skip[plan.NodeKey(at.Name)] && b.may("", schema.DutyChange) {
			b.called(sec, at, conf, lvs)
			b.tidyTrial(sec, at, conf)
		}
		return
	}
	if several := b.cfg.Candidates(p.node, conf, at.Paths()); len(several) > 1 {
		p.hide("give the others pools of their own, by lvstore", "lvstores %s may all be that of pool %s, and none is on its disk %s", strings.Join(several, " and "), conf.Name, conf.Path)
		return
	}
	lost := b.lost(at.Name, conf.Name)
	switch {
	case disk == nil && !b.mayServeAny():
		p.hide(attachHint, "the disk of %s/%s is not attached, and that is left to a person", at.Name, conf.Name)
	case disk == nil:
		b.attachDisk(sec, at, p)
	case disk.Unread && (!conf.Format || !b.may("", schema.DutyChange)):
		p.state, p.why = poolHidden, fmt.Sprintf("what the disk of %s/%s holds is known once it is attached", at.Name, conf.Name)
	case disk.Claimed:
		b.taken(at, p, disk)
	case disk.Unread && lost != "":
		p.state, p.why = poolPending, fmt.Sprintf("what the disk of %s/%s holds is known once it is attached", at.Name, conf.Name)
		b.note("pool "+string(at.Name)+"/"+conf.Name, conf.Pos, "", "what is to be done with what it holds (lvstore %s…) is planned once its disk is attached", lost)
	case conf.Format && unread:
		p.state, p.why = poolPending, fmt.Sprintf("lvstore %s may be on a disk of %s that has not been read yet", conf.Lvstore, at.Name)
	case !disk.Unread && lost != "":
		p.hide(fmt.Sprintf("correct the path, or if its former disk is gone for good, add retired: [%q]", string(at.Name)+"/"+conf.Name),
			"it had lvstore %s…, which no node has now; %s shows none, so it is another disk, or that lvstore is damaged", lost, disk.Bdev)
	case !disk.Unread && conf.Kind != schema.Malloc && !b.formats(at.Name, conf) && b.fixed(at) != "":
		p.hide(fmt.Sprintf("be sure that %s (%s, %s) has no data, then say %s; or give %s another name (bdev_lvol_rename_lvstore, and lvstore of its pool), start the target again, and see what %s has", conf.Path, disk.Bdev, amount.Bytes(disk.Size), plan.DiskGrant(at.Name, conf.Name).Flag(), b.fixed(at), conf.Path),
			"%s shows no lvstore, but it may have one all the same: %s has one called %s, and another of that name would not show", disk.Bdev, at.Name, b.fixed(at))
	case !disk.Unread && conf.Format && !b.formats(at.Name, conf) && len(world.Loaded(at)) > 0 && !world.Alone(at, disk):
		p.hide(fmt.Sprintf("be sure that %s (%s, %s) has no data, then say %s", conf.Path, disk.Bdev, amount.Bytes(disk.Size), plan.DiskGrant(at.Name, conf.Name).Flag()),
			"%s shows no lvstore, but it may have one all the same, and its controller has other namespaces, so it cannot be detached to look again", disk.Bdev)
	case !conf.Format && len(world.Loaded(at)) > 0 && conf.Kind != schema.Malloc:
		p.hide("set format: true to let strata look into it again and write one", "%s has no lvstore %s that %s shows, and format is not set", disk.Bdev, conf.Lvstore, at.Name)
	case !conf.Format:
		p.state, p.why = poolBlank, fmt.Sprintf("%s has no lvstore %s, and format is not set", disk.Bdev, conf.Lvstore)
		b.block("pool "+string(at.Name)+"/"+conf.Name, conf.Pos, "set format: true to let strata write one", "%s", p.why)
	case !b.may("", schema.DutyChange):
		p.state, p.why = poolBlank, fmt.Sprintf("%s has no lvstore %s, and to write one is left to a person", disk.Bdev, conf.Lvstore)
		b.block("pool "+string(at.Name)+"/"+conf.Name, conf.Pos, "strata apply writes it", "%s", p.why)
	default:
		if disk.Unread {
			b.assume(at.Name, conf)
		}
		b.format(sec, at, conf, disk)
		p.writes = true
	}
}

// hide makes the pool one that was not read.
func (p *pool) hide(hint, format string, args ...any) {
	p.state, p.why, p.hint = poolHidden, fmt.Sprintf(format, args...), hint
}

// taken says what is on a pool's disk that is in use and has not its lvstore.
func (b *builder) taken(at *state.Node, p *pool, disk *state.Disk) {
	for _, name := range slices.Sorted(maps.Keys(at.Lvstores)) {
		lvs := at.Lvstores[name]
		if lvs.Base != disk.Bdev {
			continue
		}
		s, ok := lineage.ParseStore(lvs.Called())
		of := slices.IndexFunc(p.node.Pools, func(o *schema.Pool) bool { return o.Lvstore == lvs.Name })
		switch {
		case of >= 0:
			p.hide("correct the path", "disk %s has lvstore %s, which is that of pool %s", p.conf.Path, lvs.Called(), p.node.Pools[of].Name)
		case ok && s.Cluster == b.cfg.Cluster && s.ID != "" && b.cfg.Node(at.Name).Pool(s.Pool) == nil:
			p.hide(fmt.Sprintf("if that is the pool, under another name before or on another node, add renamedFrom: %q to it", s.Pool),
				"disk %s has lvstore %s, which was written for a pool %s; what it holds is not counted as read", p.conf.Path, lvs.Called(), s.Pool)
		case ok && s.Cluster == b.cfg.Cluster && s.ID == "" && b.cfg.Node(at.Name).Pool(s.Pool) != nil:
			p.hide(fmt.Sprintf("if that is the pool, give it a name that no other pool's has: bdev_lvol_rename_lvstore from %s to %s", lvs.Called(), p.conf.Lvstore),
				"disk %s has lvstore %s, which is called as that of pool %s was once; what it holds is not counted as read", p.conf.Path, lvs.Called(), s.Pool)
		case ok && s.ID != "" && s.Cluster != b.cfg.Cluster:
			p.hide("give this cluster a disk of its own, or the cluster its former name", "disk %s has lvstore %s of cluster %s", p.conf.Path, lvs.Called(), s.Cluster)
		default:
			p.hide(fmt.Sprintf("if that is the pool, add lvstore: %q to it", lvs.Called()), "disk %s has lvstore %s, and not %s; what it holds is not counted as read", p.conf.Path, lvs.Called(), p.conf.Lvstore)
		}
		return
	}
	p.hide("", "%s is in use but holds no lvstore %s; nothing is written to it", disk.Bdev, p.conf.Lvstore)
}

func (b *builder) assume(n lineage.Node, conf *schema.Pool) {
	b.assumes = append(b.assumes, string(n)+"/"+conf.Name)
}

func (b *builder) attachDisk(sec *section, at *state.Node, p *pool) {
	p.state, p.why = poolPending, fmt.Sprintf("the disk of %s/%s has not been read yet", at.Name, p.conf.Name)
	why := because(p.conf.Pos, "pool %s needs its disk", p.conf.Name)
	stage := 0
	if b.initiatorFor(sec, at, p.conf) {
		stage = 1
	}
	sec.beside(stage, why, plan.RiskCreate, plan.DiskAttach{At: plan.At{Node: at.Name}, Bdev: b.cfg.Cluster.Disk(p.conf.Name), Kind: p.conf.Kind, Path: p.conf.Path, Bytes: p.conf.Bytes, BlockSize: p.conf.BlockSize, Keeps: p.conf.Keeps, Lvstore: p.conf.Lvstore})
}

// initiatorFor sets what must be set before a disk's controller is attached, and
// reports whether the disk has one.
func (b *builder) initiatorFor(sec *section, at *state.Node, conf *schema.Pool) bool {
	if conf.Kind == schema.NVMe {
		b.initiator(sec, at)
	}
	return conf.Kind == schema.NVMe
}

// findDisk returns the bdev of the pool's disk, whoever attached it. When one
// device was attached twice, the bdev that something stands on speaks for both:
// the other only looks blank.
func findDisk(at *state.Node, c lineage.Cluster, conf *schema.Pool) *state.Disk {
	if conf.Kind == schema.Malloc {
		return at.Disks[c.Disk(conf.Name)]
	}
	var found *state.Disk
	for _, name := range slices.Sorted(maps.Keys(at.Disks)) {
		if d := at.Disks[name]; d.Path == conf.Path && (found == nil || d.Claimed && !found.Claimed) {
			found = d
		}
	}
	return found
}

// measure adds up what a pool has, what of it is used, and what was promised
// beside that: an lvol of any owner's may grow to its size, a snapshot takes what
// it has.
func (b *builder) measure(at *state.Node, p *pool) {
	if d := findDisk(at, b.cfg.Cluster, p.conf); d != nil {
		p.block = d.BlockSize
	}
	p.block = cmp.Or(at.BlockSize(p.conf.Lvstore), p.block, p.conf.BlockSize)
	p.cluster = p.conf.ClusterSize
	if lvs := at.Lvstores[p.conf.Lvstore]; lvs != nil {
		p.cluster = lvs.ClusterSize
		p.capacity = lvs.TotalClusters * lvs.ClusterSize
		takes := lvs.Takes(b.w.Space(at.Name, p.conf.Lvstore))
		p.used, p.taken = takes.Used, takes.Promised
	}
}

// pool returns the pool whose lvstore has that name.
func (b *builder) pool(n lineage.Node, lvstore string) *pool {
	for _, p := range b.ground.pools[n] {
		if p.conf.Lvstore == lvstore {
			return p
		}
	}
	return nil
}

// poolAt is how a person calls the pool of a place.
func (b *builder) poolAt(at lineage.Place) string {
	if p := b.pool(at.Node, at.Lvstore); p != nil {
		return string(at.Node) + "/" + p.conf.Name
	}
	return string(at.Node) + "/" + at.Lvstore
}

// transport makes sure that the node can listen, for TCP or RDMA. It reports whether that is for
// the node's section to see to in this pass.
func (b *builder) transport(n lineage.Node, rdma bool) bool {
	at := b.w.Nodes[n]
	if rdma && at.RDMA || !rdma && at.TCP {
		return b.creates(n, rdma)
	}
	sec := b.section(plan.NodeKey(n))
	sec.beside(0, because(b.cfg.Node(n).Pos, "%s serves over NVMe/%s", n, lineage.Transport(rdma)), plan.RiskCreate, plan.TransportCreate{At: plan.At{Node: n}, RDMA: rdma})
	return true
}

// creates reports whether the pass creates a transport on a node.
func (b *builder) creates(n lineage.Node, rdma bool) bool {
	sec := b.sections[plan.NodeKey(n)]
	if sec == nil {
		return false
	}
	for step := range sec.Steps() {
		if op, is := step.Op.(plan.TransportCreate); is && op.RDMA == rdma {
			return true
		}
	}
	return false
}

// initiator sets the options a target takes only before its first controller.
func (b *builder) initiator(sec *section, at *state.Node) {
	timeout := b.cfg.Links.TransportAckTimeout
	if timeout == 0 || b.links.attached[at.Name] || b.links.optionsSet[at.Name] {
		return
	}
	b.links.optionsSet[at.Name] = true
	why := because(b.cfg.Node(at.Name).Pos, "a peer that answers no packets must be noticed, and this can be set only before the first controller")
	sec.beside(0, why, plan.RiskCreate, plan.InitiatorOptions{At: plan.At{Node: at.Name}, TransportAckTimeout: timeout})
}
