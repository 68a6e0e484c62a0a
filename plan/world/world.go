// Package world is a Snapshot that steps change: what each operation is expected
// to leave of what was read. Plans are made on it, and checked on it.
package world

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// World is a Snapshot that steps change. A node is copied when it is first
// changed, so the Snapshot it came from stays as it was.
type World struct {
	*state.Snapshot
	cluster lineage.Cluster
	owned   map[lineage.Node]bool
	indexes map[lineage.Node]*index
	off     map[lineage.Node]bool // steps have switched them off
	trimmed map[lineage.Volume]bool
	// found is what Incarnation last found; nil when a step has been taken since.
	found *state.Incarnation
}

// New makes a World of what was read, fitted to the configuration (Fit).
func New(c lineage.Cluster, s *state.Snapshot) *World {
	return &World{Snapshot: s.Clone(), cluster: c, owned: map[lineage.Node]bool{}, indexes: map[lineage.Node]*index{}, off: map[lineage.Node]bool{}, trimmed: map[lineage.Volume]bool{}}
}

// SwitchedOff reports whether a step has switched a node off. What cannot be read of it
// cannot be read then either.
func (w *World) SwitchedOff(n lineage.Node) bool { return w.off[n] }

// Trimmed reports whether a step has trimmed a volume: what that frees nobody knows before.
func (w *World) Trimmed(v lineage.Volume) bool { return w.trimmed[v] }

// Incarnation is that of the Snapshot as the steps have left it. It is for reading.
func (w *World) Incarnation(v lineage.Volume) *state.Incarnation {
	if w.found == nil || w.found.Volume != v {
		w.found = w.Snapshot.Incarnation(w.cluster, v)
	}
	return w.found
}

// edit returns a node that may be changed.
func (w *World) edit(name lineage.Node) *state.Node {
	if !w.owned[name] {
		w.Nodes[name] = w.Nodes[name].Clone()
		w.owned[name] = true
		delete(w.indexes, name)
	}
	return w.Nodes[name]
}

