package draft

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// offer is an lvol of somebody else's that could be adopted.
type offer struct {
	node   lineage.Node
	name   string // for the volume
	lvol   *state.Lvol
	below  []*state.Lvol // snapshots that it stands on
	shared int64         // bytes that it shares with them, at most
	held   []state.Holder
	export schema.Export
	limits state.Limits
}

// writeOffers writes what could be adopted, commented out, and names the rest.
func (d *drafter) writeOffers(b *bytes.Buffer) {
	strange := slices.DeleteFunc(slices.Clone(d.pools), func(p *pool) bool { return p.ours })
	if len(d.offers)+len(strange) > 0 {
		b.WriteString("\n")
		comment(b, offersHeader)
	}
	for _, p := range strange {
		b.WriteString("\n")
		d.offerPool(b, p)
	}
	for _, o := range d.offers {
		b.WriteString("\n")
		o.write(b)
	}
	if others := d.others(); len(others) > 0 {
		b.WriteString("\n")
		comment(b, "There is also, and none of it can be adopted:\n\n"+strings.Join(others, "\n"))
	}
}

const offersHeader = `What follows is not strata's, or does not show that it is. Take the comment marks off a volume, and
off its pool if it is here, to have the lvol adopted: strata plan says what is to be done.`

// offer finds the lvols that could be adopted.
func (d *drafter) offer() {
	taken := map[string]bool{}
	for _, v := range d.cfg.Volumes {
		taken[v.Name] = true
	}
	for _, name := range d.snap.Volumes() {
		taken[name] = true
	}
	for _, n := range d.cfg.Nodes {
		at := d.snap.Nodes[n.Name]
		if at == nil || at.Unknown != "" {
			continue
		}
		for _, alias := range slices.Sorted(maps.Keys(at.Lvols)) {
			l := at.Lvols[alias]
			if _, reminder := lineage.ParseMember(l.Name); reminder || !d.hasPool(n, l.Lvstore) || l.Parsed != nil || l.Snapshot || d.adopts(n.Name, l) {
				continue
			}
			o := &offer{node: n.Name, lvol: l, below: at.Below(l), held: at.Holders(l)}
			if why := o.unfit(at); why != "" {
				d.leave("lvol "+string(n.Name)+"/"+alias, "%s", why)
				continue
			}
			o.name = nameLike(string(l.Name), "volume", func(s string) bool { return taken[s] })
			taken[o.name] = true
			o.shares(at)
			d.offers = append(d.offers, o)
		}
	}
}

// hasPool reports whether an lvstore is in a pool, one that is commented out, too.
func (d *drafter) hasPool(n *schema.Node, lvstore string) bool {
	return slices.ContainsFunc(n.Pools, func(p *schema.Pool) bool { return p.Lvstore == lvstore }) ||
		slices.ContainsFunc(d.pools, func(p *pool) bool { return p.node == n.Name && p.lvs.Name == lvstore })
}

// adopts reports whether a volume of the configuration adopts an lvol already.
func (d *drafter) adopts(n lineage.Node, l *state.Lvol) bool {
	return slices.ContainsFunc(d.cfg.Volumes, func(v *schema.Volume) bool {
		return v.Adopt != nil && *v.Adopt == schema.Adopt{Node: n, Lvstore: l.Lvstore, Lvol: l.Name}
	})
}

// unfit says why an lvol cannot be adopted; "" when it can.
func (o *offer) unfit(at *state.Node) string {
	clusters := at.Lvstores[o.lvol.Lvstore].ClusterSize
	switch {
	case !o.lvol.Complete() || slices.ContainsFunc(o.below, func(l *state.Lvol) bool { return !l.Complete() }):
		return "it reads through a bdev outside of its lvstore"
	case o.lvol.Size == 0 || o.lvol.Size%(1<<20) != 0 || o.lvol.Size%clusters != 0:
		return fmt.Sprintf("its size, %d bytes, is no multiple of 1Mi", o.lvol.Size)
	}
	return ""
}

// shares adds up what is to be copied, and finds how users reach the lvol now.
func (o *offer) shares(at *state.Node) {
	clusters := -o.lvol.Size/at.Lvstores[o.lvol.Lvstore].ClusterSize + o.lvol.Allocated
	var shared int64
	for _, l := range o.below {
		shared += l.Allocated
	}
	o.shared = min(shared, -clusters) * at.Lvstores[o.lvol.Lvstore].ClusterSize
	o.limits = at.LimitsOf(string(o.lvol.UUID))
	o.export = schema.Export{Kind: schema.ExportNVMf}
	for _, h := range o.held {
		switch {
		case h.Subsystem != nil:
			o.export = schema.Export{Kind: schema.ExportNVMf, AnyHost: h.Subsystem.AnyHost, Hosts: h.Subsystem.Hosts, Keys: hostKeys(at, h.Subsystem), RDMA: overRDMA(h.Subsystem)}
			return
		case h.Ublk >= 0:
			o.export = schema.Export{Kind: schema.ExportUblk, UblkID: h.Ublk}
		case h.NBD != "":
			o.export = schema.Export{Kind: schema.ExportNBD, NBD: h.NBD}
		}
	}
}

