package recipe

import (
	"flag"
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

var patient = flag.Duration("patient", 0, "how long to make random histories over links that wait")

// TestPatientHistories is TestRandomHistories over links that wait, of volumes that fail
// over: engines hang, are cut off and come back with what they had queued. It is long until one
// of them comes to what is rare, so it is made only for who asks for it.
func TestPatientHistories(t *testing.T) {
	if *replay != 0 {
		newPatientHistory(*replay).told(t, *replay, nil)
		return
	}
	if *patient == 0 {
		t.Skip("-patient says for how long")
	}
	many(t, *patient, newPatientHistory)
}

func newPatientHistory(seed int64) *history {
	h := &history{Rand: rand.New(rand.NewSource(seed)), word: map[lineage.Volume]lineage.Node{}, kinds: 12, patient: true}
	h.alone = h.Intn(5) > 0
	h.cfg = h.config()
	h.c = newCluster(h.Rand, h.cfg, false)
	h.foreigners()
	return h
}

// made brings everything to what is configured, before anything happens.
func (h *history) made() error {
	for range 50 {
		h.opt = plan.Options{Nonce: []byte(fmt.Sprint(h.Int63()))}
		p, snap, err := h.plan()
		if err != nil || len(p.Passes) == 0 {
			return err
		}
		if err := h.carryOut(p, snap, -1, false); err != nil {
			return err
		}
	}
	return nil
}

// mirrored adds volumes that may fail over.
func (h *history) mirrored() {
	for i := range 1 + h.Intn(2) {
		v := &schema.Volume{Name: fmt.Sprintf("v%d", i), Size: int64(1+h.Intn(2)) << 20}
		v.Export = schema.Export{Kind: schema.ExportNVMf, AnyHost: true, Standby: h.Intn(2)}
		nodes := h.Perm(len(h.cfg.Nodes))
		v.Replicas.Count = 2 + h.Intn(len(nodes)-1)
		if v.Replicas.Count < len(nodes) && h.Intn(2) == 0 { // its engine has no replica
			for _, n := range nodes[1:][:v.Replicas.Count] {
				v.Replicas.On = append(v.Replicas.On, h.cfg.Nodes[n].Name)
			}
			slices.Sort(v.Replicas.On)
			v.Engine = h.cfg.Nodes[nodes[0]].Name
		}
		h.failsOver(v)
		h.cfg.Volumes = append(h.cfg.Volumes, v)
	}
}

// failsOver makes a volume fail over by itself where that may be written.
func (h *history) failsOver(v *schema.Volume) {
	if v.Failover = false; !h.patient || v.Export.Kind != schema.ExportNVMf || h.Intn(4) == 0 {
		return
	}
	bare := v.Engine != "" && len(v.Replicas.On) > 0 && !slices.Contains(v.Replicas.On, v.Engine)
	fenced := !slices.ContainsFunc(h.cfg.Nodes, func(n *schema.Node) bool { return n.Fence == nil })
	v.Failover = bare || v.Replicas.Count >= 3 && fenced
}

// clocks draws for whom nobody waits any more, and what the operator vouches for.
func (h *history) clocks(snap *state.Snapshot) {
	c := h.c
	h.opt.Peers, h.opt.Silent, h.opt.Off, h.opt.Failover = map[lineage.Link]plan.Peer{}, map[lineage.Node]bool{}, nil, map[string]bool{}
	for _, w := range snap.Waits(h.cfg.Cluster) {
		h.opt.Peers[w.Link] = plan.PeerOver
		if h.Intn(3) == 0 && !h.rests {
			h.opt.Peers[w.Link] = plan.PeerWaits
		}
	}
	for n := range c.off {
		if h.opt.Off == nil {
			h.opt.Off = map[lineage.Node]string{}
		}
		h.opt.Off[n] = "its agent said so"
	}
	if h.Intn(10) == 0 {
		clear(c.off) // another run
	}
	for _, n := range h.cfg.Nodes {
		if at := snap.Nodes[n.Name]; at.Unknown != "" && h.Intn(4) == 0 && !h.rests {
			h.opt.Silent[n.Name] = true
		}
	}
	if h.opt.Auto != nil {
		return
	}
	for _, v := range h.cfg.Volumes {
		for _, id := range snap.Incarnations(v.Name) {
			if left, ok := snap.Survivors(h.cfg.Cluster, snap.Incarnation(h.cfg.Cluster, id)); ok && c.machines[left.Engine] != nil && c.machines[left.Engine].down && h.Intn(2) == 0 && h.current(left) {
				h.opt.Failover[v.Name] = true
				c.note("the operator vouches that %s is off, for %s", left.Engine, id)
			}
		}
	}
}

// current reports whether all that is left has everything.
func (h *history) current(left state.Survivors) bool {
	copies := h.c.copies(left.Name.Volume)
	return !slices.ContainsFunc(left.Legs, func(l state.Survivor) bool {
		return !slices.Contains(copies, string(l.Node)+"/"+l.Lvol.Alias())
	})
}

// calamity is what happens to engines.
func (h *history) calamity(m *machine) {
	c := h.c
	var engines []*machine
	for _, name := range slices.Sorted(maps.Keys(c.machines)) {
		if o := c.machines[name]; len(o.Raids) > 0 {
			engines = append(engines, o)
		}
	}
	if len(engines) > 0 && h.Intn(3) > 0 {
		m = engines[h.Intn(len(engines))]
	}
	c.disturbed = true
	switch h.Intn(8) {
	case 0, 1, 6: // it hangs, or is cut off from all
		m.hidden, m.apart = true, true
		c.cutOff(m)
		c.note("%s is cut off", m.Name)
	case 2:
		m.apart = !m.apart
		c.cutOff(m)
		c.note("%s does not reach its peers: %v", m.Name, m.apart)
	case 3, 4, 7:
		m.hidden, m.apart = false, false
		c.note("%s is heard of again", m.Name)
	case 5:
		for _, name := range slices.Sorted(maps.Keys(m.Raids)) {
			r := m.Raids[name]
			var up []lineage.UUID
			for _, l := range r.Legs {
				if l.Configured && c.reachable(m, l.UUID) {
					up = append(up, l.UUID)
				}
			}
			if len(up) < 2 {
				continue
			}
			u := up[h.Intn(len(up))]
			if m.LvolByUUID(u) != nil {
				continue // of its own it knows nothing once it is started again, unless names say so by then
			}
			for _, o := range c.machines {
				if o.LvolByUUID(u) != nil {
					c.failed[waiting{o.Name, u}] = true
					c.note("an I/O of %s fails on %s, and %s goes on without it", u, o.Name, name)
				}
			}
			r.Drop(u)
			delete(c.queued, waiting{m.Name, u})
			return
		}
	}
}

// cutOff breaks the connections of a machine that is apart.
func (c *cluster) cutOff(m *machine) {
	if !m.apart {
		return
	}
	for _, o := range c.machines {
		for _, ctrl := range o.Controllers {
			if l := c.link(ctrl); ctrl.State == "enabled" && (o == m || l.From == m.Name) {
				ctrl.State = "reconnect_is_delayed"
			}
		}
	}
}

// parted reports whether any machine is apart.
func (c *cluster) parted() bool {
	for _, m := range c.machines {
		if m.apart {
			return true
		}
	}
	return false
}

func (c *cluster) link(ctrl *state.Controller) lineage.Link {
	l, _ := c.cfg.Cluster.ParseLink(ctrl.NQN)
	return l
}

// waitsFor reports whether a leg is reached over a link that waits.
func (c *cluster) waitsFor(m *machine, u lineage.UUID) bool {
	r := m.Remotes[u]
	return r != nil && m.Controllers[r.Controller] != nil && c.link(m.Controllers[r.Controller]).Wait
}

// sendQueued writes what hosts had written meanwhile, and waited for.
func (c *cluster) sendQueued(m *machine, u lineage.UUID) {
	if w, ok := c.queued[waiting{m.Name, u}]; ok && c.used(m, u) {
		c.blobs[u].own[w.block] = w.value
		c.allocated(u)
	}
	delete(c.queued, waiting{m.Name, u})
}

// evidence is what the nodes that were read say of links in doubt.
func (c *cluster) evidence(nodes []*state.Node) {
	for _, n := range nodes {
		for nqn, sub := range n.Subsystems {
			link, ok := c.cfg.Cluster.ParseLink(nqn)
			if !ok || !link.Wait || link.From != n.Name || len(sub.Namespaces) == 0 {
				continue
			}
			own := *sub
			own.Evidence = &state.Evidence{}
			if to := c.machines[link.To]; to != nil && !to.down {
				if ctrl := to.Controllers[c.cfg.Cluster.Controller(link)]; ctrl != nil && ctrl.NQN == nqn && ctrl.State == "enabled" {
					own.Evidence.Connected = []lineage.NQN{c.cfg.Cluster.HostNQN(link.To)}
				}
			}
			for _, ns := range sub.Namespaces {
				if c.failed[waiting{n.Name, lineage.UUID(ns.Bdev)}] {
					own.Evidence.Failed = append(own.Evidence.Failed, ns.Bdev)
				}
			}
			slices.Sort(own.Evidence.Failed)
			n.Subsystems[nqn] = &own
		}
	}
}
