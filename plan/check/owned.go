package check

import (
	"cmp"
	"fmt"

	"strata/lineage"
	"strata/plan"
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
	case plan.LvolCreate, plan.LvolResize, plan.LvolRename, plan.LvolDelete, plan.LvolSnapshot, plan.LvolClone, plan.LvolCloneBdev, plan.LvolSetParent, plan.ShallowCopy, plan.LvolDecouple, plan.ExpectEmpty:
		return c.onLvol(node, op)
	case plan.SubsystemCreate, plan.SubsystemDelete, plan.HostAllow, plan.HostExchange, plan.HostKeysSet, plan.HostRefuse, plan.AnyHost, plan.ListenerAdd, plan.ListenerRemove, plan.ExpectPaths, plan.ExpectUnused, plan.NamespaceAdd, plan.NamespaceRemove, plan.Drain, plan.Pause, plan.Resume:
		return c.onSubsystem(op)
	case plan.RaidCreate, plan.LayOut, plan.RaidDelete, plan.ExpectLegs, plan.RaidGrow, plan.RaidRemoveLeg:
		return c.onRaid(op)
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
	case plan.Fence:
		return c.fence(op)
	case plan.Trim:
		return cmp.Or(c.proven(op.Node, op.Proven), c.trims(op))
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
	case plan.KeyedCreate, plan.MirrorApart, plan.LegFill:
		return c.rekeys(op)
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

// unknown is the error of an op of which nobody has said what is to be checked.
func unknown(op plan.Op) error { return fmt.Errorf("%T is not known to the check", op) }

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
