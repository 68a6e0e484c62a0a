package check

import (
	"cmp"
	"fmt"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// owned refuses an op on anything that does not carry the cluster's names or
// lies outside its pools, changes to an lvol that something else uses, and the
// deletion of what is still shown.
func (c *Checker) owned(op plan.Op) error {
	node := c.cfg.Node(op.On())
	if node == nil && !plan.InArchive(op) {
		return fmt.Errorf("%s is not a node of the cluster", op.On())
	}
	switch op := op.(type) {
	case plan.DiskAttach, plan.InitiatorOptions, plan.TransportCreate, plan.UblkTarget, plan.LegWait, plan.LegGone, plan.ControllerWait:
		return nil
	case plan.DiskDetach, plan.ExpectBlank, plan.LvstoreCreate, plan.LvstoreRename, plan.Remind, plan.Forget, plan.TrialDelete:
		return c.store(node, op)
	case plan.LvolCreate:
		if s, is := lineage.ParseScrubbed(op.Name); is && s != (lineage.Scrubbed{Volume: s.Volume}) {
			return fmt.Errorf("%s says of layers that they were compared, and none was", op.Name)
		}
		return ours(node, op.Lvstore, op.Name)
	case plan.LvolResize:
		if op.To <= op.From {
			return fmt.Errorf("from %d to %d bytes is no growth", op.From, op.To)
		}
		return c.changed(node, op.Lvstore, op.Name)
	case plan.LvolRename:
		if err := ours(node, op.Lvstore, op.To); err != nil {
			return err
		}
		from, _ := lineage.Parse(op.From)
		to, _ := lineage.Parse(op.To)
		if from == nil {
			return c.adopted(op)
		}
		if from.Of() != to.Of() {
			return fmt.Errorf("%s and %s are not of one volume", op.From, op.To)
		}
		for _, refuses := range []func(plan.LvolRename) error{c.renotes, c.whole, c.takeover, c.revive, c.authority, c.sameKey} {
			if err := refuses(op); err != nil {
				return err
			}
		}
		return c.changed(node, op.Lvstore, op.From)
	case plan.LvolDelete:
		if err := c.changed(node, op.Lvstore, op.Name); err != nil {
			return err
		}
		if err := c.notBackedUp(op); err != nil {
			return err
		}
		if err := c.notOrphaned(op); err != nil {
			return err
		}
		return c.lvolUnused(op)
	case plan.LvolSnapshot:
		if err := ours(node, op.Lvstore, op.Layer); err != nil {
			return err
		}
		if err := c.snapshotted(op); err != nil {
			return err
		}
		if err := c.alike(op); err != nil {
			return err
		}
		return c.changed(node, op.Lvstore, op.Lvol)
	case plan.LvolClone:
		if err := ours(node, op.Lvstore, op.Layer); err != nil {
			return err
		}
		if err := c.unserved(op); err != nil {
			return err
		}
		return ours(node, op.Lvstore, op.Name)
	case plan.LvolCloneBdev:
		if err := c.clonesImage(op); err != nil {
			return err
		}
		return ours(node, op.Lvstore, op.Name)
	case plan.LvolSetParent:
		if err := c.stands(op); err != nil {
			return err
		}
		return c.changed(node, op.Lvstore, op.Name)
	case plan.ShallowCopy:
		if _, staging := c.lvol(op.To).(lineage.Staging); !staging {
			return fmt.Errorf("%s is no stack that is being copied: a copy would overwrite it", op.Label)
		}
		if err := c.blocks(op); err != nil {
			return err
		}
		return ours(node, op.Lvstore, op.Layer)
	case plan.Backup:
		return cmp.Or(c.proven(op.Node, op.Proven), c.backup(node, op))
	case plan.Fill:
		return cmp.Or(c.proven(op.Node, op.Proven), c.fill(node, op))
	case plan.ImageAttach:
		return cmp.Or(c.proven(op.Node, op.Proven), c.lends(op))
	case plan.ImageDetach:
		return c.unread(op.Node, c.cfg.Cluster.ImageController(op.Volume), op.Volume)
	case plan.RecordForget:
		return c.forget(op)
	case plan.ArchivePrune:
		return c.archive(op.Archive)
	case plan.Scrub:
		return cmp.Or(c.proven(op.Node, op.Proven), c.scrub(node, op))
	case plan.Compare:
		return c.compares(node, op)
	case plan.WriteLimit:
		if c.lvol(op.Bdev) == nil {
			return fmt.Errorf("%s is not the cluster's", op.Label)
		}
		return nil
	case plan.LvolDecouple:
		if _, strange := c.adopting(op.Node, op.Lvstore, op.Name); strange == nil {
			return nil
		}
		return ours(node, op.Lvstore, op.Name)
	case plan.ExpectEmpty:
		return ours(node, op.Lvstore, op.Name)
	case plan.SubsystemCreate:
		if err := c.nqn(op.NQN); err != nil {
			return err
		}
		return c.numbered(op)
	case plan.SubsystemDelete:
		if b, ok := c.cfg.Cluster.ParseRestore(op.NQN); ok {
			return c.backupOver(op.Node, b)
		}
		return c.nqn(op.NQN)
	case plan.HostAllow:
		if err := c.letIn(op); err != nil {
			return err
		}
		return c.keyed(op.Node, op.NQN, op.Host, op.Keys)
	case plan.HostExchange:
		return c.keyed(op.Node, op.NQN, op.Host, op.Keys)
	case plan.HostKeysSet:
		return c.rekeyed(op)
	case plan.DiscoveryListen:
		return cmp.Or(c.known(op.Node, op.Portal()), c.openly(op.Node, op.Portal()))
	case plan.Refer:
		return c.known(op.To, op.Portal())
	case plan.KeySend:
		return c.sends(op)
	case plan.LinkKeysMake:
		return c.makes(op)
	case plan.KeyErase:
		return c.erases(op)
	case plan.KeyAdd:
		return c.key(op.Node, op.Name, op.Path)
	case plan.KeyRemove:
		return c.keyUnused(op)
	case plan.HostRefuse:
		return c.nqn(op.NQN)
	case plan.Fence:
		return c.fence(op)
	case plan.AnyHost:
		return c.nqn(op.NQN)
	case plan.ListenerAdd:
		return cmp.Or(c.nqn(op.NQN), c.hears(op))
	case plan.ListenerRemove:
		return c.nqn(op.NQN)
	case plan.ExpectPaths:
		return c.nqn(op.NQN)
	case plan.ExpectUnused:
		return c.nqn(op.NQN)
	case plan.Trim:
		return cmp.Or(c.proven(op.Node, op.Proven), c.trims(op))
	case plan.NamespaceAdd:
		if err := c.shows(op); err != nil {
			return err
		}
		if err := c.wholly(op); err != nil {
			return err
		}
		if err := c.decrypted(op.Node, op.NQN, op.Bdev); err != nil {
			return err
		}
		return c.nqn(op.NQN)
	case plan.NamespaceRemove:
		return c.nqn(op.NQN)
	case plan.Drain:
		return c.nqn(op.NQN)
	case plan.Pause:
		if err := c.wherever(op); err != nil {
			return err
		}
		return c.nqn(op.NQN)
	case plan.Resume:
		return c.nqn(op.NQN)
	case plan.ControllerAttach:
		return c.attaches(op)
	case plan.ControllerKeysSet:
		return c.retells(op)
	case plan.AlternateAdd:
		return c.alternate(op)
	case plan.AlternateRemove:
		return c.alternateGoes(op)
	case plan.ControllerDisable:
		return c.goes(op.Node, op.Controller)
	case plan.ControllerDetach:
		return c.goes(op.Node, op.Controller)
	case plan.HostLimit:
		if _, cipher := c.cfg.Cluster.ParseCipher(op.Bdev); c.lvol(lineage.UUID(op.Bdev)) == nil && !cipher {
			return c.raid(op.Bdev)
		}
		return nil
	case plan.RaidCreate:
		if err := c.oneKey(op); err != nil {
			return err
		}
		return c.raid(op.Raid)
	case plan.KeyedCreate, plan.MirrorApart, plan.LegFill:
		return c.rekeys(op)
	case plan.LayOut:
		if err := c.raid(op.Raid); err != nil {
			return err
		}
		return c.laid(op)
	case plan.RaidDelete:
		if err := c.raid(op.Raid); err != nil {
			return err
		}
		return c.raidUnused(op)
	case plan.ExpectLegs:
		return c.raid(op.Raid)
	case plan.RaidGrow:
		return c.raid(op.Raid)
	case plan.RaidRemoveLeg:
		return c.raid(op.Raid)
	case plan.UblkStart, plan.UblkStop, plan.NBDStart, plan.NBDStop:
		return c.kernel(op)
	case plan.KeyCheck, plan.KeyExpect, plan.CipherCreate, plan.CipherDelete, plan.KeyForget:
		return c.encrypts(op)
	case plan.ExpectAddress:
		return c.address(op.NQN, op.Address, op.Program, false)
	case plan.AddressMove:
		return c.address(op.NQN, op.Address, op.Program, true)
	case plan.NodeOff:
		return c.off(node, op)
	}
	return unknown(op)
}

// blocks refuses a copy between pools with blocks of different sizes: a target takes the
// addresses of one for those of the other, and says nothing.
func (c *Checker) blocks(op plan.ShallowCopy) error {
	from := c.w.Nodes[op.Node].BlockSize(op.Lvstore)
	for _, n := range c.w.Nodes {
		l := n.LvolByUUID(op.To)
		if l == nil {
			continue
		}
		if to := n.BlockSize(l.Lvstore); from != 0 && to != 0 && from != to {
			return fmt.Errorf("%s on %s has blocks of %d bytes, and %s on %s of %d: what is copied would be written elsewhere", op.Lvstore, op.Node, from, l.Lvstore, n.Name, to)
		}
	}
	return nil
}

// unknown is the error of an op of which nobody has said what is to be checked.
func unknown(op plan.Op) error { return fmt.Errorf("%T is not known to the check", op) }

// numbered refuses a subsystem that would give controllers of hosts the numbers that
// one on another node gives them, which has the same name.
func (c *Checker) numbered(op plan.SubsystemCreate) error {
	for name, n := range c.w.Nodes {
		if sub := n.Subsystems[op.NQN]; sub != nil && name != op.Node && sub.IDs.Overlap(op.IDs) {
			return fmt.Errorf("%s gives hosts' controllers the numbers %v on %s, and here it would %v", op.NQN, sub.IDs, name, op.IDs)
		}
	}
	return nil
}

// changed refuses to change an lvol that is not strata's, or that something uses
// which is not the cluster's.
func (c *Checker) changed(n *schema.Node, lvstore string, name lineage.LvolName) error {
	if err := ours(n, lvstore, name); err != nil {
		return err
	}
	at := c.w.Nodes[n.Name]
	if at == nil {
		return nil
	}
	if l := at.Lvols[lvstore+"/"+string(name)]; l != nil {
		if by := c.w.ForeignUse(at.Name, l.UUID); by != "" {
			return fmt.Errorf("%s on %s is used by %s, which is not the cluster's", name, at.Name, by)
		}
	}
	return nil
}

// lvol finds the name of an lvol in the cluster's pools by its UUID; nil for none,
// and for one that is in doubt.
func (c *Checker) lvol(u lineage.UUID) lineage.Name {
	for _, n := range c.cfg.Nodes {
		at := c.w.Nodes[n.Name]
		if at == nil {
			continue
		}
		if l := at.LvolByUUID(u); l != nil && l.Parsed != nil && inPool(n, l.Lvstore) == nil {
			return l.Parsed
		}
	}
	return nil
}

func inPool(n *schema.Node, lvstore string) error {
	for _, p := range n.Pools {
		if p.Lvstore == lvstore {
			return nil
		}
	}
	return fmt.Errorf("lvstore %s is no pool of %s", lvstore, n.Name)
}

func ours(n *schema.Node, lvstore string, name lineage.LvolName) error {
	if _, ok := lineage.Parse(name); !ok {
		return fmt.Errorf("lvol %s/%s is not strata's", lvstore, name)
	}
	return inPool(n, lvstore)
}

func (c *Checker) nqn(n lineage.NQN) error {
	_, link := c.cfg.Cluster.ParseLink(n)
	_, export := c.cfg.Cluster.ParseExport(n)
	if !link && !export {
		return fmt.Errorf("subsystem %s is not the cluster's", n)
	}
	return nil
}

func (c *Checker) raid(name string) error {
	if _, ok := c.cfg.Cluster.ParseRaid(name); !ok {
		return fmt.Errorf("RAID %s is not the cluster's", name)
	}
	return nil
}

// goes refuses to let go of a controller that is not the cluster's, or whose legs are
// not written off (letGo).
func (c *Checker) goes(n lineage.Node, name string) error {
	ctrl := c.w.Nodes[n].Controllers[name]
	if ctrl == nil {
		return fmt.Errorf("controller %s is not there", name)
	}
	if b, ok := c.cfg.Cluster.ParseBackup(ctrl.NQN); ok {
		return c.backupOver(n, b)
	}
	if err := c.nqn(ctrl.NQN); err != nil {
		return err
	}
	return c.letGo(n, name)
}

// kernel refuses to start a device that shows somebody else's bdev, and to
// stop one that does.
func (c *Checker) kernel(op plan.Op) error {
	var bdev string
	switch op := op.(type) {
	case plan.UblkStart:
		bdev = op.Bdev
		if err := c.decrypted(op.Node, "", bdev); err != nil {
			return err
		}
	case plan.UblkStop:
		bdev = c.w.Nodes[op.Node].Ublk[op.ID]
	case plan.NBDStart:
		bdev = op.Bdev
		if err := c.decrypted(op.Node, "", bdev); err != nil {
			return err
		}
	case plan.NBDStop:
		bdev = c.w.Nodes[op.Node].NBD[op.Path]
	default:
		return unknown(op)
	}
	if _, cipher := c.cfg.Cluster.ParseCipher(bdev); cipher || c.raid(bdev) == nil {
		return nil
	}
	leg := c.w.Nodes[op.On()].Backing(bdev)
	for _, n := range c.cfg.Nodes {
		at := c.w.Nodes[n.Name]
		if at == nil || leg == "" {
			continue
		}
		if l := at.LvolByUUID(leg); l != nil {
			return ours(n, l.Lvstore, l.Name)
		}
	}
	return fmt.Errorf("bdev %q is not the cluster's", bdev)
}
