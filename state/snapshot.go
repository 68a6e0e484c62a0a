// Package state owns the Snapshot: what every node said when it was asked, and
// the facts that follow from it (current legs, authority). It writes to no
// node, and what it could not read it calls unknown, never absent.
package state

import (
	"cmp"
	"reflect"

	"strata/lineage"
)

// Snapshot is what all nodes said, at about the same moment.
type Snapshot struct {
	Nodes map[lineage.Node]*Node
	// seen has, for every incarnation of a volume, the nodes on which anything
	// named after it was found, sorted; ids the incarnations of a volume.
	seen map[lineage.Volume][]lineage.Node
	ids  map[string][]lineage.Volume
	// kernel has the nodes that show devices to their own kernel, sorted.
	kernel []lineage.Node
	// apart has, by volume, the heads that are in no pool of the configuration,
	// or in one that is not known to be what it says.
	apart map[string][]Apart
	// foreign has, by node, the lvols that something uses which is not the cluster's.
	foreign map[lineage.Node]map[lineage.UUID]string
}

// Same reports whether both say the same of every node, but for who has locked it,
// who watches, and what it copies.
func (s *Snapshot) Same(t *Snapshot) bool {
	if len(s.Nodes) != len(t.Nodes) {
		return false
	}
	for name, n := range s.Nodes {
		m := t.Nodes[name]
		if m == nil {
			return false
		}
		a, b := *n, *m
		a.Lock, b.Lock, a.Seat, b.Seat = Lock{}, Lock{}, Lock{}, Lock{}
		a.Copying, b.Copying = nil, nil
		if !reflect.DeepEqual(&a, &b) {
			return false
		}
	}
	return true
}

// Node is what one target said. A node that could not be read whole has a
// reason in Unknown and nothing else.
type Node struct {
	Name        lineage.Node
	Unknown     string       // why the node could not be read; "" when it was
	SameAs      lineage.Node // the node whose target it has, too: then it is Unknown
	Version     string       // of SPDK
	Methods     map[string]struct{}
	Disks       map[string]*Disk         // by bdev name: whole devices, claimed or not
	Lvstores    map[string]*Lvstore      // by name
	Lvols       map[string]*Lvol         // by alias, <lvstore>/<lvol>
	Remotes     map[lineage.UUID]*Remote // by the lvol's UUID: namespaces of NVMe-oF peers
	Controllers map[string]*Controller   // by name
	Raids       map[string]*Raid         // by name
	Subsystems  map[lineage.NQN]*Subsystem
	Ublk        map[int]string    // bdev by ublk id
	NBD         map[string]string // bdev by device path
	OtherBdevs  []string          // neither of the above, sorted
	// Limits has those of bdevs that hosts may be shown, by name of a RAID or UUID of an
	// lvol, a peer's too; nothing of those that have none. nil for none.
	Limits map[string]Limits
	// Keyring has the files with keys of hosts, by their names there; never the keys. nil for
	// none.
	Keyring map[string]string
	// KeyFiles are the names of files with such keys that strata has put on the node's
	// machine, and KeyFilesUnread is why they could not be read; nil and "" for none.
	KeyFiles       map[string]bool
	KeyFilesUnread string
	// Ciphers are the bdevs that encrypt volumes, by name, and Keyed has the volumes of which
	// the target may have the key, with what its check is. nil for none.
	Ciphers map[string]Cipher
	Keyed   map[lineage.Volume]lineage.Check
	// TLSBuffer is the smaller one of the target's buffers for what comes and goes by TLS, in
	// bytes; 0 where it was not asked, for it has no keys of hosts.
	TLSBuffer int64
	TCP       bool // the NVMe/TCP transport exists
	RDMA      bool // that of RDMA does
	// Discovery is how hosts that look for volumes find the node.
	Discovery Discovery
	Lock      Lock
	Seat      Lock // of the watch that works
	// Copying has, by the destination's UUID, the marks (lineage.CopyMark) of copies
	// that the node was told to make and that may go on; as they were read, never
	// projected. nil for none.
	Copying map[lineage.UUID]lineage.UUID

	lvolByUUID   map[lineage.UUID]*Lvol
	remoteByBdev map[string]*Remote
	stacks       map[lineage.Volume][]*Lvol
}

