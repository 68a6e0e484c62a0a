package plan

import (
	"fmt"

	"strata/lineage"
	"strata/schema"
)

// owned refuses an op on anything that does not carry the cluster's names or
// lies outside its pools.
func (c *checker) owned(op Op) error {
	node := c.cfg.Node(op.On())
	if node == nil {
		return fmt.Errorf("%s is not a node of the cluster", op.On())
	}
	switch op := op.(type) {
	case DiskAttach, InitiatorOptions, TransportCreate, UblkTarget, LegWait, LegGone, ControllerWait:
		return nil
	case DiskDetach, ExpectBlank, LvstoreCreate, LvstoreRename, Remind, Forget:
		return c.store(node, op)
	case LvolCreate:
		return ours(node, op.Lvstore, op.Name)
	case LvolResize:
		if op.To <= op.From {
			return fmt.Errorf("from %d to %d bytes is no growth", op.From, op.To)
		}
		return ours(node, op.Lvstore, op.Name)
	case LvolRename:
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
		return nil
	case LvolDelete:
		return ours(node, op.Lvstore, op.Name)
	case LvolSnapshot:
		if err := ours(node, op.Lvstore, op.Layer); err != nil {
			return err
		}
		return ours(node, op.Lvstore, op.Lvol)
	case LvolClone:
		if err := ours(node, op.Lvstore, op.Layer); err != nil {
			return err
		}
		return ours(node, op.Lvstore, op.Name)
	case LvolCloneBdev:
		return ours(node, op.Lvstore, op.Name)
	case LvolSetParent:
		return ours(node, op.Lvstore, op.Name)
	case ShallowCopy:
		if _, staging := c.lvol(op.To).(lineage.Staging); !staging {
			return fmt.Errorf("%s is no stack that is being copied: a copy would overwrite it", op.Label)
		}
		return ours(node, op.Lvstore, op.Layer)
	case WriteLimit:
		if c.lvol(op.Bdev) == nil {
			return fmt.Errorf("%s is not the cluster's", op.Label)
		}
		return nil
	case LvolDecouple:
		if _, strange := c.adopting(op.Node, op.Lvstore, op.Name); strange == nil {
			return nil
		}
		return ours(node, op.Lvstore, op.Name)
	case ExpectEmpty:
		return ours(node, op.Lvstore, op.Name)
	case SubsystemCreate:
		return c.nqn(op.NQN)
	case SubsystemDelete:
		return c.nqn(op.NQN)
	case HostAllow:
		return c.nqn(op.NQN)
	case HostRefuse:
		return c.nqn(op.NQN)
	case AnyHost:
		return c.nqn(op.NQN)
	case ListenerAdd:
		return c.nqn(op.NQN)
	case ListenerRemove:
		return c.nqn(op.NQN)
	case NamespaceAdd:
		return c.nqn(op.NQN)
	case NamespaceRemove:
		return c.nqn(op.NQN)
	case Drain:
		return c.nqn(op.NQN)
	case Pause:
		return c.nqn(op.NQN)
	case Resume:
		return c.nqn(op.NQN)
	case ControllerAttach:
		return c.nqn(op.NQN)
	case ControllerDisable:
		return c.controller(op.Node, op.Controller)
	case ControllerDetach:
		return c.controller(op.Node, op.Controller)
	case RaidCreate:
		return c.raid(op.Raid)
	case RaidDelete:
		return c.raid(op.Raid)
	case ExpectLegs:
		return c.raid(op.Raid)
	case RaidGrow:
		return c.raid(op.Raid)
	case RaidRemoveLeg:
		return c.raid(op.Raid)
	case UblkStart, UblkStop, NBDStart, NBDStop:
		return c.kernel(op)
	}
	return fmt.Errorf("%T is not known to the check", op)
}

// foreign refuses to change an lvol that something uses which is not the cluster's.
func (c *checker) foreign(op Op) error {
	var lvstore string
	var name lineage.LvolName
	switch op := op.(type) {
	case LvolResize:
		lvstore, name = op.Lvstore, op.Name
	case LvolRename:
		if _, ours := lineage.Parse(op.From); !ours {
			return nil // it is adopted, and holders are looked at there
		}
		lvstore, name = op.Lvstore, op.From
	case LvolDelete:
		lvstore, name = op.Lvstore, op.Name
	case LvolSnapshot:
		lvstore, name = op.Lvstore, op.Lvol
	case LvolSetParent:
		lvstore, name = op.Lvstore, op.Name
	default:
		return nil
	}
	n := c.w.Nodes[op.On()]
	if n == nil {
		return nil
	}
	if l := n.Lvols[lvstore+"/"+string(name)]; l != nil {
		if by := c.w.ForeignUse(n.Name, l.UUID); by != "" {
			return fmt.Errorf("%s on %s is used by %s, which is not the cluster's", name, n.Name, by)
		}
	}
	return nil
}

// lvol finds the name of an lvol in the cluster's pools by its UUID; nil for none,
// and for one that is in doubt.
func (c *checker) lvol(u lineage.UUID) lineage.Name {
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

func (c *checker) nqn(n lineage.NQN) error {
	_, link := c.cfg.Cluster.ParseLink(n)
	_, export := c.cfg.Cluster.ParseExport(n)
	if !link && !export {
		return fmt.Errorf("subsystem %s is not the cluster's", n)
	}
	return nil
}

func (c *checker) raid(name string) error {
	if _, ok := c.cfg.Cluster.ParseRaid(name); !ok {
		return fmt.Errorf("RAID %s is not the cluster's", name)
	}
	return nil
}

func (c *checker) controller(n lineage.Node, name string) error {
	if ctrl := c.w.Nodes[n].Controllers[name]; ctrl != nil {
		return c.nqn(ctrl.NQN)
	}
	return fmt.Errorf("controller %s is not there", name)
}

// kernel refuses to start a device that shows somebody else's bdev, and to
// stop one that does.
func (c *checker) kernel(op Op) error {
	bdev := ""
	switch op := op.(type) {
	case UblkStart:
		bdev = op.Bdev
	case UblkStop:
		bdev = c.w.Nodes[op.Node].Ublk[op.ID]
	case NBDStart:
		bdev = op.Bdev
	case NBDStop:
		bdev = c.w.Nodes[op.Node].NBD[op.Path]
	}
	if c.raid(bdev) == nil {
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