// Project applies the effect of op. It says what of it cannot be.
func (w *World) Project(op plan.Op) error {
	n := w.Nodes[op.On()]
	switch off := isOff(op); {
	case plan.InArchive(op):
	case n == nil, n.Unknown != "" && !off:
		return fmt.Errorf("%T on %s, which could not be read", op, op.On())
	case n.Unknown == "" && off:
		return fmt.Errorf("%T on %s, which answers", op, op.On())
	default:
		w.found = nil
		n = w.edit(op.On())
	}
	switch op := op.(type) {
	case plan.DiskAttach:
		bdev := op.Bdev
		if op.Kind == schema.NVMe {
			n.Controllers[op.Bdev] = &state.Controller{Name: op.Bdev, Address: op.Path, State: "enabled"}
			bdev += "n1"
		}
		n.Disks[bdev] = &state.Disk{Bdev: bdev, Kind: string(op.Kind), Path: op.Path, Size: op.Bytes, BlockSize: op.BlockSize, Unread: op.Kind != schema.Malloc,
			Keeps: op.Kind == schema.Uring || op.Kind == schema.AIO && op.Keeps}
	case plan.DiskDetach, plan.ExpectBlank, plan.LvstoreCreate, plan.LvstoreRename, plan.Remind, plan.Forget, plan.TrialDelete:
		return w.projectStore(n, op)
	case plan.LvolCreate:
		if n.Lvols[op.Lvstore+"/"+string(op.Name)] != nil {
			return fmt.Errorf("%s/%s exists on %s", op.Lvstore, op.Name, n.Name)
		}
		w.addLvol(n, &state.Lvol{Lvstore: op.Lvstore, Name: op.Name, UUID: plan.Token(op.Node, op.Lvstore, op.Name), Size: op.Size})
		if p, ok := lineage.Parse(op.Name); ok {
			w.Saw(p.Of(), op.Node)
		}
	case plan.LvolResize, plan.LvolRename, plan.LvolDelete, plan.ExpectEmpty:
		return w.projectLvol(n, op)
	case plan.LvolSnapshot, plan.LvolClone, plan.LvolDecouple, plan.LvolCloneBdev, plan.LvolSetParent, plan.ShallowCopy:
		return w.projectLayer(n, op)
	case plan.InitiatorOptions:
	case plan.TransportCreate:
		n.TCP, n.RDMA = n.TCP || !op.RDMA, n.RDMA || op.RDMA
	case plan.SubsystemCreate:
		n.Subsystems[op.NQN] = &state.Subsystem{NQN: op.NQN, AnyHost: op.AnyHost, Namespaces: map[int]*state.Namespace{}, IDs: op.IDs}
		if v, ok := w.cluster.ParseExport(op.NQN); ok {
			w.Saw(v, op.Node)
		}
	case plan.SubsystemDelete:
		for _, nsid := range slices.Sorted(maps.Keys(n.Subsystems[op.NQN].Namespaces)) {
			w.removeNamespace(n, op.NQN, nsid)
		}
		delete(n.Subsystems, op.NQN)
	case plan.DiscoveryListen:
		n.Discovery.Listen(op.Portal())
	case plan.Refer:
		n.Discovery.Refer(op.Portal())
	case plan.KeyAdd:
		n.AddKey(op.Name, op.Path)
	case plan.KeyRemove:
		n.RemoveKey(op.Name)
	case plan.KeySend:
		n.AddKeyFile(op.Name)
	case plan.LinkKeysMake:
		return w.makeLinkKeys(n, op)
	case plan.KeyErase:
		n.RemoveKeyFile(op.Name)
	case plan.HostAllow, plan.HostExchange, plan.HostKeysSet, plan.HostRefuse, plan.Fence, plan.AnyHost, plan.ListenerAdd, plan.ListenerRemove, plan.NamespaceAdd, plan.NamespaceRemove, plan.Drain, plan.Pause, plan.Resume:
		return w.projectSubsystem(n, op)
	case plan.ControllerAttach:
		w.attach(n, op)
	case plan.ControllerKeysSet:
		if n.Controllers[op.Controller] == nil {
			return fmt.Errorf("no controller %s on %s", op.Controller, n.Name)
		}
	case plan.AlternateAdd:
		return addAlternate(n, op)
	case plan.AlternateRemove:
		return removeAlternate(n, op)
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
			return fmt.Errorf("no link brings %s to %s, or less than %s of it", op.Leg, op.Node, amount.Bytes(op.Size))
		}
	case plan.LegGone:
		if n.Remotes[op.Leg] != nil {
			return fmt.Errorf("a link still brings %s to %s", op.Leg, op.Node)
		}
	case plan.LayOut:
		return w.projectLayOut(n, op)
	case plan.KeyCheck, plan.KeyExpect, plan.CipherCreate, plan.CipherDelete, plan.KeyForget:
		return w.projectCipher(n, op)
	case plan.KeyedCreate, plan.MirrorApart, plan.LegFill:
		return w.projectRekey(n, op)
	case plan.RaidCreate, plan.RaidDelete, plan.RaidGrow, plan.RaidRemoveLeg, plan.ExpectLegs:
		return w.projectRaid(n, op)
	case plan.Backup:
		return projectBackup(n, op)
	case plan.Scrub:
		_, err := FindLvol(n, op.Lvstore, op.Layer)
		return err
	case plan.Compare:
		if _, err := FindLvol(n, op.Lvstore, op.Layer); err != nil {
			return err
		}
		return w.projectLvol(n, plan.LvolRename{At: op.At, Lvstore: op.Lvstore, From: op.From, To: op.To})
	case plan.Fill:
		return w.projectFill(n, op)
	case plan.ImageAttach:
		return w.projectImage(n, op)
	case plan.ImageDetach:
		ctrl := w.cluster.ImageController(op.Volume)
		delete(n.Controllers, ctrl)
		w.dropController(n, ctrl)
	case plan.Trim:
		w.trimmed[op.Volume] = true
	case plan.UblkTarget, plan.WriteLimit, plan.ExpectPaths, plan.ExpectUnused, plan.ExpectAddress, plan.AddressMove, plan.RecordForget, plan.ArchivePrune:
	case plan.HostLimit:
		n.SetLimits(op.Bdev, Limits(op.Limits))
	case plan.UblkStart:
		n.Ublk[op.ID] = op.Bdev
		w.index(n).show(state.Shown{Bdev: op.Bdev, Ublk: op.ID})
		w.SawKernelDevice(op.Node)
	case plan.UblkStop:
		w.endUblk(n, op.ID)
	case plan.NBDStart:
		n.NBD[op.Path] = op.Bdev
		w.index(n).show(state.Shown{Bdev: op.Bdev, Ublk: -1, NBD: op.Path})
		w.SawKernelDevice(op.Node)
	case plan.NBDStop:
		w.endNBD(n, op.Path)
	case plan.NodeOff:
		w.off[op.Node] = true
	default:
		return unknown(op)
	}
	return nil
}

