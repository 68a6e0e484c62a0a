package plan

import (
	"fmt"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/schema"
)

// Words says what an op does, without its node.
func Words(op Op) string {
	switch op := op.(type) {
	case DiskAttach:
		if op.Kind == schema.Malloc {
			return fmt.Sprintf("make a disk of %s in memory as %s", amount.Bytes(op.Bytes), op.Bdev)
		}
		return fmt.Sprintf("attach disk %s (%s) as %s and read what it holds", op.Path, op.Kind, op.Bdev)
	case LvstoreCreate:
		return fmt.Sprintf("write lvstore %s on %s, clusters of %s", op.Lvstore, op.Bdev, amount.Bytes(op.ClusterSize))
	case DiskDetach:
		return fmt.Sprintf("detach disk %s, %s, on which nothing was found", op.Bdev, op.Path)
	case ExpectBlank:
		return fmt.Sprintf("make sure that nothing is on %s", op.Bdev)
	case LvstoreRename:
		return fmt.Sprintf("rename lvstore %s to %s", op.From, op.To)
	case Remind:
		return fmt.Sprintf("leave a reminder of pool %s of %s (lvstore %s…) in %s", op.Member.Pool, op.Member.Node, op.Member.Store, op.Lvstore)
	case Forget:
		return fmt.Sprintf("delete the reminder of pool %s of %s (lvstore %s…) in %s", op.Member.Pool, op.Member.Node, op.Member.Store, op.Lvstore)
	case LvolCreate:
		return fmt.Sprintf("create %s/%s, %s thin", op.Lvstore, op.Name, amount.Bytes(op.Size))
	case LvolResize:
		return fmt.Sprintf("grow %s/%s from %s to %s", op.Lvstore, op.Name, amount.Bytes(op.From), amount.Bytes(op.To))
	case LvolRename:
		return fmt.Sprintf("rename %s/%s to %s%s", op.Lvstore, op.From, op.To, meaning(op.To))
	case LvolDelete:
		return fmt.Sprintf("delete %s/%s", op.Lvstore, op.Name)
	case LvolSnapshot:
		return fmt.Sprintf("cut layer %s of %s/%s", op.Layer, op.Lvstore, op.Lvol)
	case LvolClone:
		return fmt.Sprintf("clone %s/%s as %s", op.Lvstore, op.Layer, op.Name)
	case LvolDecouple:
		return fmt.Sprintf("copy what %s/%s shares with its parent, at most %s", op.Lvstore, op.Name, amount.Bytes(op.Bytes))
	case LvolCloneBdev:
		return fmt.Sprintf("create %s/%s on top of %s", op.Lvstore, op.Name, op.Label)
	case LvolSetParent:
		return fmt.Sprintf("put %s/%s on its own node's %s", op.Lvstore, op.Name, op.Layer)
	case ShallowCopy:
		return fmt.Sprintf("copy %s of layer %s/%s to %s", amount.Bytes(op.Bytes), op.Lvstore, op.Layer, op.Label)
	case WriteLimit:
		if op.BytesPerSec == 0 {
			return fmt.Sprintf("lift the limit on %s", op.Label)
		}
		return fmt.Sprintf("write at most %s a second to %s and whatever else is copied to %s", amount.Bytes(op.BytesPerSec), op.Label, op.Node)
	case ExpectEmpty:
		return fmt.Sprintf("make sure that %s/%s is empty", op.Lvstore, op.Name)
	case InitiatorOptions:
		return fmt.Sprintf("set transport_ack_timeout %d for all its peers", op.TransportAckTimeout)
	case TransportCreate:
		return "create the NVMe/TCP transport"
	case SubsystemCreate:
		return fmt.Sprintf("create subsystem %s", op.NQN)
	case SubsystemDelete:
		return fmt.Sprintf("delete subsystem %s", op.NQN)
	case HostAllow:
		return fmt.Sprintf("let %s in to %s", op.Host, op.NQN)
	case HostRefuse:
		return fmt.Sprintf("shut %s out of %s", op.Host, op.NQN)
	case AnyHost:
		if op.Allow {
			return fmt.Sprintf("let every host in to %s", op.NQN)
		}
		return fmt.Sprintf("let only listed hosts in to %s", op.NQN)
	case ListenerAdd:
		return fmt.Sprintf("listen for %s on %s:%s", op.NQN, op.Address, op.Port)
	case ListenerRemove:
		return fmt.Sprintf("stop listening for %s on %s:%s", op.NQN, op.Address, op.Port)
	case NamespaceAdd:
		return fmt.Sprintf("show %s as namespace %d of %s", op.Label, op.NSID, op.NQN)
	case NamespaceRemove:
		return fmt.Sprintf("take namespace %d (%s) off %s", op.NSID, op.Label, op.NQN)
	case ControllerAttach:
		return fmt.Sprintf("attach %s at %s:%s as %s", op.NQN, op.Address, op.Port, op.Controller)
	case ControllerDisable:
		return fmt.Sprintf("disable controller %s; every leg on that peer is let go", op.Controller)
	case ControllerDetach:
		return fmt.Sprintf("detach controller %s", op.Controller)
	case ControllerWait:
		return fmt.Sprintf("wait until %s has reconnected", op.Controller)
	case LegWait:
		if op.Size > 0 {
			return fmt.Sprintf("wait until %s has %s there", op.Label, amount.Bytes(op.Size))
		}
		return fmt.Sprintf("wait until %s is there", op.Label)
	case LegGone:
		return fmt.Sprintf("wait until %s is not there any more", op.Label)
	case Drain:
		return fmt.Sprintf("wait until what was begun on %s is done", op.NQN)
	case Pause:
		return fmt.Sprintf("hold I/O on %s and drain it, at most %d ms", op.NQN, op.LimitMs)
	case Resume:
		return fmt.Sprintf("let I/O on %s go on", op.NQN)
	case RaidCreate:
		var legs []string
		for _, l := range op.Labels {
			legs = append(legs, string(l))
		}
		return fmt.Sprintf("mirror %s as %s", strings.Join(legs, " and "), op.Raid)
	case RaidDelete:
		return fmt.Sprintf("delete RAID %s", op.Raid)
	case ExpectLegs:
		return fmt.Sprintf("make sure that %s has lost none of its %d legs", op.Raid, len(op.Legs))
	case RaidGrow:
		return fmt.Sprintf("add leg %s to %s", op.Label, op.Raid)
	case RaidRemoveLeg:
		return fmt.Sprintf("take leg %s out of %s", op.Label, op.Raid)
	case UblkTarget:
		return "create the ublk target"
	case UblkStart:
		return fmt.Sprintf("show %s as /dev/ublkb%d", op.Label, op.ID)
	case UblkStop:
		return fmt.Sprintf("remove /dev/ublkb%d", op.ID)
	case NBDStart:
		return fmt.Sprintf("show %s as %s", op.Label, op.Path)
	case NBDStop:
		return fmt.Sprintf("remove %s", op.Path)
	}
	return fmt.Sprintf("unknown operation %T", op)
}

// meaning explains a head's new name.
func meaning(to lineage.LvolName) string {
	h, ok := lineage.ParseHead(to)
	if !ok {
		return ""
	}
	switch h.Mark {
	case lineage.Fenced:
		return ": stale"
	case lineage.Sealed:
		return ": sealed"
	case lineage.Primary:
		return fmt.Sprintf(": current, one of %d, local to the engine", h.Legs)
	default:
		return fmt.Sprintf(": current, one of %d", h.Legs)
	}
}
