package lineage

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// NQN is an NVMe qualified name.
type NQN string

// nqnPrefix starts every NQN strata makes; the cluster's name and a colon follow.
const nqnPrefix = "nqn.2026-01.io.strata:"

// Cluster is the name of a cluster. What it names on a target carries it, so
// that several clusters, and what somebody made by hand, share targets.
type Cluster string

// HostNQN is the name under which node n attaches to its peers.
func (c Cluster) HostNQN(n Node) NQN { return NQN(nqnPrefix + string(c) + ":" + string(n)) }

// Link names the NVMe/TCP subsystem through which a node offers another what
// it needs.
type Link struct {
	From Node // owns the storage and the subsystem
	To   Node // attaches to it
	// Wait is set for one that never gives a lost peer up by itself: I/O waits. A
	// target does not tell with which timeouts it was attached to a subsystem, nor
	// does it attach twice to one, so such a link is another, with names of its own.
	Wait bool
}

// waiting ends the names of what belongs to a link that waits.
const waiting = "~wait"

func (l Link) ending() string {
	if l.Wait {
		return waiting
	}
	return ""
}

// AsksBack reports whether the target that hears of namespaces of the link comes, by name,
// before the peer that it asks about them. Of several events at a time all are to be so, or
// none: targets that ask one another in a circle hang.
func (l Link) AsksBack() bool { return l.To < l.From }

// String is the link for people, such as "n2 → n1" or "n2 → n1 (wait)".
func (l Link) String() string {
	s := string(l.From) + " → " + string(l.To)
	if l.Wait {
		s += " (wait)"
	}
	return s
}

func (l Link) text() string { return string(l.From) + ":" + string(l.To) + l.ending() }

func parseLink(text string) (Link, bool) {
	from, to, ok := strings.Cut(text, ":")
	to, wait := strings.CutSuffix(to, waiting)
	if !ok || !ValidName(from) || !ValidName(to) {
		return Link{}, false
	}
	return Link{Node(from), Node(to), wait}, true
}

// MarshalText writes the link as it ends the NQN of its subsystem.
func (l Link) MarshalText() ([]byte, error) { return []byte(l.text()), nil }

// UnmarshalText reads what MarshalText gives. It fails for anything else.
func (l *Link) UnmarshalText(text []byte) error {
	link, ok := parseLink(string(text))
	if *l = link; !ok {
		return fmt.Errorf("%q is no link", text)
	}
	return nil
}

// LinkNQN is the name of the link's subsystem, on the node it comes from.
func (c Cluster) LinkNQN(l Link) NQN {
	return NQN(nqnPrefix + string(c) + ":" + l.text())
}

// Controller is the name of the NVMe controller, on node l.To, that is
// attached to the link. Its bdevs are called that, "n" and the nsid.
func (c Cluster) Controller(l Link) string { return string(c) + "." + string(l.From) + l.ending() }

// ParseLink is the inverse of LinkNQN.
func (c Cluster) ParseLink(n NQN) (Link, bool) {
	rest, ok := strings.CutPrefix(string(n), nqnPrefix+string(c)+":")
	if !ok {
		return Link{}, false
	}
	return parseLink(rest)
}

// ExportNQN is the name of the subsystem through which hosts reach v.
func (c Cluster) ExportNQN(v Volume) NQN { return NQN(nqnPrefix + string(c) + ":" + v.String()) }

// ParseExport is the inverse of ExportNQN.
func (c Cluster) ParseExport(n NQN) (Volume, bool) {
	rest, ok := strings.CutPrefix(string(n), nqnPrefix+string(c)+":")
	if !ok {
		return Volume{}, false
	}
	return parseVolume(rest)
}

// Others reports whether n is the name of another cluster's subsystem.
func (c Cluster) Others(n NQN) bool {
	return strings.HasPrefix(string(n), nqnPrefix) && !strings.HasPrefix(string(n), nqnPrefix+string(c)+":")
}

// Raid is the name of the RAID bdev that mirrors v's replicas.
func (c Cluster) Raid(v Volume) string { return string(c) + "." + v.String() }

// ParseRaid is the inverse of Raid.
func (c Cluster) ParseRaid(name string) (Volume, bool) {
	rest, ok := strings.CutPrefix(name, string(c)+".")
	if !ok {
		return Volume{}, false
	}
	return parseVolume(rest)
}

// Lvstore is what plans call a pool's lvstore, unless the pool names another;
// on the target an id follows, see Store.
func (c Cluster) Lvstore(pool string) string { return string(c) + "." + pool }

// Disk is the name of a pool's disk: the bdev, or for an NVMe disk its controller.
func (c Cluster) Disk(pool string) string { return string(c) + "." + pool + ".disk" }

// ExportUUID identifies v's RAID and exported namespace; it stays while epochs move.
func (c Cluster) ExportUUID(v Volume) UUID { return uuidOf(string(c), "/", v) }

// NGUID is the namespace's globally unique identifier for hosts: the UUID
// without hyphens, in upper case as SPDK prints it.
func (u UUID) NGUID() string { return strings.ToUpper(strings.ReplaceAll(string(u), "-", "")) }

// Serial is the serial number of v's export: at most 20 bytes.
func (c Cluster) Serial(v Volume) string {
	h := c.ExportUUID(v)
	return "ST" + strings.ReplaceAll(string(h), "-", "")[:16]
}

// LinkNamespaces is the highest nsid of a link, and how many namespaces it can hold.
const LinkNamespaces = 4096

// PreferredNSID spreads what a link shows over its namespace numbers by a key
// that stays: the same lvol has the same number each time the link is made,
// and the number of one that was removed is unlikely to be the next one's.
func PreferredNSID(key string) int {
	h := fnv.New32a()
	h.Write([]byte(key))
	return int(h.Sum32()%LinkNamespaces) + 1
}
