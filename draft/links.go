package draft

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
	"strata/state"
)

// links is what the nodes show of how links are to be.
type links struct {
	wait bool
	rdma bool // one listens over RDMA alone
	keys int  // the number of the pairs by which their ends prove themselves; 0: they prove nothing
}

// foundLinks looks at the links that there are, and, where targets have lost them, at what
// heads and files of keys say of them.
func (d *drafter) foundLinks() (l links) {
	there := false
	for link, sub := range d.linkSubsystems() {
		there = true
		l.wait = l.wait || link.Wait
		l.rdma = l.rdma || overRDMA(sub)
		for _, k := range sub.Keys {
			if pair, _, is := d.cfg.Cluster.ParseLinkKey(k.Key); is {
				l.keys = max(l.keys, pair.Set)
			}
		}
	}
	if there {
		return l
	}
	for _, n := range d.snap.Nodes {
		for name := range n.KeyFiles {
			if pair, _, is := d.cfg.Cluster.ParseLinkKey(name); is {
				l.keys = max(l.keys, pair.Set)
			}
		}
	}
	for _, name := range d.snap.Volumes() {
		for _, id := range d.snap.Incarnations(name) {
			inc := d.snap.Incarnation(d.cfg.Cluster, id)
			for _, h := range inc.Heads {
				l.wait = l.wait || h.Name.Wait && h.Name.Epoch == inc.Top()
			}
		}
	}
	return l
}

// linkSubsystems are the links that nodes show anything by, or let a peer in to.
func (d *drafter) linkSubsystems() map[lineage.Link]*state.Subsystem {
	all := map[lineage.Link]*state.Subsystem{}
	for _, n := range d.snap.Nodes {
		for nqn, sub := range n.Subsystems {
			if link, is := d.cfg.Cluster.ParseLink(nqn); is && link.From == n.Name {
				all[link] = sub
			}
		}
	}
	return all
}

// lacking is what the configuration lacks of that, in fields that can do without each other.
func (d *drafter) lacking() (fields []string) {
	found := d.foundLinks()
	if found.rdma && !d.cfg.Links.RDMA {
		fields = append(fields, `transport: "rdma"`)
	}
	if found.wait && !d.cfg.Links.Wait() {
		fields = append(fields, `loss: "wait"`)
	}
	if found.keys > 0 && d.cfg.Links.Keys == 0 {
		auth := "auth: true"
		if found.keys > 1 {
			auth += fmt.Sprintf(", keys: %d", found.keys)
		}
		fields = append(fields, auth)
	}
	return fields
}

// writeLinks writes it behind what is certain, as far as the configuration takes it.
func (d *drafter) writeLinks(certain *bytes.Buffer) {
	var taken []string
	text := func(fields []string) string { return fmt.Sprintf("links: {%s}\n", strings.Join(fields, ", ")) }
	for _, f := range d.lacking() {
		with := append(bytes.Clone(certain.Bytes()), text(append(taken, f))...)
		if err := d.accepts(with); err != nil && d.accepts(certain.Bytes()) == nil {
			d.lack("links", "nodes have them with %s, and the configuration does not take that: %s", f, reason(err))
			continue
		}
		taken = append(taken, f)
	}
	if len(taken) == 0 {
		return
	}
	d.out.Links = true
	certain.WriteString("\n")
	if slices.ContainsFunc(taken, func(f string) bool { return strings.HasPrefix(f, "loss") }) {
		comment(certain, "How long a node that is gone is waited for (patience) is not recorded.")
	}
	certain.WriteString(text(taken))
}
