// Package schema owns what users write: the CUE schema, loading, validation
// and source positions. It reads files and nothing else.
package schema

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"strata/lineage"
)

// Config is a validated configuration. Slices are sorted by name, so that
// everything derived from them comes in the same order each time.
type Config struct {
	Cluster lineage.Cluster
	Links   Links
	// PauseLimitMs is the longest time, in milliseconds, that host I/O is
	// held before a section is given up.
	PauseLimitMs int
	// Auto is what may be done without a person where no volume says otherwise, and
	// to what is no volume's.
	Auto Auto `json:",omitempty"`
	// ReplaceAfterSec is how long, in seconds, a node with a replica may be away
	// before that is made elsewhere.
	ReplaceAfterSec int64
	Nodes           []*Node
	// Volumes are those with replicas: also the parts of each whole, and no whole.
	Volumes  []*Volume
	Wholes   []*Whole   `json:",omitempty"`
	Archives []*Archive `json:",omitempty"`
	// Discovery has nodes refer hosts that look for volumes to one another.
	Discovery bool `json:",omitempty"`
	// Retired are nodes and pools of former configurations that are gone for
	// good, with all that was on them, sorted.
	Retired []Retired `json:",omitempty"`
}

// Retired is a node, or a pool of a node, that is gone for good.
type Retired struct {
	Node lineage.Node
	Pool string // "": all of the node
}

// Retires reports whether a pool of a node is gone for good.
func (c *Config) Retires(node lineage.Node, pool string) bool {
	return slices.ContainsFunc(c.Retired, func(r Retired) bool { return r.Node == node && (r.Pool == "" || r.Pool == pool) })
}

// Links are the settings of every link of the cluster.
type Links struct {
	// TransportAckTimeout is bdev_nvme_set_options' transport_ack_timeout: a
	// packet that stays unacknowledged for 2^n milliseconds breaks the
	// connection. 0 leaves the target's default.
	TransportAckTimeout int
	// Seconds, as bdev_nvme_attach_controller takes them.
	CtrlrLossTimeoutSec  int
	ReconnectDelaySec    int
	FastIOFailTimeoutSec int
	// PatienceMs is how long, in milliseconds, a peer that is gone is waited for
	// before its replicas are let go; 0: the target gives it up by itself, by the
	// timeouts above, and every link that waits has those of waitingLinks.
	PatienceMs int `json:",omitempty"`
	// Keys says by which keys the ends of every link prove themselves to each other, which
	// strata makes: another number, other keys. 0: they prove nothing.
	Keys int `json:",omitempty"`
	// RDMA has peers be attached over RDMA from then on; false: over TCP.
	RDMA bool `json:",omitempty"`
}

// Wait reports whether links wait for a lost peer until somebody lets go of it.
func (l Links) Wait() bool { return l.PatienceMs > 0 }

// Patience is how long a peer is waited for whose link waits, also where links are to
// drop theirs and one has not been exchanged yet.
func (l Links) Patience() time.Duration {
	return time.Duration(cmp.Or(l.PatienceMs, waitingLinks.PatienceMs)) * time.Millisecond
}

// Link is the link from one node to another as it is configured.
func (c *Config) Link(from, to lineage.Node) lineage.Link {
	return lineage.Link{From: from, To: to, Wait: c.Links.Wait()}
}

// Node is a host with one spdk_tgt.
type Node struct {
	Name lineage.Node
	RPC  string // a URL as schema.cue describes it, never with a password
	HTTP *HTTP  `json:",omitempty"` // of an http:// or https:// RPC, if anything is said
	SSH  *SSH   `json:",omitempty"` // of an ssh:// RPC, if anything is said
	// Addresses are where the node's NVMe-oF listeners are reached, one at least: hosts
	// by all of them.
	Addresses []string
	Port      int
	TLSPort   int `json:",omitempty"` // where hosts come by TLS, and nobody else; 0: none do
	Labels    map[string]string
	Pools     []*Pool
	Rebuild   Rebuild
	Suspend   *Suspend `json:",omitempty"` // somebody works on it, and hosts wait for it; nil: no one does
	Fence     *Fence   `json:",omitempty"` // how it is switched off; nil: it cannot be
	Drain     bool     `json:",omitempty"` // no volume is to be served or have a replica there
	// Replaces is the node whose volumes are to come here, and ReplacedBy the one that does
	// so, where this one is replaced: it is drained then.
	Replaces   lineage.Node `json:",omitempty"`
	ReplacedBy lineage.Node `json:",omitempty"`
	Pos        Pos
}

// HTTP is what an http:// or https:// RPC needs besides its URL.
type HTTP struct {
	Password Secret // of the URL's user; zero: nothing is said
	CA       string // file of the certificates that vouch for the proxy; "": the system's
}

