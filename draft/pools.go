package draft

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// pool is an lvstore that is in no pool of the configuration, and the pool
// that it would be.
type pool struct {
	node lineage.Node
	name string
	lvs  *state.Lvstore
	disk *state.Disk
	// ours: it belongs to the cluster. Others can only be adopted from.
	ours   bool
	custom bool // the lvstore is not called after the cluster and the pool
	note   string
}

// lvstore looks at an lvstore that may be a pool.
func (d *drafter) lvstore(n *schema.Node, at *state.Node, lvs *state.Lvstore) {
	if _, have := d.cfg.Lvstores(n.Name, at.Paths())[lvs.Called()]; have {
		return
	}
	taken := func(name string) bool {
		return n.Pool(name) != nil || slices.ContainsFunc(d.pools, func(o *pool) bool { return o.node == n.Name && o.name == name })
	}
	p := &pool{node: n.Name, lvs: lvs, disk: at.Disks[lvs.Base]}
	store, byName := lineage.ParseStore(lvs.Called())
	switch {
	case d.remembered(n.Name, lvs.UUID) != "":
		p.ours, p.name = true, free(d.remembered(n.Name, lvs.UUID), taken)
	case byName && store.Cluster == d.cfg.Cluster:
		p.ours, p.name = true, free(store.Pool, taken)
	case d.serves(at, lvs):
		p.ours, p.name, p.note = true, nameLike(lvs.Name, "pool", taken), "Its name is not of the cluster, but volumes of the cluster are served from it."
	default:
		p.name = nameLike(lvs.Name, "pool", taken)
	}
	p.custom = p.lvstore(d.cfg.Cluster) != d.cfg.Cluster.Lvstore(p.name)
	about := "lvstore " + string(n.Name) + "/" + lvs.Name
	switch why := d.unfit(n, p); {
	case why != "" && p.ours:
		d.lack(about, "%s", why)
	case why != "":
		d.leave(about, "%s", why)
	case p.ours:
		d.out.Pools = append(d.out.Pools, string(n.Name)+"/"+p.name)
		d.pools = append(d.pools, p)
	default:
		d.out.Strange = append(d.out.Strange, string(n.Name)+"/"+lvs.Name)
		d.pools = append(d.pools, p)
	}
}

// remembered is what the pool of a node with that lvstore is called by what
// reminds of it in the cluster's pools; "" when nothing does.
func (d *drafter) remembered(n lineage.Node, store lineage.UUID) string {
	for _, at := range d.snap.Nodes {
		for _, l := range at.Lvols {
			m, ok := lineage.ParseMember(l.Name)
			if lvs := at.Lvstores[l.Lvstore]; !ok || lvs == nil || m.Node != n || !m.Is(store) {
				continue
			}
			if s, named := lineage.ParseStore(at.Lvstores[l.Lvstore].Called()); named && s.Cluster == d.cfg.Cluster {
				return m.Pool
			}
		}
	}
	return ""
}

// lvstore is what plans will call it.
func (p *pool) lvstore(c lineage.Cluster) string {
	if s, ok := lineage.ParseStore(p.lvs.Called()); ok && s.Cluster == c && s.Pool == p.name {
		return c.Lvstore(p.name)
	}
	return p.lvs.Called()
}

// unfit says why an lvstore can be no pool beside the others of its node; "" when it can.
func (d *drafter) unfit(n *schema.Node, p *pool) string {
	if p.disk == nil {
		return fmt.Sprintf("it is on bdev %s, which is no disk that strata attaches", p.lvs.Base)
	}
	for _, o := range n.Pools {
		if o.Path != "" && o.Path == p.disk.Path {
			return fmt.Sprintf("it is on the disk of pool %s, %s, which is configured with lvstore %s: write lvstore: %q there", o.Name, o.Path, o.Lvstore, p.lvs.Called())
		}
	}
	if slices.ContainsFunc(d.pools, func(o *pool) bool { return o.node == n.Name && o.disk.Path == p.disk.Path && o.disk.Path != "" }) {
		return fmt.Sprintf("there is another on the same disk, %s", p.disk.Path)
	}
	return p.unfit()
}

// unfit says what of an lvstore and its disk no pool has; "" for nothing.
func (p *pool) unfit() string {
	size := p.lvs.ClusterSize
	switch {
	case size < 64<<10 || size > 1<<30 || size&(size-1) != 0:
		return fmt.Sprintf("its clusters have %d bytes, and those of a pool have a power of two from 64Ki to 1Gi", size)
	case p.disk.Kind != "nvme" && p.disk.BlockSize != 512 && p.disk.BlockSize != 4096:
		return fmt.Sprintf("its disk has blocks of %d bytes, and that of a pool has 512 or 4096", p.disk.BlockSize)
	case (p.disk.Kind == "aio" || p.disk.Kind == "uring") && !strings.HasPrefix(p.disk.Path, "/"):
		return fmt.Sprintf("its disk is %q, and a pool has an absolute path", p.disk.Path)
	case p.disk.Kind == "malloc" && p.disk.Size%(1<<20) != 0:
		return fmt.Sprintf("its disk in memory has %d bytes, and that of a pool has a multiple of 1Mi", p.disk.Size)
	}
	return ""
}

// serves reports whether the cluster uses an lvol in an lvstore, whatever that
// is called: as a leg of a RAID, through a link, or in an export.
func (d *drafter) serves(at *state.Node, lvs *state.Lvstore) bool {
	ours := func(bdev string, n *state.Node) bool {
		l := at.LvolByUUID(n.Backing(bdev))
		return l != nil && l.Lvstore == lvs.Name && l.Parsed != nil
	}
	for _, n := range d.snap.Nodes {
		for name, r := range n.Raids {
			if _, is := d.cfg.Cluster.ParseRaid(name); is && slices.ContainsFunc(r.Legs, func(l state.Leg) bool { return ours(string(l.UUID), n) }) {
				return true
			}
		}
		for nqn, s := range n.Subsystems {
			_, link := d.cfg.Cluster.ParseLink(nqn)
			_, export := d.cfg.Cluster.ParseExport(nqn)
			for _, ns := range s.Namespaces {
				if (link || export) && ours(ns.Bdev, n) {
					return true
				}
			}
		}
	}
	return false
}

func (p *pool) write(b *bytes.Buffer) {
	if p.note != "" {
		comment(b, p.note)
	}
	fmt.Fprintf(b, "nodes: %s: pools: %s: {\n", label(string(p.node)), label(p.name))
	switch p.disk.Kind {
	case "nvme":
		fmt.Fprintf(b, "\tnvme: %s\n", quote(p.disk.Path))
	case "malloc":
		fmt.Fprintf(b, "\tmalloc: %s // in memory: it ends with its target\n", schema.SizeText(p.disk.Size))
	default:
		fmt.Fprintf(b, "\t%s: %s\n", p.disk.Kind, quote(p.disk.Path))
	}
	if p.disk.BlockSize == 512 && p.disk.Kind != "nvme" {
		fmt.Fprintf(b, "\tblockSize: %d\n", p.disk.BlockSize)
	}
	if p.lvs.ClusterSize != 1<<20 {
		fmt.Fprintf(b, "\tclusterSize: %s\n", schema.SizeText(p.lvs.ClusterSize))
	}
	if p.custom {
		fmt.Fprintf(b, "\tlvstore: %s\n", quote(p.lvs.Called()))
	}
	b.WriteString("}\n")
}
