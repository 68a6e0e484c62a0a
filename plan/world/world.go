// Package world is a Snapshot that steps change: what each operation is expected
// to leave of what was read. Plans are made on it, and checked on it.
package world

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// world is a Snapshot that steps change. A node is copied when it is first
// changed, so the Snapshot it came from stays as it was.
type World struct {
	*state.Snapshot
	cluster lineage.Cluster
	owned   map[lineage.Node]bool
}

func New(c lineage.Cluster, s *state.Snapshot) *World {
	return &World{s.Clone(), c, map[lineage.Node]bool{}}
}

// edit returns a node that may be changed.
func (w *World) edit(name lineage.Node) *state.Node {
	if !w.owned[name] {
		w.Nodes[name] = w.Nodes[name].Clone()
		w.owned[name] = true
	}
	return w.Nodes[name]
}

// project applies the effect of op.
func (w *World) Project(op plan.Op) error {
	if n := w.Nodes[op.On()]; n == nil || n.Unknown != "" {
		return fmt.Errorf("%T on %s, which could not be read", op, op.On())
	}
	n := w.edit(op.On())
	switch op := op.(type) {
	case plan.DiskAttach:
		bdev := op.Bdev
		if op.Kind == schema.NVMe {
			n.Controllers[op.Bdev] = &state.Controller{Name: op.Bdev, Address: op.Path, State: "enabled"}
			bdev += "n1"
		}
		n.Disks[bdev] = &state.Disk{Bdev: bdev, Kind: string(op.Kind), Path: op.Path, Size: op.Bytes, BlockSize: op.BlockSize, Unread: op.Kind != schema.Malloc}
	case plan.DiskDetach, plan.ExpectBlank, plan.LvstoreCreate, plan.LvstoreRename, plan.Remind, plan.Forget:
		return projectStore(n, op)
	case plan.LvolCreate:
		if n.Lvols[op.Lvstore+"/"+string(op.Name)] != nil {
			return fmt.Errorf("%s/%s exists on %s", op.Lvstore, op.Name, n.Name)
		}
		n.AddLvol(&state.Lvol{Lvstore: op.Lvstore, Name: op.Name, UUID: plan.Token(op.Node, op.Lvstore, op.Name), Size: op.Size})
		if p, ok := lineage.Parse(op.Name); ok {
			w.Saw(p.Of(), op.Node)
		}
	case plan.LvolResize, plan.LvolRename, plan.LvolDelete, plan.ExpectEmpty:
		return w.projectLvol(n, op)
	case plan.LvolSnapshot, plan.LvolClone, plan.LvolDecouple, plan.LvolCloneBdev, plan.LvolSetParent, plan.ShallowCopy:
		return w.projectLayer(n, op)
	case plan.InitiatorOptions:
	case plan.TransportCreate:
		n.TCP = true
	case plan.SubsystemCreate:
		n.Subsystems[op.NQN] = &state.Subsystem{NQN: op.NQN, AnyHost: op.AnyHost, Namespaces: map[int]*state.Namespace{}}
		if v, ok := w.cluster.ParseExport(op.NQN); ok {
			w.Saw(v, op.Node)
		}
	case plan.SubsystemDelete:
		for nsid := range n.Subsystems[op.NQN].Namespaces {
			w.dropRemote(op.NQN, nsid)
		}
		delete(n.Subsystems, op.NQN)
	case plan.HostAllow, plan.HostRefuse, plan.AnyHost, plan.ListenerAdd, plan.ListenerRemove, plan.NamespaceAdd, plan.NamespaceRemove, plan.Drain, plan.Pause, plan.Resume:
		return w.projectSubsystem(n, op)
	case plan.ControllerAttach:
		w.attach(n, op)
	case plan.ControllerDisable:
		ctrl := n.Controllers[op.Controller]
		if ctrl == nil {
			return fmt.Errorf("no controller %s on %s", op.Controller, n.Name)
		}
		ctrl.State = "disabled"
		w.dropController(n, op.Controller)
	case plan.ControllerDetach:
		delete(n.Controllers, op.Controller)
		w.dropController(n, op.Controller)
	case plan.ControllerWait:
		n.Controllers[op.Controller].State = "enabled"
	case plan.LegWait:
		if r := n.Remotes[op.Leg]; r == nil || r.Size < op.Size {
			return fmt.Errorf("no link brings %s to %s, or less than %s of it", op.Leg, op.Node, plan.Size(op.Size))
		}
	case plan.LegGone:
		if n.Remotes[op.Leg] != nil {
			return fmt.Errorf("a link still brings %s to %s", op.Leg, op.Node)
		}
	case plan.RaidCreate, plan.RaidDelete, plan.RaidGrow, plan.RaidRemoveLeg, plan.ExpectLegs:
		return w.projectRaid(n, op)
	case plan.UblkTarget, plan.WriteLimit:
	case plan.UblkStart:
		n.Ublk[op.ID] = op.Bdev
		w.SawKernelDevice(op.Node)
	case plan.UblkStop:
		delete(n.Ublk, op.ID)
	case plan.NBDStart:
		n.NBD[op.Path] = op.Bdev
		w.SawKernelDevice(op.Node)
	case plan.NBDStop:
		delete(n.NBD, op.Path)
	default:
		return fmt.Errorf("no projection for %T", op)
	}
	return nil
}

