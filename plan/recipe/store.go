package recipe

import (
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
	"strata/plan"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// An lvstore is called <cluster>.<pool> in plans. On the target an id follows,
// so that two never have one name wherever their disks are put: of two of one
// name a target loads only the first, and the other's disk looks blank. Pools
// whose lvstore the user has named are left as they are.

// storeName draws a name for a pool's lvstore that no node has.
func (b *builder) storeName(n lineage.Node, pool string) string {
	s := lineage.Store{Cluster: b.cfg.Cluster, Pool: pool, ID: lineage.Pending}
	if len(b.opt.Nonce) > 0 {
		s.ID = lineage.NewID(b.opt.Nonce, string(n)+"/"+pool, func(id lineage.ID) bool {
			name := lineage.Store{Cluster: b.cfg.Cluster, Pool: pool, ID: id}.Lvstore()
			for _, at := range b.w.Nodes {
				for _, lvs := range at.Lvstores {
					if lvs.Called() == name {
						return true
					}
				}
			}
			return false
		})
	}
	return s.Lvstore()
}

// called makes the lvstore of a pool have a name of its own. It is the pool's
// already, by the name it had before there were ids, or that the pool had.
func (b *builder) called(sec *section, at *state.Node, conf *schema.Pool, lvs *state.Lvstore) {
	s, ok := lineage.ParseStore(lvs.Called())
	if !ok || conf.Named(b.cfg.Cluster) || s.ID != "" && s.Pool == conf.Name || b.copies[at.Name] > 0 {
		return
	}
	if !world.Renamable(at, lvs.Name) {
		b.restless = true
		return
	}
	to := lineage.Store{Cluster: b.cfg.Cluster, Pool: conf.Name, ID: s.ID}.Lvstore()
	if s.ID == "" || at.Lvstores[to] != nil {
		to = b.storeName(at.Name, conf.Name)
	}
	why := because(conf.Pos, "an lvstore has a name that no other has: of two of one name a target shows only one")
	if s.Pool != conf.Name {
		why = because(conf.Pos, "pool %s was called %s", conf.Name, s.Pool)
	}
	b.rename(sec, why, at.Name, lvs, to)
}

func (b *builder) rename(sec *section, why reason, n lineage.Node, lvs *state.Lvstore, to string) {
	sec.beside(0, why, plan.RiskCreate, plan.LvstoreRename{At: plan.At{Node: n}, Lvstore: lvs.Name, From: lvs.Called(), To: to})
	if b.renames[n] == nil {
		b.renames[n] = map[string]bool{}
	}
	b.renames[n][lvs.Name] = true
}

// format writes an lvstore onto a disk on which none was found. What was found
// is what the target shows, and that need not be all: an lvstore whose name a
// loaded one has is not shown. So where others are loaded, they get names that
// none can have, and the disk is attached again and looked into once more.
// Ladder:
//
//	renamed   the loaded ones have new names
//	looked    the disk detached, attached again, and nothing found on it
//	written   the lvstore
//
// A crash leaves other names, or a disk that is not attached, which the next plan
// attaches. What the second look shows, the next plan finds.
func (b *builder) format(sec *section, at *state.Node, conf *schema.Pool, disk *state.Disk) {
	why := because(conf.Pos, "%s has no lvstore, and format is set", disk.Bdev)
	stage, risk := 2, plan.RiskCreate
	others := world.Loaded(at)
	switch look := len(others) > 0 && !disk.Unread && conf.Kind != schema.Malloc; {
	case look && b.formats(at.Name, conf):
		risk = plan.RiskDestroy
	case look:
		why = because(conf.Pos, "%s has no lvstore that %s shows; before one is written it is looked into again, for one of a name that is in use would not show", disk.Bdev, at.Name)
		stage = b.exposed(sec, why, at, conf, disk)
	}
	sec.beside(stage, why, risk, plan.LvstoreCreate{At: plan.At{Node: at.Name}, Lvstore: conf.Lvstore, OnTarget: b.onTarget(at.Name, conf), Bdev: disk.Bdev, ClusterSize: conf.ClusterSize, Keeps: conf.Keeps})
}

// A pool whose lvstore was found on another disk than its own, which shows none,
// may have been found on a copy: of two lvstores of one name the one that was
// attached first hides the other. Before a volume is served from there, its own
// disk is looked into again as in format. One that cannot be attached is not there.

// shadowed is the pool of a leg of which that is so; nil for none.
func (b *builder) shadowed(l state.CurrentLeg) (*pool, *state.Disk) {
	if l.Head == nil || plan.IsToken(l.UUID) {
		return nil, nil
	}
	at, p := b.w.Nodes[l.Node], b.pool(l.Node, l.Head.Lvol.Lvstore)
	if p == nil || p.conf.Kind == schema.Malloc {
		return nil, nil
	}
	disk, lvs := findDisk(at, b.cfg.Cluster, p.conf), at.Lvstores[p.conf.Lvstore]
	switch {
	case lvs == nil || at.Disks[lvs.Base] == nil || at.Disks[lvs.Base].Path == p.conf.Path:
		return nil, nil
	case disk == nil && (at.Disks[b.cfg.Cluster.Disk(p.conf.Name)] != nil || b.left(plan.NodeKey(at.Name))):
		return nil, nil
	case disk != nil && (disk.Claimed || disk.Unread):
		return nil, nil
	}
	return p, disk
}

// unsure says why legs may be those of a copy, and it cannot be found out; "" for
// no such reason.
func (b *builder) unsure(legs []state.CurrentLeg) string {
	for _, l := range legs {
		p, disk := b.shadowed(l)
		if p == nil {
			continue
		}
		text := fmt.Sprintf("lvstore %s of %s was found on %s, and the disk of pool %s, %s, may have another of that name, which would not show", p.conf.Lvstore, l.Node, b.w.Nodes[l.Node].Lvstores[p.conf.Lvstore].Base, p.conf.Name, p.conf.Path)
		if b.left(plan.NodeKey(l.Node)) {
			return text + "; it could not be looked into again"
		}
		if disk != nil && !world.Alone(b.w.Nodes[l.Node], disk) {
			return text + "; its controller has other namespaces, so it cannot be detached to look again"
		}
		if fixed := b.fixed(b.w.Nodes[l.Node]); fixed != "" {
			return fmt.Sprintf("%s as long as %s is loaded, whose name strata does not change", text, fixed)
		}
	}
	return ""
}

// examineAgain looks once more into the disks that legs may have been copied from.
func (b *builder) examineAgain(legs []state.CurrentLeg) {
	for _, l := range legs {
		p, disk := b.shadowed(l)
		if p == nil {
			continue
		}
		at, sec := b.w.Nodes[l.Node], b.section(plan.NodeKey(l.Node))
		why := because(p.conf.Pos, "lvstore %s was found on another disk, and %s may have one of that name, which would not show: it is looked into again", p.conf.Lvstore, p.conf.Path)
		b.exposed(sec, why, at, p.conf, disk)
	}
}

// exposed attaches a disk, again if it is there, with names for the loaded lvstores
// that none can have, and makes sure that it shows none. It returns the next stage.
func (b *builder) exposed(sec *section, why reason, at *state.Node, conf *schema.Pool, disk *state.Disk) int {
	for _, lvs := range world.Loaded(at) {
		if !b.renames[at.Name][lvs.Name] {
			b.rename(sec, why, at.Name, lvs, b.storeName(at.Name, poolOf(lvs)))
		}
	}
	name, kind := b.cfg.Cluster.Disk(conf.Name), conf.Kind
	if disk != nil {
		if name, kind = disk.Bdev, schema.DiskKind(disk.Kind); kind == schema.NVMe {
			name = strings.TrimSuffix(name, "n1") // that of its controller
		}
		sec.beside(1, why, plan.RiskCreate, plan.DiskDetach{At: plan.At{Node: at.Name}, Bdev: name, Kind: kind, Path: conf.Path})
	}
	b.initiatorFor(sec, at, conf)
	sec.beside(2, why, plan.RiskCreate, plan.DiskAttach{At: plan.At{Node: at.Name}, Bdev: name, Kind: kind, Path: conf.Path, Bytes: conf.Bytes, BlockSize: conf.BlockSize, Keeps: conf.Keeps, Lvstore: conf.Lvstore})
	if disk = findDisk(b.w.Nodes[at.Name], b.cfg.Cluster, conf); disk != nil {
		sec.beside(3, why, plan.RiskCreate, plan.ExpectBlank{At: plan.At{Node: at.Name}, Bdev: disk.Bdev})
	}
	return 4
}

// onTarget is what a new lvstore of a pool is called.
func (b *builder) onTarget(n lineage.Node, conf *schema.Pool) string {
	if conf.Named(b.cfg.Cluster) {
		return conf.Lvstore
	}
	return b.storeName(n, conf.Name)
}

// fixed is a loaded lvstore whose name strata may not change; "" for none.
func (b *builder) fixed(at *state.Node) string {
	for _, lvs := range world.Loaded(at) {
		s, ok := lineage.ParseStore(lvs.Called())
		ours := slices.ContainsFunc(b.cfg.Node(at.Name).Pools, func(p *schema.Pool) bool { return p.Lvstore == lvs.Name && !p.Named(b.cfg.Cluster) })
		if !world.Renamable(at, lvs.Name) {
			b.restless = true
			return lvs.Called()
		}
		if !ok || s.Cluster != b.cfg.Cluster || !ours || lvs.Doubt != "" {
			return lvs.Called()
		}
	}
	return ""
}

func poolOf(lvs *state.Lvstore) string {
	s, _ := lineage.ParseStore(lvs.Called())
	return s.Pool
}

// formats reports whether the operator has said by name that a disk may be
// formatted although it cannot be known that nothing is on it.
func (b *builder) formats(n lineage.Node, conf *schema.Pool) bool {
	return b.opt.AllowDestroy.Disk(n, conf.Name)
}
