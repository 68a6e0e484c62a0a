package plan

import (
	"strings"

	"strata/lineage"
	"strata/schema"
)

// Op is one thing done to one node: an RPC with its effect on the Snapshot.
// The set is closed; Project, Words, the check and the executor each switch
// over it and refuse what they do not know.
//
// Lvols are named by alias where an RPC takes their name, and by UUID where
// they are legs. The UUID of an lvol that the plan creates is not known yet:
// a Token stands for it.
type Op interface {
	// On is the node that is called.
	On() lineage.Node
}

// At is embedded in every Op.
type At struct {
	Node lineage.Node
}

// On returns the node that is called.
func (a At) On() lineage.Node { return a.Node }

// Token stands for the UUID of an lvol that a step of the plan creates.
func Token(n lineage.Node, lvstore string, name lineage.LvolName) lineage.UUID {
	return lineage.UUID(tokenPrefix + string(n) + "/" + lvstore + "/" + string(name))
}

const tokenPrefix = "new:"

func IsToken(u lineage.UUID) bool { return strings.HasPrefix(string(u), tokenPrefix) }

// Label is what a reader calls a bdev that the plan knows by UUID: an lvol by
// node, lvstore and name, as it is called at that step.
type Label string

// Disks and pools.
type (
	// DiskAttach makes a disk a bdev (bdev_aio_create, bdev_uring_create,
	// bdev_malloc_create, bdev_nvme_attach_controller) and waits until what is
	// on it has been found (bdev_wait_for_examine).
	DiskAttach struct {
		At
		Bdev      string // NVMe: name of the controller
		Kind      schema.DiskKind
		Path      string
		Bytes     int64 // of a malloc disk
		BlockSize int64
	}
	// DiskDetach takes a disk that nothing stands on away as a bdev
	// (bdev_aio_delete, bdev_uring_delete, bdev_nvme_detach_controller), so that
	// it is looked into anew when it is attached again.
	DiskDetach struct {
		At
		Bdev string // NVMe: name of the controller
		Kind schema.DiskKind
		Path string
	}
	// ExpectBlank reads a disk and fails unless nothing stands on it.
	ExpectBlank struct {
		At
		Bdev string
	}
	// LvstoreCreate is bdev_lvol_create_lvstore: the disk's content is lost.
	LvstoreCreate struct {
		At
		Lvstore     string
		OnTarget    string // what the target calls it
		Bdev        string
		ClusterSize int64
	}
	// LvstoreRename is bdev_lvol_rename_lvstore. Plans go on calling it Lvstore.
	LvstoreRename struct {
		At
		Lvstore  string
		From, To string // on the target
	}
	// Remind makes an lvol that reminds of a pool of another node
	// (bdev_lvol_create, thin), and Forget deletes one (bdev_lvol_delete).
	Remind struct {
		At
		Lvstore string
		Member  lineage.Member
		Size    int64 // bytes: one cluster, of which none is allocated
	}
	Forget struct {
		At
		Lvstore string
		Member  lineage.Member
	}
)

// Lvols.
type (
	// LvolCreate is bdev_lvol_create, thin.
	LvolCreate struct {
		At
		Lvstore string
		Name    lineage.LvolName
		Size    int64 // bytes
	}
	// LvolResize is bdev_lvol_resize, always to a larger size.
	LvolResize struct {
		At
		Lvstore  string
		Name     lineage.LvolName
		From, To int64 // bytes
	}
	// LvolRename is bdev_lvol_rename.
	LvolRename struct {
		At
		Lvstore  string
		From, To lineage.LvolName
	}
	// LvolDelete is bdev_lvol_delete.
	LvolDelete struct {
		At
		Lvstore string
		Name    lineage.LvolName
	}
	// LvolSnapshot is bdev_lvol_snapshot: the lvol's clusters become a layer
	// below it.
	LvolSnapshot struct {
		At
		Lvstore string
		Lvol    lineage.LvolName
		Layer   lineage.LvolName
	}
	// LvolClone is bdev_lvol_clone: a writable lvol on top of a layer.
	LvolClone struct {
		At
		Lvstore string
		Layer   lineage.LvolName
		Name    lineage.LvolName
	}
	// LvolDecouple is bdev_lvol_decouple_parent: the parent's clusters are
	// copied into the lvol, which then stands on what the parent stood on.
	LvolDecouple struct {
		At
		Lvstore string
		Name    lineage.LvolName
		Bytes   int64
	}
	// LvolCloneBdev is bdev_lvol_clone_bdev: a writable lvol that reads what it
	// does not have itself through a bdev of a peer.
	LvolCloneBdev struct {
		At
		Lvstore string
		Bdev    lineage.UUID
		Name    lineage.LvolName
		Label   Label
	}
	// LvolSetParent is bdev_lvol_set_parent: the lvol stands on a local layer
	// of the same content instead.
	LvolSetParent struct {
		At
		Lvstore string
		Name    lineage.LvolName
		Layer   lineage.LvolName
	}
	// ShallowCopy is bdev_lvol_start_shallow_copy, on the source's node, and
	// bdev_lvol_check_shallow_copy until it is done: the clusters of one layer
	// are written to a bdev.
	ShallowCopy struct {
		At
		Dest    lineage.Node
		Lvstore string
		Layer   lineage.LvolName
		To      lineage.UUID
		Label   Label
		Bytes   int64
	}
	// WriteLimit is bdev_set_qos_limit: at most so many bytes a second are
	// written to a bdev and all others that are copied to on the node, each of
	// which has as much as any other.
	WriteLimit struct {
		At
		Bdev        lineage.UUID
		Label       Label
		BytesPerSec int64
	}
	// ExpectEmpty reads an lvol and fails unless nothing was ever written to it.
	ExpectEmpty struct {
		At
		Lvstore string
		Name    lineage.LvolName
	}
)