func (w *World) projectLvol(n *state.Node, op plan.Op) error {
	switch op := op.(type) {
	case plan.LvolResize:
		l, err := FindLvol(n, op.Lvstore, op.Name)
		if err != nil {
			return err
		}
		l.Size = op.To
		for _, other := range w.Nodes {
			if other.Remotes[l.UUID] != nil {
				w.edit(other.Name).Remotes[l.UUID].Size = op.To
			}
		}
	case plan.LvolRename:
		l, err := FindLvol(n, op.Lvstore, op.From)
		if err != nil {
			return err
		}
		if n.Lvols[op.Lvstore+"/"+string(op.To)] != nil {
			return fmt.Errorf("%s/%s exists on %s", op.Lvstore, op.To, n.Name)
		}
		n.RenameLvol(l, op.To)
		w.sawLvol(op.To, op.Node)
	case plan.LvolDelete:
		l, err := FindLvol(n, op.Lvstore, op.Name)
		if err != nil {
			return err
		}
		n.RemoveLvol(l)
		for _, r := range n.Raids {
			r.Drop(l.UUID)
		}
		w.gone(n, string(l.UUID))
	case plan.ExpectEmpty:
		l, err := FindLvol(n, op.Lvstore, op.Name)
		if err != nil {
			return err
		}
		if !l.Empty() {
			return fmt.Errorf("%s on %s is not empty", l.Alias(), n.Name)
		}
	}
	return nil
}

func (w *World) projectRaid(n *state.Node, op plan.Op) error {
	switch op := op.(type) {
	case plan.RaidCreate:
		r := &state.Raid{Name: op.Raid, UUID: op.UUID, State: "online"}
		for _, leg := range op.Legs {
			if n.Backing(string(leg)) == "" {
				return fmt.Errorf("%s: leg %s is not there on %s", op.Raid, leg, n.Name)
			}
			r.Legs = append(r.Legs, state.Leg{Base: string(leg), UUID: leg, Configured: true})
		}
		n.Raids[op.Raid] = r
		if v, ok := w.cluster.ParseRaid(op.Raid); ok {
			w.Saw(v, n.Name)
		}
	case plan.RaidDelete:
		delete(n.Raids, op.Raid)
		w.gone(n, op.Raid)
	case plan.RaidGrow:
		r := n.Raids[op.Raid]
		if r == nil || r.State != "online" || n.Backing(string(op.Leg)) == "" {
			return fmt.Errorf("%s on %s cannot get leg %s: one of them is not there", op.Raid, n.Name, op.Leg)
		}
		r.Grow(op.Leg)
	case plan.RaidRemoveLeg:
		n.Raids[op.Raid].Drop(op.Leg)
		w.gone(n)
	case plan.ExpectLegs:
		for _, leg := range op.Legs {
			if !n.Raids[op.Raid].Has(leg) {
				return fmt.Errorf("%s on %s has no leg %s", op.Raid, n.Name, leg)
			}
		}
	}
	return nil
}