// Lock says who may change the node at present, or has the seat.
type Lock struct {
	Holder lineage.UUID       // "" when nobody holds it
	Notes  []lineage.LockNote // what is written beside it, of former holders too
}

// Note is what the holder of the lock says of itself; only Holder is set when
// that is nothing.
func (l Lock) Note() lineage.LockNote {
	note := lineage.LockNote{Holder: l.Holder}
	for _, n := range l.Notes {
		if n.Holder == l.Holder && n.Seen > note.Seen {
			note = n
		}
	}
	return note
}

// Disk is a device as a bdev.
type Disk struct {
	Bdev      string
	Kind      string // aio, uring, malloc or nvme
	Path      string // file or device; PCI address for nvme
	Size      int64  // bytes; 0 when only projected
	BlockSize int64
	Claimed   bool // something stands on it
	Keeps     bool // nothing is discarded there: what was in a cluster that is freed stays in it
	// Unread is set in a projection only: the disk is not attached yet, so
	// what it holds is not known.
	Unread bool
}

// Lvstore is a pool of clusters on a disk.
type Lvstore struct {
	// Name is what plans call it: the name of its pool's, see Within, else what
	// it is called on the target.
	Name string
	// OnTarget is what RPCs call it; "" where that is Name.
	OnTarget      string
	UUID          lineage.UUID
	Base          string // bdev
	ClusterSize   int64  // bytes
	TotalClusters int64  // 0 when only projected
	FreeClusters  int64
	// Doubt says why nothing may rest on what is in it, which is Apart: it is in
	// no pool, or need not be the lvstore it seems to be; "" when it may. Within
	// sets it.
	Doubt string
	Way   string // what to do about that; "" when that goes without saying
}

// Called is the lvstore's name on the target.
func (s *Lvstore) Called() string { return cmp.Or(s.OnTarget, s.Name) }

// Lvol is a logical volume: a head, a layer, staging, or somebody else's.
type Lvol struct {
	Lvstore   string
	Name      lineage.LvolName
	UUID      lineage.UUID // a plan's token, see plan.Token, for one that does not exist yet
	Size      int64        // bytes; 0 when degraded, for then no listing tells
	Allocated int64        // clusters of its own
	Snapshot  bool
	Parent    lineage.LvolName   // in the same lvstore; "" for none
	Children  []lineage.LvolName // of a snapshot
	External  string             // bdev an external-snapshot clone reads through
	Degraded  bool               // its external snapshot is not attached
	Claimed   bool               // something has it to itself; as it was read, never projected
	Parsed    lineage.Name       // nil when the name is not in our grammar
}

// Alias is the name under which RPCs find the lvol.
func (l *Lvol) Alias() string { return l.Lvstore + "/" + string(l.Name) }

// Below returns what the lvol stands on, youngest first.
func (n *Node) Below(l *Lvol) []*Lvol {
	var chain []*Lvol
	for p := l.Parent; p != ""; {
		below := n.Lvols[l.Lvstore+"/"+string(p)]
		if below == nil || len(chain) > len(n.Lvols) {
			break
		}
		chain = append(chain, below)
		p = below.Parent
	}
	return chain
}

// Orphaned reports whether l reads through a bdev that is going, and goes no
// further because l holds it: deleting such an lvol ends the target.
func (n *Node) Orphaned(l *Lvol) bool {
	source := lineage.UUID(l.External)
	r := n.Remotes[source]
	return l.External != "" && !l.Degraded && (r == nil || r.Absent) && n.lvolByUUID[source] == nil
}

// MayBeOrphaned reports whether l reads through a bdev that may go at any moment, for its
// controller is not connected: by the time that l is deleted it may be orphaned.
func (n *Node) MayBeOrphaned(l *Lvol) bool {
	source := lineage.UUID(l.External)
	r := n.Remotes[source]
	if l.External == "" || l.Degraded || r == nil || n.lvolByUUID[source] != nil {
		return false
	}
	c := n.Controllers[r.Controller]
	return c == nil || c.State != "enabled"
}