// Links and exports.
type (
	// InitiatorOptions is bdev_nvme_set_options, accepted only while the
	// target has no controller.
	InitiatorOptions struct {
		At
		TransportAckTimeout int
	}
	// TransportCreate is nvmf_create_transport for TCP.
	TransportCreate struct{ At }
	// SubsystemCreate is nvmf_create_subsystem.
	SubsystemCreate struct {
		At
		NQN           lineage.NQN
		Serial        string
		AnyHost       bool
		ANA           bool
		MaxNamespaces int
	}
	// SubsystemDelete is nvmf_delete_subsystem.
	SubsystemDelete struct {
		At
		NQN lineage.NQN
	}
	// HostAllow is nvmf_subsystem_add_host.
	HostAllow struct {
		At
		NQN, Host lineage.NQN
	}
	// HostRefuse is nvmf_subsystem_remove_host.
	HostRefuse struct {
		At
		NQN, Host lineage.NQN
	}
	// AnyHost is nvmf_subsystem_allow_any_host.
	AnyHost struct {
		At
		NQN   lineage.NQN
		Allow bool
	}
	// ListenerAdd is nvmf_subsystem_add_listener.
	ListenerAdd struct {
		At
		NQN     lineage.NQN
		Address string
		Port    string
	}
	// ListenerRemove is nvmf_subsystem_remove_listener: hosts lose the path.
	ListenerRemove struct {
		At
		NQN     lineage.NQN
		Address string
		Port    string
	}
	// NamespaceAdd is nvmf_subsystem_add_ns. Without UUID the namespace has
	// the bdev's.
	NamespaceAdd struct {
		At
		NQN   lineage.NQN
		NSID  int
		Bdev  string // RAID, or a leg by UUID
		UUID  lineage.UUID
		Label Label
	}
	// NamespaceRemove is nvmf_subsystem_remove_ns.
	NamespaceRemove struct {
		At
		NQN   lineage.NQN
		NSID  int
		Bdev  string // what it shows
		Label Label
	}
	// ControllerAttach is bdev_nvme_attach_controller over TCP.
	ControllerAttach struct {
		At
		Controller string
		NQN        lineage.NQN
		HostNQN    lineage.NQN
		Address    string
		Port       string
		Links      schema.Links
	}
	// ControllerDisable is bdev_nvme_disable_controller: outstanding I/O fails
	// and every leg on the peer is let go.
	ControllerDisable struct {
		At
		Controller string
	}
	// ControllerDetach is bdev_nvme_detach_controller.
	ControllerDetach struct {
		At
		Controller string
	}
	// ControllerWait reads until a controller that lost its peer is enabled
	// again; it tries every ReconnectDelaySec seconds.
	ControllerWait struct {
		At
		Controller        string
		ReconnectDelaySec int
	}
	// LegWait reads until a namespace of a peer is there as a bdev, of Size bytes
	// or more.
	LegWait struct {
		At
		Leg   lineage.UUID
		Size  int64
		Label Label
	}
	// LegGone reads until a namespace that a peer has taken away is no bdev any more.
	LegGone struct {
		At
		Leg   lineage.UUID
		Label Label
	}
	// Pause holds hosts' I/O: nvmf_subsystem_listener_set_ana_state
	// inaccessible, then nvmf_subsystem_set_ns_ana_group, which returns when
	// outstanding I/O is done.
	Pause struct {
		At
		NQN      lineage.NQN
		NSID     int
		ANAGroup int
		Address  string
		Port     string
		LimitMs  int // the section is given up when draining takes longer
	}
	// Drain is nvmf_subsystem_set_ns_ana_group with the namespace's own group: it
	// is answered when the namespace's I/O is done, and with it whatever was
	// begun on the export before.
	Drain struct {
		At
		NQN      lineage.NQN
		NSID     int
		ANAGroup int
	}
	// Resume is nvmf_subsystem_listener_set_ana_state optimized.
	Resume struct {
		At
		NQN     lineage.NQN
		Address string
		Port    string
	}
)

// Mirrors and kernel devices.
type (
	// RaidCreate is bdev_raid_create, raid1 without superblock.
	RaidCreate struct {
		At
		Raid   string
		UUID   lineage.UUID
		Legs   []lineage.UUID
		Labels []Label
	}
	// RaidDelete is bdev_raid_delete.
	RaidDelete struct {
		At
		Raid string
	}
	// ExpectLegs reads a RAID that nobody writes to any more, and fails unless it
	// has all these legs. A leg that was lost never comes back to a running RAID,
	// so those it has then were written with the others until the last write.
	ExpectLegs struct {
		At
		Raid string
		Legs []lineage.UUID
	}
	// RaidGrow is bdev_raid_grow_base_bdev, of the Longhorn fork: a RAID in use
	// gets a leg, and nothing is copied.
	RaidGrow struct {
		At
		Raid  string
		Leg   lineage.UUID
		Label Label
	}
	// RaidRemoveLeg is bdev_raid_remove_base_bdev.
	RaidRemoveLeg struct {
		At
		Raid  string
		Leg   lineage.UUID
		Label Label
	}
	// UblkTarget is ublk_create_target; one that is there already is fine.
	UblkTarget struct{ At }
	// UblkStart is ublk_start_disk.
	UblkStart struct {
		At
		ID    int
		Bdev  string
		Label Label
	}
	// UblkStop is ublk_stop_disk.
	UblkStop struct {
		At
		ID int
	}
	// NBDStart is nbd_start_disk.
	NBDStart struct {
		At
		Path  string
		Bdev  string
		Label Label
	}
	// NBDStop is nbd_stop_disk.
	NBDStop struct {
		At
		Path string
	}
)