func (o *offer) write(b *bytes.Buffer) {
	text := fmt.Sprintf("%s on %s", shown(o.lvol.Alias()), o.node)
	for _, h := range o.held {
		text += "; " + shown(h.What)
	}
	commentOut(b, aside(text+"."))
	if len(o.below) > 0 {
		var names []string
		for _, l := range o.below {
			names = append(names, shown(string(l.Name)))
		}
		commentOut(b, aside(fmt.Sprintf("It shares up to %s with snapshots, %s; they stay, and that is copied.", amount.Bytes(o.shared), strings.Join(names, " and "))))
	}
	block := &bytes.Buffer{}
	o.fields(block)
	commentOut(b, block.Bytes())
}

// fields writes the volume that the lvol would be.
func (o *offer) fields(block *bytes.Buffer) {
	fmt.Fprintf(block, "volumes: %s: {\n\tsize: %s\n\treplicas: on: %s\n", label(o.name), schema.SizeText(o.lvol.Size), list([]lineage.Node{o.node}))
	fmt.Fprintf(block, "\tadopt: {node: %s, head: %s}\n", quote(o.node), quote(o.lvol.Alias()))
	fmt.Fprintf(block, "\texport: %s\n%s}\n", exportText(o.export), limitsText(o.limits))
}

// offerPool writes a pool that nothing shows to be the cluster's.
func (d *drafter) offerPool(b *bytes.Buffer, p *pool) {
	text := fmt.Sprintf("lvstore %s on %s.", shown(p.lvs.Name), p.node)
	var volumes []string
	for _, l := range d.snap.Nodes[p.node].Lvols {
		if h, ok := l.Parsed.(lineage.Head); ok && l.Lvstore == p.lvs.Name && !slices.Contains(volumes, h.Volume.Name) {
			volumes = append(volumes, h.Volume.Name)
		}
	}
	if slices.Sort(volumes); len(volumes) > 0 {
		text += fmt.Sprintf(" It has lvols that are named as strata names them, of %s: if they are the cluster's,\ntake the comment marks off and import again; another cluster's are not to be touched.", strings.Join(volumes, ", "))
	}
	commentOut(b, aside(text))
	block := &bytes.Buffer{}
	p.write(block)
	commentOut(b, block.Bytes())
}

// others lists RAIDs and subsystems of somebody else's.
func (d *drafter) others() []string {
	var lines []string
	for _, conf := range d.cfg.Nodes {
		n := d.snap.Nodes[conf.Name]
		if n == nil || n.Unknown != "" {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(n.Raids)) {
			if _, ok := d.cfg.Cluster.ParseRaid(name); !ok {
				var bases []string
				for _, l := range n.Raids[name].Legs {
					bases = append(bases, called(n, l.Base))
				}
				lines = append(lines, shown(fmt.Sprintf("  %s: RAID %s of %s; strata mirrors volumes itself: adopt a base of it when it is gone", n.Name, name, strings.Join(bases, " and "))))
			}
		}
		for _, nqn := range slices.Sorted(maps.Keys(n.Subsystems)) {
			_, link := d.cfg.Cluster.ParseLink(nqn)
			if _, export := d.cfg.Cluster.ParseExport(nqn); !link && !export {
				lines = append(lines, shown(fmt.Sprintf("  %s: subsystem %s%s", n.Name, nqn, shows(n, n.Subsystems[nqn]))))
			}
		}
	}
	return lines
}

// shows says what a subsystem shows.
func shows(n *state.Node, s *state.Subsystem) string {
	var bdevs []string
	for _, nsid := range slices.Sorted(maps.Keys(s.Namespaces)) {
		bdevs = append(bdevs, fmt.Sprintf("%s as %d", called(n, s.Namespaces[nsid].Bdev), nsid))
	}
	if len(bdevs) == 0 {
		return ""
	}
	return ", which shows " + strings.Join(bdevs, ", ")
}

// called is the name by which a bdev is known: an lvol's alias, not its UUID.
func called(n *state.Node, bdev string) string {
	if l := n.LvolByUUID(lineage.UUID(bdev)); l != nil {
		return l.Alias()
	}
	return bdev
}
