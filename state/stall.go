package state

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"strata/lineage"
	"strata/spdk"
)

const (
	// patience is how long a node may say nothing, while no other is done either,
	// before the engines that depend on it are asked how they are. One that
	// answers, however slowly, is only slow, or it is this program that is.
	patience = 300 * time.Millisecond
	// between is the time between two looks at a queue.
	between = 250 * time.Millisecond
)

// errStalls is why a node was not waited for.
var errStalls = errors.New("it does not answer, and I/O that needs it makes no progress")

// reading is a Snapshot that is being made.
type reading struct {
	c       lineage.Cluster
	targets map[lineage.Node]*spdk.Client
	cancel  map[lineage.Node]context.CancelCauseFunc
	before  *Snapshot // read just before; nil for none

	mu      sync.Mutex
	nodes   map[lineage.Node]*Node             // read so far
	missing map[lineage.Node]map[string]string // RAIDs that miss the bdev of a base, and which
	ids     map[lineage.Node]identity
	looked  map[string]bool // RAIDs whose queue has been looked at
}

func (r *reading) put(n *Node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.nodes[n.Name] = n
	if r.before == nil || r.before.Nodes[n.Name] == nil {
		return
	}
	for name, old := range r.before.Nodes[n.Name].Raids {
		if raid := n.Raids[name]; raid != nil && old.Stalled && slices.Equal(raid.Legs, old.Legs) {
			raid.Stalled = true
			r.looked[string(n.Name)+name] = true
		}
	}
}

// said notes what must fit what others say.
func (r *reading) said(name lineage.Node, a *answers) {
	missing, id := a.missingBases(), a.identity(r.c)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.missing[name], r.ids[name] = missing, id
}

// distrust makes nodes unknown that list a RAID with a base in use which has no
// bdev. Only while a peer is in doubt may that be: a base that is on its way
// out stays in its RAID as long as I/O there waits for another one.
func (r *reading) distrust() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, missing := range r.missing {
		for _, raid := range slices.Sorted(maps.Keys(missing)) {
			n := r.nodes[name]
			if n.Raids[raid] == nil || slices.ContainsFunc(n.Raids[raid].Legs, func(l Leg) bool { return r.doubtful(n, l.UUID) }) {
				continue
			}
			why := fmt.Sprintf("it lists RAID %s with base %s in use, and no bdev of that base", raid, missing[raid])
			r.nodes[name] = Unread(name, unbelieved(why).Error())
			break
		}
	}
}

// doubtful reports whether I/O of a leg may have to wait: it is reached over a
// link that does not work, or on a node that does not answer.
func (r *reading) doubtful(n *Node, leg lineage.UUID) bool {
	remote := n.Remotes[leg]
	if remote == nil {
		return false
	}
	if ctrl := n.Controllers[remote.Controller]; ctrl == nil || ctrl.State != "enabled" {
		return true
	}
	peer := n.peerOf(r.c, leg)
	return peer != "" && r.silent(peer)
}

func (r *reading) all() []*Node {
	r.mu.Lock()
	defer r.mu.Unlock()
	var nodes []*Node
	for _, name := range slices.Sorted(maps.Keys(r.nodes)) {
		nodes = append(nodes, r.nodes[name])
	}
	return nodes
}

// suspect is a RAID with a leg on a node that does not answer.
type suspect struct {
	engine *Node
	raid   *Raid
	leg    lineage.Node
}

// suspects are the RAIDs whose queue has not been looked at yet.
func (r *reading) suspects() []suspect {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []suspect
	for _, name := range slices.Sorted(maps.Keys(r.nodes)) {
		n := r.nodes[name]
		for _, raid := range n.Raids {
			if _, ours := r.c.ParseRaid(raid.Name); !ours || raid.Laid != nil || r.looked[string(name)+raid.Name] {
				continue
			}
			for _, l := range raid.Legs {
				if peer := n.peerOf(r.c, l.UUID); peer != "" && r.silent(peer) && !n.waitsFor(r.c, l.UUID) {
					list = append(list, suspect{n, raid, peer})
					break
				}
			}
		}
	}
	return list
}

// silent reports whether a node could not be read, or says nothing while it is.
func (r *reading) silent(name lineage.Node) bool {
	n, t := r.nodes[name], r.targets[name]
	if t != nil && n == nil {
		return time.Since(t.Heard()) >= patience
	}
	return t != nil && n.Unknown != ""
}

// peerOf returns the node on which a leg is that this node reaches over a link.
func (n *Node) peerOf(c lineage.Cluster, leg lineage.UUID) lineage.Node {
	remote := n.Remotes[leg]
	if remote == nil {
		return ""
	}
	if ctrl := n.Controllers[remote.Controller]; ctrl != nil {
		if link, ok := c.ParseLink(ctrl.NQN); ok {
			return link.From
		}
	}
	return ""
}

// waitsFor reports whether a leg is reached over a link that waits for its peer and has
// found it gone: what that holds up is known without a look at queues.
func (n *Node) waitsFor(c lineage.Cluster, leg lineage.UUID) bool {
	remote := n.Remotes[leg]
	if remote == nil {
		return false
	}
	ctrl := n.Controllers[remote.Controller]
	if ctrl == nil || ctrl.State == "enabled" {
		return false
	}
	link, ok := c.ParseLink(ctrl.NQN)
	return ok && link.Wait
}

// findStalls looks twice at the queue of every suspect. One in which I/O waits
// and none was done in between is stalled, and the node that its leg is on is
// not waited for.
func (r *reading) findStalls(ctx context.Context) {
	list := r.suspects()
	if len(list) == 0 {
		return
	}
	first := r.queues(ctx, list)
	select {
	case <-ctx.Done():
		return
	case <-time.After(between):
	}
	second := r.queues(ctx, list)
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, s := range list {
		a, b := first[i], second[i]
		if a == nil || b == nil {
			continue
		}
		r.looked[string(s.engine.Name)+s.raid.Name] = true
		if a.QueueDepth > 0 && b.QueueDepth > 0 && a.ReadOps == b.ReadOps && a.WriteOps == b.WriteOps {
			s.raid.Stalled = true
			if cancel := r.cancel[s.leg]; cancel != nil {
				cancel(errStalls)
			}
		}
	}
}

// queues asks each engine about its suspects in one round.
func (r *reading) queues(ctx context.Context, list []suspect) []*spdk.BdevStat {
	out := make([]*spdk.BdevStat, len(list))
	var wg sync.WaitGroup
	for _, engine := range engines(list) {
		wg.Go(func() {
			var reqs []*spdk.Req
			var at []int
			for i, s := range list {
				if s.engine.Name == engine {
					reqs = append(reqs, spdk.NewReq(spdk.IostatGet{Names: []string{s.raid.Name}}, new(spdk.Iostat)))
					at = append(at, i)
				}
			}
			r.targets[engine].Round(ctx, reqs...)
			for j, req := range reqs {
				if stat := req.Result.(*spdk.Iostat); req.Err == nil && len(stat.Bdevs) == 1 {
					out[at[j]] = &stat.Bdevs[0]
				}
			}
		})
	}
	wg.Wait()
	return out
}

func engines(list []suspect) []lineage.Node {
	var names []lineage.Node
	for _, s := range list {
		if !slices.Contains(names, s.engine.Name) {
			names = append(names, s.engine.Name)
		}
	}
	return names
}