// SSH is what an ssh:// RPC needs besides its URL; what is empty is as usual.
type SSH struct {
	Key        string // file of the private key
	Passphrase Secret // of the key
	KnownHosts string // file with the keys of hosts
}

// Secret says where a secret is found, by one of its fields. It is none itself.
type Secret struct {
	Env     string   `json:",omitempty"` // environment variable
	File    string   `json:",omitempty"`
	Command []string `json:",omitempty"` // a program that prints it, and its arguments
}

// IsZero reports whether nothing is said.
func (s Secret) IsZero() bool { return s.Env == "" && s.File == "" && len(s.Command) == 0 }

// Rebuild limits the copying into the replicas on a node.
type Rebuild struct {
	Parallel  int   // replicas that are copied at a time, at least 1
	Bandwidth int64 // bytes a second for all of them; 0: no limit
}

// DiskKind is a kind of disk under a pool.
type DiskKind string

// The kinds of disks.
const (
	AIO    DiskKind = "aio"
	Uring  DiskKind = "uring"
	Malloc DiskKind = "malloc"
	NVMe   DiskKind = "nvme"
)

// Pool is a disk with an lvstore.
type Pool struct {
	Name   string
	Kind   DiskKind
	Path   string // file or device (aio, uring) or PCI address (nvme)
	Bytes  int64  // size of a malloc disk
	Format bool   // may write a new lvstore onto a disk that has none
	// Lvstore is what plans call its lvstore: <cluster>.<pool>, which on the
	// target is followed by an id (lineage.Store), unless the user names one.
	Lvstore string
	// RenamedFrom is what the pool was called before; "": it was not renamed.
	RenamedFrom string `json:",omitempty"`
	// Replaces is the pool of the same node whose replicas are to come here, and ReplacedBy
	// the one that does so, where this one is replaced: no replica is to be here then.
	Replaces   string `json:",omitempty"`
	ReplacedBy string `json:",omitempty"`
	// Bytes; both apply when strata creates the disk or the lvstore. A
	// BlockSize of 0 leaves the disk's own.
	BlockSize   int64
	ClusterSize int64
	// Overcommit is how many times its size volumes may grow to there together; 0:
	// once, and nobody is told when that is passed.
	Overcommit float64 `json:",omitempty"`
	// Keeps is set where what was in clusters that are freed need not be discarded.
	Keeps bool `json:",omitempty"`
	// Zeroes is set where somebody has looked, and the disk reads zeroes where it was discarded:
	// a target does not say so of an NVMe disk.
	Zeroes bool `json:",omitempty"`
	Pos    Pos
}

// Limit is what volumes may grow to together in a pool of that size, in bytes.
func (p *Pool) Limit(size int64) int64 {
	if p.Overcommit <= 1 {
		return size
	}
	return int64(p.Overcommit * float64(size))
}

// Volume is a replicated volume.
type Volume struct {
	Name     string
	Size     int64 // bytes
	Replicas Replicas
	Part     *Part        `json:",omitempty"` // of what it is a part; nil for none
	Engine   lineage.Node // "" leaves the choice to strata
	Export   Export
	Protect  bool              // refuses every plan that destroys any of it
	Labels   map[string]string `json:",omitempty"`
	// Snapshots are the user's, oldest first; none starts with AutoPrefix.
	// SnapshotPos has the position of each.
	Snapshots   []string
	SnapshotPos []Pos
	Head        string   // one of Snapshots, on which the head must stand; "": any
	From        *From    // what the volume starts as; nil: empty
	Restore     *Restore `json:",omitempty"` // what of an archive it starts as; nil: none. Not together with From or Adopt
	Image       *Image   `json:",omitempty"` // the file it starts as; nil: none. Not together with any of these
	Adopt       *Adopt   `json:",omitempty"` // the lvol it is made of; nil: none. Not together with From
	Group       string   // volumes of one group share a barrier; "": none
	Consistency Consistency
	// Every is the time between snapshots that strata takes and thins out by
	// Keep, in seconds; 0: it takes none, and Keep is zero.
	Every int64
	Keep  Keep
	// ResyncSec is the time between layers of strata's own, which keep short
	// the copying to a replica that comes back, in seconds; 0: none.
	ResyncSec int64
	Limits    Limits `json:",omitzero"`
	// Encryption is how it is encrypted; nil: it is not.
	Encryption *Encryption `json:",omitempty"`
	// Auto is what may be done to the volume without a person; the Config's unless the
	// volume says otherwise.
	Auto Auto `json:",omitempty"`
	// Failover is set when another node becomes the engine without a person if the
	// engine's is gone; never of a volume of which that could not be proven to be safe.
	Failover bool    `json:",omitempty"`
	Backup   *Backup `json:",omitempty"` // what of it is kept in an archive; nil: nothing
	Scrub    *Scrub  `json:",omitempty"` // how often its layers are read and compared; nil: never
	// Pos is where the volume stands; Field has the positions of its fields,
	// by their names in schema.cue, that are written out somewhere.
	Pos   Pos
	Field map[string]Pos
}