// attach makes the namespaces of a link visible on the node that attaches.
func (w *World) attach(n *state.Node, op plan.ControllerAttach) {
	n.Controllers[op.Controller] = &state.Controller{Name: op.Controller, NQN: op.NQN, Address: op.Address, Port: op.Port, State: "enabled"}
	link, ok := w.cluster.ParseLink(op.NQN)
	if !ok || w.Nodes[link.From] == nil {
		return
	}
	from := w.Nodes[link.From]
	if sub := from.Subsystems[op.NQN]; sub != nil {
		for _, ns := range sub.Namespaces {
			w.addRemote(from, sub, ns)
		}
	}
}

// addRemote shows a namespace of a link on the node attached to it.
func (w *World) addRemote(from *state.Node, sub *state.Subsystem, ns *state.Namespace) {
	to, ctrl := w.AttachedTo(sub.NQN)
	leg := from.Backing(ns.Bdev)
	if ctrl == nil || leg == "" {
		return
	}
	size := int64(0)
	if l := from.LvolByUUID(leg); l != nil {
		size = l.Size
	}
	w.edit(to.Name).AddRemote(&state.Remote{Bdev: ctrl.Name + "n" + strconv.Itoa(ns.NSID), UUID: leg, Controller: ctrl.Name, NSID: ns.NSID, Size: size})
}

// dropRemote takes away what an attached node saw under a namespace of a link.
func (w *World) dropRemote(nqn lineage.NQN, nsid int) {
	at, ctrl := w.AttachedTo(nqn)
	if ctrl == nil {
		return
	}
	for _, r := range at.Remotes {
		if r.Controller == ctrl.Name && r.NSID == nsid {
			to := w.edit(at.Name)
			w.removeRemote(to, to.Remotes[r.UUID])
			return
		}
	}
}

func (w *World) dropController(n *state.Node, name string) {
	for _, u := range slices.Sorted(maps.Keys(n.Remotes)) {
		if r := n.Remotes[u]; r != nil && r.Controller == name {
			w.removeRemote(n, r)
		}
	}
}

func (w *World) removeRemote(n *state.Node, r *state.Remote) {
	n.RemoveRemote(r)
	w.gone(n, string(r.UUID), r.Bdev)
	for _, alias := range slices.Sorted(maps.Keys(n.Lvols)) {
		l := n.Lvols[alias]
		if l.External != string(r.UUID) {
			continue // what reads through it has no bdev any more
		}
		l.Degraded, l.External, l.Size = true, "", 0
		for _, raid := range n.Raids {
			raid.Drop(l.UUID)
		}
		w.gone(n, string(l.UUID))
	}
}

// gone takes away what showed bdevs that are no more, and RAIDs without legs.
func (w *World) gone(n *state.Node, names ...string) {
	for name, r := range n.Raids {
		if !slices.ContainsFunc(r.Legs, func(l state.Leg) bool { return l.Configured }) {
			delete(n.Raids, name)
			names = append(names, name)
		}
	}
	for nqn, sub := range n.Subsystems {
		for nsid, ns := range sub.Namespaces {
			if slices.Contains(names, ns.Bdev) {
				delete(sub.Namespaces, nsid)
				w.dropRemote(nqn, nsid)
			}
		}
	}
	maps.DeleteFunc(n.Ublk, func(_ int, bdev string) bool { return slices.Contains(names, bdev) })
	maps.DeleteFunc(n.NBD, func(_ string, bdev string) bool { return slices.Contains(names, bdev) })
}