// isOff reports whether an op is for nodes that do not answer.
func isOff(op plan.Op) bool {
	_, off := op.(plan.NodeOff)
	return off
}

// unknown is the error of an op of which nobody has said what it leaves.
func unknown(op plan.Op) error { return fmt.Errorf("no projection for %T", op) }

func (w *World) projectLvol(n *state.Node, op plan.Op) error {
	switch op := op.(type) {
	case plan.LvolResize:
		l, err := FindLvol(n, op.Lvstore, op.Name)
		if err != nil {
			return err
		}
		w.change(n, func() { l.Size = op.To }, l)
		for _, other := range w.Nodes {
			if other.Remotes[l.UUID] != nil {
				w.edit(other.Name).Remotes[l.UUID].Size = op.To
			}
		}
		w.stretch()
	case plan.LvolRename:
		l, err := FindLvol(n, op.Lvstore, op.From)
		if err != nil {
			return err
		}
		if n.Lvols[op.Lvstore+"/"+string(op.To)] != nil {
			return fmt.Errorf("%s/%s exists on %s", op.Lvstore, op.To, n.Name)
		}
		w.change(n, func() { n.RenameLvol(l, op.To) }, l)
		w.sawLvol(op.To, op.Node)
	case plan.LvolDelete:
		l, err := FindLvol(n, op.Lvstore, op.Name)
		if err != nil {
			return err
		}
		w.removeLvol(n, l)
		w.gone(n, append(w.dropLeg(n, l.UUID), string(l.UUID))...)
	case plan.ExpectEmpty:
		l, err := FindLvol(n, op.Lvstore, op.Name)
		if err != nil {
			return err
		}
		if !l.Empty() {
			return fmt.Errorf("%s on %s is not empty", l.Alias(), n.Name)
		}
	default:
		return unknown(op)
	}
	return nil
}

// attach makes the namespaces of a link visible on the node that attaches.
func (w *World) attach(n *state.Node, op plan.ControllerAttach) {
	n.Controllers[op.Controller] = &state.Controller{Name: op.Controller, NQN: op.NQN, Address: op.Address, Port: op.Port, RDMA: op.Links.RDMA, State: "enabled"}
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
	to = w.edit(to.Name)
	x := w.index(to)
	if old := to.Remotes[leg]; old != nil {
		delete(x.remotes[old.Controller], old.NSID)
	}
	to.AddRemote(&state.Remote{Bdev: ctrl.Name + "n" + strconv.Itoa(ns.NSID), UUID: leg, Controller: ctrl.Name, NSID: ns.NSID, Size: size})
	put(x.remotes, ctrl.Name, ns.NSID, leg)
}