// At returns where field stands, or the volume when the field is a default.
func (v *Volume) At(field string) Pos {
	if p, ok := v.Field[field]; ok {
		return p
	}
	return v.Pos
}

// Replicas says how many copies there are and where they may be.
type Replicas struct {
	Count   int
	On      []lineage.Node    // exactly these nodes; empty: by the fields below
	Spread  string            // label whose values the replicas are spread over
	Pool    string            // pool to use; "": any
	Require map[string]string // labels a node must have
}

// AutoPrefix starts the names of the snapshots that strata takes by Every.
const AutoPrefix = "auto-"

// From is the snapshot from which a volume is cloned. It is one of the Snapshots
// of another volume of the configuration, which is no larger and has no fewer
// replicas; following From from volume to volume ends.
type From struct {
	Volume   string
	Snapshot string
	Detach   bool // the clone gets a copy of its own of what it shares
}

// Adopt is an lvol, of nobody's or somebody else's making, that becomes the
// first replica of a volume that does not exist yet. Its lvstore is that of a
// pool of the node, and no other volume adopts it.
type Adopt struct {
	Node    lineage.Node
	Lvstore string
	Lvol    lineage.LvolName
}

// Alias is the name under which RPCs find the lvol.
func (a *Adopt) Alias() string { return a.Lvstore + "/" + string(a.Lvol) }

// Consistency is what a snapshot of a volume promises.
type Consistency string

// The kinds of consistency.
const (
	// ConsistencyBarrier: host I/O is held, so all replicas, and all volumes
	// of a group, have the same writes in the snapshot. The volume's export,
	// if it has any and snapshots are asked for, is one that can be held.
	ConsistencyBarrier Consistency = "barrier"
	// ConsistencyNone: host I/O goes on while the volume has one replica. Those
	// of several replicas must be equal, so it is held for them, or no snapshot is taken.
	ConsistencyNone Consistency = "none"
)

// Keep says for how many of the latest hours, days, weeks and months that have
// a snapshot of strata's the last one is kept. At least one is not 0, unless
// the volume has no Every.
type Keep struct{ Hourly, Daily, Weekly, Monthly int }

// ExportKind is a way by which hosts reach a volume.
type ExportKind string

// The kinds of exports.
const (
	ExportNone ExportKind = "none"
	ExportNVMf ExportKind = "nvmf"
	ExportUblk ExportKind = "ublk"
	ExportNBD  ExportKind = "nbd"
)

// Export is how hosts reach a volume.
type Export struct {
	Kind  ExportKind
	Hosts []lineage.NQN // nvmf: hosts that are let in, sorted
	// Keys has the hosts that have to authenticate, or come by TLS; nil for none.
	Keys    map[lineage.NQN]HostKeys `json:",omitempty"`
	AnyHost bool                     // nvmf: every host is let in
	// Standby is, for nvmf, how many nodes beside the engine have a path ready that
	// leads to no disk until the engine is there; fewer than there are nodes.
	Standby int    `json:",omitempty"`
	RDMA    bool   `json:",omitempty"` // nvmf: hosts come over RDMA; false: over TCP
	VIP     *VIP   `json:",omitempty"` // nvmf: hosts come by that address alone; nil: by those of nodes
	UblkID  int    // ublk: /dev/ublkb<id>
	NBD     string // nbd: the device, /dev/nbd0
}

// Pos is a place in a source file. The zero Pos is no place.
type Pos struct {
	File         string
	Line, Column int
}

func (p Pos) String() string {
	if p.File == "" {
		return "-"
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Node returns the node of that name, or nil.
func (c *Config) Node(name lineage.Node) *Node {
	if i, ok := slices.BinarySearchFunc(c.Nodes, name, func(n *Node, name lineage.Node) int { return cmp.Compare(n.Name, name) }); ok {
		return c.Nodes[i]
	}
	return nil
}

// Volume returns the volume of that name, or nil.
func (c *Config) Volume(name string) *Volume {
	if i, ok := slices.BinarySearchFunc(c.Volumes, name, func(v *Volume, name string) int { return cmp.Compare(v.Name, name) }); ok {
		return c.Volumes[i]
	}
	return nil
}

// Pool returns the node's pool of that name, or nil.
func (n *Node) Pool(name string) *Pool {
	for _, p := range n.Pools {
		if p.Name == name {
			return p
		}
	}
	return nil
}