// Complete reports whether the whole stack is on the lvol's own node.
func (l *Lvol) Complete() bool { return l.External == "" && !l.Degraded }

// Empty reports whether nothing was ever written to the lvol.
func (l *Lvol) Empty() bool { return l.Complete() && l.Parent == "" && l.Allocated == 0 }

// Remote is a namespace of a peer, seen here as a bdev.
type Remote struct {
	Bdev       string
	UUID       lineage.UUID // the lvol's on the peer
	Controller string
	NSID       int
	Size       int64 // bytes
	// Absent is set when the peer did not show it when the controller last
	// reconnected: its I/O waits. Whatever the peer shows under the number from
	// then on is taken for this one, UUID and all.
	Absent bool
	// Claimed is set when something on the node writes to it or stands on it.
	Claimed bool
}

// Controller is an attachment to a peer's subsystem.
type Controller struct {
	Name    string
	NQN     lineage.NQN
	Address string
	Port    string
	RDMA    bool   // it is attached over RDMA
	State   string // enabled, resetting, reconnect_is_delayed, disabled, failed, deleting…
	// Alternates are where it looks for its peer when it does not reach it at Address; the
	// target has them take turns. They are replaced, never changed.
	Alternates []lineage.Portal
}

// Portals are where it looks for its peer: where it did last, then the alternates.
func (c *Controller) Portals() []lineage.Portal {
	return append([]lineage.Portal{c.Portal()}, c.Alternates...)
}

// Portal is where it looks for its peer, or has reached it.
func (c *Controller) Portal() lineage.Portal {
	return lineage.Portal{Address: c.Address, Port: c.Port, RDMA: c.RDMA}
}

// GivenUp reports whether the controller will not come back by itself.
func (c *Controller) GivenUp() bool {
	return c.State == "failed" || c.State == "deleting" || c.State == "disabled"
}

// Raid is a RAID bdev.
type Raid struct {
	Name       string
	UUID       lineage.UUID
	State      string // online, configuring or offline
	Legs       []Leg  // in the order given at creation
	Rebuilding string // base bdev a rebuild process is filling; "" for none
	// Laid is set in one that lays its bases, the parts of a whole, out; nil in a mirror.
	// It is replaced, never changed.
	Laid *Laid
	// Stalled is set when I/O waits in the RAID and none of it gets done. It is
	// looked at only while a node that a leg is on does not answer.
	Stalled bool
}

// Laid is how a RAID lays its bases out.
type Laid struct {
	Striped  bool // strips go round the bases, else they follow one another
	StripKiB int
	Size     int64 // bytes of all of it; 0 when it is not online
}

// Leg is a slot of a RAID. A leg that was lost has no UUID.
type Leg struct {
	Base       string // name given at creation
	UUID       lineage.UUID
	Configured bool
}

// Subsystem is an NVMe-oF subsystem.
type Subsystem struct {
	NQN     lineage.NQN
	AnyHost bool
	Hosts   []lineage.NQN // sorted
	// Keys has those of its hosts that have to authenticate, or come by TLS; nil for none.
	Keys       map[lineage.NQN]lineage.HostKeys
	Namespaces map[int]*Namespace
	Listeners  []Listener
	IDs        lineage.IDs // that its hosts' controllers get
	// Evidence is of a link that may not be in use; nil where nothing is in doubt, or
	// the target did not tell. It is replaced, never changed.
	Evidence *Evidence
}

// Namespace is what a subsystem shows under a number.
type Namespace struct {
	NSID     int
	Bdev     string
	UUID     lineage.UUID
	NGUID    string
	ANAGroup int
}

// Listener is where a subsystem is reached.
type Listener struct {
	Address string
	Port    string
	// Paused is set when the ANA state of any group is not optimized: hosts
	// hold their I/O.
	Paused bool
	// TLS is set when nobody is let in there without, as far as the target says. It is known
	// only where the target has keys of hosts.
	TLS  bool
	RDMA bool // it is one of RDMA, else of TCP
}

// Portal is the listener's.
func (l Listener) Portal() lineage.Portal {
	return lineage.Portal{Address: l.Address, Port: l.Port, RDMA: l.RDMA}
}
