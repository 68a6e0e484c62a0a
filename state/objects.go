package state

import (
	"slices"

	"strata/lineage"
	"strata/spdk"
)

// What listings of a target say of an object, as Snapshots have it.

// lvol joins what the two listings say of an lvol. One whose external snapshot
// is missing has no bdev.
func lvol(l *spdk.Lvol, b *spdk.Bdev) *Lvol {
	out := &Lvol{
		Lvstore: l.Lvs.Name, Name: lineage.LvolName(l.Name), UUID: lineage.UUID(l.UUID),
		Snapshot: l.Snapshot, Degraded: l.Degraded || b == nil,
	}
	if l.NumAllocatedClusters != nil {
		out.Allocated = int64(*l.NumAllocatedClusters)
	}
	if b == nil || b.Driver.Lvol == nil {
		return out
	}
	info := b.Driver.Lvol
	out.Claimed = b.Claimed && !l.Snapshot
	out.Size, out.Allocated = int64(b.Size()), int64(info.NumAllocatedClusters)
	out.Parent, out.External = lineage.LvolName(info.BaseSnapshot), info.ExternalSnapshotName
	if info.EsnapClone && out.External == "" {
		out.External = "unknown"
	}
	for _, c := range info.Clones {
		out.Children = append(out.Children, lineage.LvolName(c))
	}
	return out
}

func raid(r spdk.Raid) *Raid {
	out := &Raid{Name: r.Name, UUID: lineage.UUID(r.UUID), State: r.State}
	if r.Process != nil {
		out.Rebuilding = r.Process.Target
	}
	for _, b := range r.Bases {
		leg := Leg{Base: b.Name, Configured: b.Configured}
		if b.Configured {
			leg.UUID = lineage.UUID(b.UUID)
		}
		out.Legs = append(out.Legs, leg)
	}
	return out
}

// laid is how a RAID lays out what it has; nil for one that mirrors it.
func (a *answers) laid(r spdk.Raid) *Laid {
	if r.Level != spdk.Concat && r.Level != spdk.RAID0 {
		return nil
	}
	out := &Laid{Striped: r.Level == spdk.RAID0, StripKiB: r.StripKiB}
	for i := range a.bdevs {
		if a.bdevs[i].Name == r.Name {
			out.Size = int64(a.bdevs[i].Size())
		}
	}
	return out
}

func controller(c spdk.Controller) *Controller {
	out := &Controller{Name: c.Name}
	for _, p := range c.Paths {
		out.NQN, out.Address, out.Port, out.State = lineage.NQN(p.Trid.SubNQN), p.Trid.TrAddr, p.Trid.TrSvcID, p.State
		out.RDMA = p.Trid.TrType == spdk.RDMA
		out.Alternates = nil
		for _, a := range p.Alternates {
			out.Alternates = append(out.Alternates, lineage.Portal{Address: a.TrAddr, Port: a.TrSvcID, RDMA: a.TrType == spdk.RDMA})
		}
	}
	return out
}

func (a *answers) subsystem(s *spdk.Subsystem) *Subsystem {
	out := &Subsystem{NQN: lineage.NQN(s.NQN), AnyHost: s.AllowAnyHost, Namespaces: make(map[int]*Namespace, len(s.Namespaces)), IDs: lineage.IDsOf(int(s.MinCntlid), int(s.MaxCntlid))}
	for _, h := range s.Hosts {
		out.Hosts = append(out.Hosts, lineage.NQN(h.NQN))
		out.SetKeys(lineage.NQN(h.NQN), lineage.HostKeys{Key: h.Key, CtrlKey: h.CtrlKey})
	}
	slices.Sort(out.Hosts)
	for _, ns := range s.Namespaces {
		out.Namespaces[int(ns.NSID)] = &Namespace{
			NSID: int(ns.NSID), Bdev: ns.BdevName, UUID: lineage.UUID(ns.UUID), NGUID: ns.NGUID, ANAGroup: int(ns.ANAGroup),
		}
	}
	paused := map[lineage.Portal]bool{}
	for _, l := range a.listeners[out.NQN] {
		for _, g := range l.ANA {
			if g.State != spdk.Optimized {
				paused[portal(l.Address)] = true
			}
		}
	}
	for _, l := range s.ListenAddresses {
		out.Listeners = append(out.Listeners, Listener{Address: l.TrAddr, Port: l.TrSvcID, Paused: paused[portal(l)], RDMA: l.TrType == spdk.RDMA})
	}
	a.noteTLS(out)
	return out
}

func portal(a spdk.Address) lineage.Portal {
	return lineage.Portal{Address: a.TrAddr, Port: a.TrSvcID, RDMA: a.TrType == spdk.RDMA}
}
