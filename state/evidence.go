package state

import (
	"context"
	"slices"
	"sync"

	"strata/lineage"
	"strata/spdk"
)

// Evidence is what a node says of a link to a peer, of which a replica there may not be
// used any more: the peer cannot be read, or has no engine with it. Of a path of hosts that
// leads nowhere, to a volume that may be served on a node that cannot be read, it is who
// is connected. It is read after all else, so what it says is no older than that.
type Evidence struct {
	Connected []lineage.NQN // hosts that have a controller there, sorted
	// Failed has the bdevs of namespaces of which an I/O has failed on the node since
	// they are there, sorted. Whoever wrote to a RAID that they are in may have gone on
	// without them.
	Failed []string
}

// evidence asks for it: all nodes at once, in one round each.
func (r *reading) evidence(ctx context.Context) {
	r.mu.Lock()
	asks := map[*spdk.Client][]*question{}
	for name, n := range r.nodes {
		if t := r.targets[name]; t != nil && n.Unknown == "" {
			if q := n.unproven(r.c, r.nodes); len(q) > 0 {
				asks[t] = q
			}
		}
	}
	r.mu.Unlock()
	var wg sync.WaitGroup
	for t, questions := range asks {
		wg.Go(func() {
			var reqs []*spdk.Req
			for _, q := range questions {
				reqs = append(reqs, q.reqs()...)
			}
			t.Round(ctx, reqs...)
		})
	}
	wg.Wait()
	for _, questions := range asks {
		for _, q := range questions {
			q.sub.Evidence = q.answer()
		}
	}
}

// question is of one link.
type question struct {
	sub       *Subsystem
	bdevs     []string
	connected []spdk.Connected
	stat      spdk.Iostat
	asked     []*spdk.Req
}

// unproven are the links that wait by which the node shows anything to a peer that cannot
// be read, or a replica, in use or so it was named, to one that does not have it in use.
// So are paths of hosts of which nobody who was read has the disk.
func (n *Node) unproven(c lineage.Cluster, nodes map[lineage.Node]*Node) (all []*question) {
	for nqn, sub := range n.Subsystems {
		if _, ok := c.ParseExport(nqn); ok && elsewhere(nqn, nodes) {
			all = append(all, &question{sub: sub})
			continue
		}
		link, ok := c.ParseLink(nqn)
		if !ok || !link.Wait || link.From != n.Name {
			continue
		}
		peer := nodes[link.To]
		gone := peer == nil || peer.Unknown != ""
		q := &question{sub: sub}
		for _, ns := range sub.Namespaces {
			l := n.lvolByUUID[lineage.UUID(ns.Bdev)]
			if l == nil || !gone && peer.serves(l.UUID) {
				continue
			}
			if h, ok := l.Parsed.(lineage.Head); ok && h.Wait && h.Mark == lineage.Open {
				q.bdevs = append(q.bdevs, ns.Bdev)
			}
		}
		if slices.Sort(q.bdevs); len(q.bdevs) > 0 || gone && len(sub.Namespaces) > 0 {
			all = append(all, q)
		}
	}
	return all
}

// elsewhere reports whether a subsystem may show hosts a disk on a node that was not read,
// and shows none on those that were.
func elsewhere(nqn lineage.NQN, nodes map[lineage.Node]*Node) bool {
	unread := false
	for _, n := range nodes {
		if sub := n.Subsystems[nqn]; sub != nil && len(sub.Namespaces) > 0 {
			return false
		}
		unread = unread || n.Unknown != ""
	}
	return unread
}

func (q *question) reqs() []*spdk.Req {
	q.asked = []*spdk.Req{spdk.GetConnected(string(q.sub.NQN), &q.connected)}
	if len(q.bdevs) > 0 {
		q.asked = append(q.asked, spdk.NewReq(spdk.IostatGet{Names: q.bdevs}, &q.stat))
	}
	return q.asked
}

// answer is nil where the target did not tell all.
func (q *question) answer() *Evidence {
	if slices.ContainsFunc(q.asked, func(r *spdk.Req) bool { return r.Err != nil }) {
		return nil
	}
	e := &Evidence{}
	for _, h := range q.connected {
		e.Connected = append(e.Connected, lineage.NQN(h.HostNQN))
	}
	slices.Sort(e.Connected)
	told := map[string]bool{} // in the order in which the target came to them
	for _, b := range q.stat.Bdevs {
		if b.Errors == nil {
			return nil // it does not count them
		}
		if told[b.Name] = true; len(b.Errors) > 0 {
			e.Failed = append(e.Failed, b.Name)
		}
	}
	if slices.ContainsFunc(q.bdevs, func(name string) bool { return !told[name] }) {
		return nil
	}
	slices.Sort(e.Failed)
	return e
}