// dropRemote takes away what an attached node saw under a namespace of a link.
func (w *World) dropRemote(nqn lineage.NQN, nsid int) {
	at, ctrl := w.AttachedTo(nqn)
	if ctrl == nil {
		return
	}
	if u, ok := w.index(at).remotes[ctrl.Name][nsid]; ok {
		to := w.edit(at.Name)
		w.removeRemote(to, to.Remotes[u])
	}
}

func (w *World) dropController(n *state.Node, name string) {
	for _, u := range w.Remotes(n.Name, name) {
		if r := n.Remotes[u]; r != nil && r.Controller == name {
			w.removeRemote(n, r)
		}
	}
}

// removeRemote takes a peer's namespace off the node, and with it what stood on it:
// legs, what showed it, and the bdevs of the lvols that read through it.
func (w *World) removeRemote(n *state.Node, r *state.Remote) {
	names := append(w.dropLeg(n, r.UUID), string(r.UUID), r.Bdev)
	delete(w.index(n).remotes[r.Controller], r.NSID)
	n.RemoveRemote(r)
	w.gone(n, names...)
	for _, l := range w.Readers(n.Name, r.UUID) {
		w.change(n, func() { l.Degraded, l.External, l.Size = true, "", 0 }, l)
		w.gone(n, append(w.dropLeg(n, l.UUID), string(l.UUID))...)
	}
}

// gone takes away what showed bdevs that are no more.
func (w *World) gone(n *state.Node, names ...string) {
	for _, name := range names {
		for _, cipher := range over(n, name) { // its name stays taken, and that is all
			delete(n.Ciphers, cipher)
			delete(n.Limits, cipher)
			w.gone(n, cipher)
		}
		for _, p := range w.Shows(n.Name, name) {
			switch {
			case p.NSID > 0:
				w.removeNamespace(n, p.NQN, p.NSID)
			case p.Ublk >= 0:
				w.endUblk(n, p.Ublk)
			default:
				w.endNBD(n, p.NBD)
			}
		}
	}
}

// removeNamespace takes a namespace off a subsystem, and off the node that is
// attached to it.
func (w *World) removeNamespace(n *state.Node, nqn lineage.NQN, nsid int) {
	if ns := n.Subsystems[nqn].Namespaces[nsid]; ns != nil {
		delete(w.index(n).shows[ns.Bdev], state.Shown{Bdev: ns.Bdev, NQN: nqn, NSID: nsid, Ublk: -1})
		delete(n.Subsystems[nqn].Namespaces, nsid)
	}
	w.dropRemote(nqn, nsid)
}

func (w *World) endUblk(n *state.Node, id int) {
	delete(w.index(n).shows[n.Ublk[id]], state.Shown{Bdev: n.Ublk[id], Ublk: id})
	delete(n.Ublk, id)
}

func (w *World) endNBD(n *state.Node, path string) {
	delete(w.index(n).shows[n.NBD[path]], state.Shown{Bdev: n.NBD[path], Ublk: -1, NBD: path})
	delete(n.NBD, path)
}

func (w *World) addLvol(n *state.Node, l *state.Lvol) {
	x := w.index(n) // as the node is before
	n.AddLvol(l)
	x.add(n, l)
}

// removeLvol takes an lvol off the node; what stands on it takes over what it has.
func (w *World) removeLvol(n *state.Node, l *state.Lvol) {
	var children []*state.Lvol
	for _, c := range l.Children {
		if child := n.Lvols[l.Lvstore+"/"+string(c)]; child != nil {
			children = append(children, child)
		}
	}
	w.index(n).drop(n, l)
	w.change(n, func() { n.RemoveLvol(l) }, children...)
}

// change changes lvols of a node.
func (w *World) change(n *state.Node, how func(), lvols ...*state.Lvol) {
	x := w.index(n)
	for _, l := range lvols {
		x.drop(n, l)
	}
	how()
	for _, l := range lvols {
		x.add(n, l)
	}
}
