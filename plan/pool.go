package plan

import (
	"cmp"
	"fmt"
	"slices"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// pool is a configured pool and what is known of it.
type pool struct {
	node     *schema.Node
	conf     *schema.Pool
	state    poolState
	why      string // for everything but ready
	capacity int64  // bytes; 0 when not known yet
	taken    int64  // bytes promised to heads and staging, thin or not
	block    int64  // bytes of a block; 0 when not known yet
	cluster  int64  // bytes of a cluster: of the lvstore that was read, else as configured
}

type poolState int

const (
	poolReady   poolState = iota // has its lvstore
	poolBlank                    // its disk was read and has none, or is not ours
	poolHidden                   // not read: what it holds is not known
	poolPending                  // its disk is attached in this pass
)

// node plans a node's disks and lvstores.
func (b *builder) node(n *schema.Node) {
	at := b.w.Nodes[n.Name]
	if at == nil || at.Unknown != "" {
		why := "it was not asked"
		if at != nil {
			why = at.Unknown
		}
		b.block("node "+string(n.Name), n.Pos, "nothing that depends on it is changed; restore "+n.RPC+" and run again", "%s", why)
		for _, p := range n.Pools {
			b.pools[n.Name] = append(b.pools[n.Name], &pool{node: n, conf: p, state: poolHidden, why: fmt.Sprintf("node %s cannot be read", n.Name)})
		}
		return
	}
	// Paths change: while a disk is still to be attached, any pool's lvstore may be on it.
	unread := slices.ContainsFunc(n.Pools, func(p *schema.Pool) bool {
		return at.Lvstores[p.Lvstore] == nil && findDisk(at, b.cfg.Cluster, p) == nil
	})
	for _, conf := range n.Pools {
		p := &pool{node: n, conf: conf}
		b.pools[n.Name] = append(b.pools[n.Name], p)
		if b.opt.Skip["node "+string(n.Name)] && at.Lvstores[conf.Lvstore] == nil {
			p.state, p.why = poolHidden, fmt.Sprintf("node %s could not be set up", n.Name)
			continue
		}
		b.poolState(at, p, unread)
		if p.state == poolHidden {
			b.block("pool "+string(n.Name)+"/"+conf.Name, conf.Pos, "", "%s", p.why)
		}
		b.measure(at, p)
	}
}

// poolState finds out what a pool has, and plans what it lacks: the disk as a
// bdev, and an lvstore if the disk has none and may be written to, which none is
// while another of the node's is unread.
func (b *builder) poolState(at *state.Node, p *pool, unread bool) {
	conf, sec := p.conf, b.section(KindNode, string(at.Name), p.node.Pos)
	disk := findDisk(at, b.cfg.Cluster, conf)
	if lvs := at.Lvstores[conf.Lvstore]; lvs != nil {
		if disk != nil && disk.Bdev != lvs.Base {
			b.note("pool "+string(at.Name)+"/"+conf.Name, conf.Pos, "correct the path in the configuration",
				"lvstore %s was found on %s, not on %s; it is used where it is", conf.Lvstore, lvs.Base, conf.Path)
		}
		return
	}
	switch {
	case disk == nil:
		b.attachDisk(sec, at, p)
	case disk.Unread && !conf.Format:
		p.state, p.why = poolHidden, fmt.Sprintf("what the disk of %s/%s holds is known once it is attached", at.Name, conf.Name)
	case disk.Claimed:
		p.state, p.why = poolBlank, fmt.Sprintf("%s is in use but holds no lvstore %s; nothing is written to it", disk.Bdev, conf.Lvstore)
		b.block("pool "+string(at.Name)+"/"+conf.Name, conf.Pos, "", "%s", p.why)
	case !conf.Format:
		p.state, p.why = poolBlank, fmt.Sprintf("%s has no lvstore %s, and format is not set", disk.Bdev, conf.Lvstore)
		b.block("pool "+string(at.Name)+"/"+conf.Name, conf.Pos, "set format: true to let strata write one", "%s", p.why)
		b.warnNamesake(at, conf)
	case unread:
		p.state, p.why = poolPending, fmt.Sprintf("lvstore %s may be on a disk of %s that has not been read yet", conf.Lvstore, at.Name)
	default:
		if disk.Unread {
			b.assume(at.Name, conf)
		}
		b.warnNamesake(at, conf)
		sec.because(conf.Pos, "%s has no lvstore, and format is set", disk.Bdev)
		sec.beside(2, RiskCreate, LvstoreCreate{At{at.Name}, conf.Lvstore, disk.Bdev, conf.ClusterSize})
	}
}

// warnNamesake says that a disk which looks blank need not be: a target loads no
// lvstore whose name another has that is loaded, and lists nothing of it. Pools
// of one name have lvstores of one name on all nodes.
func (b *builder) warnNamesake(at *state.Node, conf *schema.Pool) {
	for _, n := range b.cfg.Nodes {
		for _, p := range n.Pools {
			if n.Name != at.Name && at.Lvstores[p.Lvstore] != nil {
				b.note("pool "+string(at.Name)+"/"+conf.Name, conf.Pos, "be sure that it is not a disk of another node",
					"%s may have an lvstore all the same: one called %s would not show, for %s has one of that name", conf.Path, p.Lvstore, at.Name)
				return
			}
		}
	}
}

func (b *builder) assume(n lineage.Node, conf *schema.Pool) {
	b.assumes = append(b.assumes, string(n)+"/"+conf.Name)
}

func (b *builder) attachDisk(sec *section, at *state.Node, p *pool) {
	p.state, p.why = poolPending, fmt.Sprintf("the disk of %s/%s has not been read yet", at.Name, p.conf.Name)
	sec.because(p.conf.Pos, "pool %s needs its disk", p.conf.Name)
	stage := 0
	if p.conf.Kind == schema.NVMe {
		stage = 1
		b.initiator(sec, at)
	}
	sec.beside(stage, RiskCreate, DiskAttach{At{at.Name}, b.cfg.Cluster.Disk(p.conf.Name), p.conf.Kind, p.conf.Path, p.conf.Bytes, p.conf.BlockSize})
}

// findDisk returns the bdev of the pool's disk, whoever attached it. When one
// device was attached twice, the bdev that something stands on speaks for both:
// the other only looks blank.
func findDisk(at *state.Node, c lineage.Cluster, conf *schema.Pool) *state.Disk {
	if conf.Kind == schema.Malloc {
		return at.Disks[c.Disk(conf.Name)]
	}
	var found *state.Disk
	for _, name := range sortedKeys(at.Disks) {
		if d := at.Disks[name]; d.Path == conf.Path && (found == nil || d.Claimed && !found.Claimed) {
			found = d
		}
	}
	return found
}

// measure adds up what a pool has and what it has promised.
func (b *builder) measure(at *state.Node, p *pool) {
	if d := findDisk(at, b.cfg.Cluster, p.conf); d != nil {
		p.block = d.BlockSize
	}
	p.block = cmp.Or(at.BlockSize(p.conf.Lvstore), p.block, p.conf.BlockSize)
	p.cluster = p.conf.ClusterSize
	if lvs := at.Lvstores[p.conf.Lvstore]; lvs != nil {
		p.cluster = lvs.ClusterSize
		p.capacity = lvs.TotalClusters * lvs.ClusterSize
		for _, l := range at.Lvols {
			if l.Lvstore == p.conf.Lvstore && !l.Snapshot {
				p.taken += l.Size
			}
		}
	}
}

// pool returns the pool whose lvstore has that name.
func (b *builder) pool(n lineage.Node, lvstore string) *pool {
	for _, p := range b.pools[n] {
		if p.conf.Lvstore == lvstore {
			return p
		}
	}
	return nil
}

// transport makes sure that the node can listen.
func (b *builder) transport(n lineage.Node) {
	if at := b.w.Nodes[n]; !at.TCP {
		sec := b.section(KindNode, string(n), b.cfg.Node(n).Pos)
		sec.because(b.cfg.Node(n).Pos, "%s serves over NVMe/TCP", n)
		sec.beside(0, RiskCreate, TransportCreate{At{n}})
	}
}

// initiator sets the options a target takes only before its first controller.
func (b *builder) initiator(sec *section, at *state.Node) {
	timeout := b.cfg.Links.TransportAckTimeout
	if timeout == 0 || b.attached[at.Name] || b.optionsSet[at.Name] {
		return
	}
	b.optionsSet[at.Name] = true
	sec.because(b.cfg.Node(at.Name).Pos, "a peer that answers no packets must be noticed, and this can be set only before the first controller")
	sec.beside(0, RiskCreate, InitiatorOptions{At{at.Name}, timeout})
}
