package recipe

import (
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// The storage knows its own pools: in pools of the next two nodes, in the order
// of their names, an empty lvol reminds of each (lineage.Member); where there are
// fewer, in another pool of its own node. A pool that it
// knows of and that no node has is missed: it may have what nobody else has, so
// nothing is taken for new, or for outvoted, because it was not found elsewhere.
// That lasts until it is back or the configuration says that it is gone for good
// (retired). That word is for the lvstore that is gone: while it stands, the one
// that came after it is not missed either, so it is said that it is to go. Disks
// in memory are forgotten with their target, and not missed.

// knowing is how many nodes know of a pool.
const knowing = 2

// members sees to it that other nodes know of every pool that was read, and
// finds the pools that are missed. Of an lvstore that is written in this pass
// others hear in the next: what they know of exists.
func (b *builder) members() {
	have := map[lineage.Member][]lineage.Node{}
	for _, r := range b.ground.reminders {
		have[r.Member] = append(have[r.Member], r.Node)
	}
	wanted := map[lineage.Member]bool{}
	for i, n := range b.cfg.Nodes {
		for _, p := range b.ground.pools[n.Name] {
			if p.state != poolReady || p.conf.Kind == schema.Malloc || b.shared(p) {
				continue
			}
			if p.writes {
				p.unknown = len(b.keepers(i, p)) > 0
				continue
			}
			m := lineage.MemberOf(n.Name, p.conf.Name, b.w.Nodes[n.Name].Lvstores[p.conf.Lvstore].UUID)
			wanted[m] = true
			if b.cfg.Retires(n.Name, p.conf.Name) {
				name := string(n.Name) + "/" + p.conf.Name
				b.note("pool "+name, p.conf.Pos, fmt.Sprintf("take %q out of retired", name),
					"it is retired, and has an lvstore (%s…): should that not be found one day, it would be taken for gone for good, too", m.Store)
			}
			for _, to := range b.keepers(i, p) {
				if slices.Contains(have[m], to.node.Name) || to.state != poolReady || b.left(plan.NodeKey(to.node.Name)) {
					continue
				}
				if to.writes {
					p.unknown = p.unknown || len(have[m]) == 0
					continue
				}
				if !b.may("", schema.DutyChange) {
					p.unknown = p.unknown || len(have[m]) == 0
					continue
				}
				sec := b.section(plan.NodeKey(to.node.Name))
				why := because(p.conf.Pos, "what is on %s is not to be taken for new should it not be found one day", n.Name)
				sec.beside(5, why, plan.RiskCreate, plan.Remind{At: plan.At{Node: to.node.Name}, Lvstore: to.conf.Lvstore, Member: m, Size: to.cluster})
				p.known = append(p.known, plan.NodeKey(to.node.Name))
			}
		}
	}
	b.forget(wanted, have)
	b.ground.missing = b.w.Missed(b.ground.reminders, func(n lineage.Node, pool string) bool { return b.cfg.Retires(n, pool) || b.unread(n, pool) })
	for _, m := range b.ground.missing {
		b.note("pool "+string(m.Node)+"/"+m.Pool, schema.Pos{}, fmt.Sprintf("make it readable again, on whichever node, or if it is gone for good, add retired: [%q]", string(m.Node)+"/"+m.Pool),
			"%s had a pool %s (lvstore %s…), and no node has it now; until it is found, no volume is taken for new that may be there", m.Node, m.Pool, m.Store)
	}
}

// keepers are a pool each of the nodes that are to know of a pool of the one with
// that index: the next that have a pool that lasts, itself the last of all. One
// that cannot be read now is waited for.
func (b *builder) keepers(node int, of *pool) (all []*pool) {
	for i := 1; i <= len(b.cfg.Nodes) && len(all) < knowing; i++ {
		pools := slices.DeleteFunc(slices.Clone(b.ground.pools[b.cfg.Nodes[(node+i)%len(b.cfg.Nodes)].Name]), func(p *pool) bool {
			return p == of || p.conf.Kind == schema.Malloc || p.state == poolBlank || b.shared(p)
		})
		if len(pools) == 0 {
			continue
		}
		best := pools[0]
		for _, p := range pools[1:] {
			if p.state == poolReady && (best.state != poolReady || best.writes && !p.writes) {
				best = p
			}
		}
		all = append(all, best)
	}
	return all
}

// shared reports whether another cluster uses what is in a pool's lvstore. It has
// reminders of its own.
func (b *builder) shared(p *pool) bool {
	if at := b.w.Nodes[p.node.Name]; at != nil {
		for _, l := range at.Lvols {
			if _, head := l.Parsed.(lineage.Head); head && l.Lvstore == p.conf.Lvstore && b.w.ForeignUse(at.Name, l.UUID) != "" {
				return true
			}
		}
	}
	return false
}

// forget deletes what reminds of pools that are gone for good, and of those
// that are known under another name by now.
func (b *builder) forget(wanted map[lineage.Member]bool, have map[lineage.Member][]lineage.Node) {
	for _, r := range b.ground.reminders {
		m := r.Member
		retired := b.cfg.Retires(m.Node, m.Pool) && !b.w.HasStore(m)
		renamed := slices.ContainsFunc(sortedMembers(wanted), func(w lineage.Member) bool { return w != m && w.Store == m.Store && len(have[w]) > 0 })
		if !retired && (wanted[m] || !renamed) || b.unattended() && (retired || !b.may("", schema.DutyChange)) || b.left(plan.NodeKey(r.Node)) {
			continue
		}
		var pos schema.Pos
		if n := b.cfg.Node(r.Node); n != nil {
			pos = n.Pos
		}
		why := because(pos, "pool %s of %s is called otherwise now", m.Pool, m.Node)
		if retired {
			why = because(pos, "pool %s of %s is retired", m.Pool, m.Node)
		}
		sec := b.section(plan.NodeKey(r.Node))
		sec.beside(5, why, plan.RiskCreate, plan.Forget{At: plan.At{Node: r.Node}, Lvstore: r.Lvol.Lvstore, Member: m})
	}
}

func sortedMembers(set map[lineage.Member]bool) []lineage.Member {
	byName := map[lineage.LvolName]lineage.Member{}
	for m := range set {
		byName[m.Lvol()] = m
	}
	var all []lineage.Member
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		all = append(all, byName[name])
	}
	return all
}

// unread reports whether a pool is configured and not read: then it is waited
// for as it is.
func (b *builder) unread(n lineage.Node, name string) bool {
	if at := b.w.Nodes[n]; b.cfg.Node(n) != nil && (at == nil || at.Unknown != "") {
		return true
	}
	return slices.ContainsFunc(b.ground.pools[n], func(p *pool) bool {
		return p.conf.Name == name && (p.state == poolHidden || p.state == poolPending)
	})
}

// lost says which lvstore a pool had that is not found; "" when it is not missed.
func (b *builder) lost(n lineage.Node, name string) string {
	for _, r := range b.ground.reminders {
		if m := r.Member; m.Node == n && m.Pool == name && !b.w.HasStore(m) && !b.cfg.Retires(n, name) {
			return m.Store
		}
	}
	return ""
}
