// Package report owns what status says: a configuration and a snapshot, put
// into words. It is pure, and it decides nothing.
package report

import (
	"cmp"
	"fmt"
	"slices"

	"strata/lineage"
	"strata/schema"
	"strata/state"
	"strata/takeover"
)

// Format is the version of the form of a Report. Fields may be added within a
// version; none is renamed, removed or given another meaning.
const Format = 1

// Report is the state of a cluster.
type Report struct {
	Format  int             `json:"format"`
	Cluster lineage.Cluster `json:"cluster"`
	Watches []Watch         `json:"watches,omitempty"` // that have the seat on nodes
	// Discover is what a Linux host types to see the volumes that it is let in to; "" where
	// nodes do not refer hosts to one another.
	Discover  string      `json:"discover,omitempty"`
	Nodes     []Node      `json:"nodes"`
	Volumes   []Volume    `json:"volumes"` // also the parts of wholes
	Wholes    []Whole     `json:"wholes,omitempty"`
	Copies    []Copy      `json:"copies,omitempty"`
	Unmanaged []Unmanaged `json:"unmanaged,omitempty"`
}

// Node is a node and its pools.
type Node struct {
	Name    lineage.Node `json:"name"`
	Version string       `json:"version,omitempty"`
	Unknown string       `json:"unknown,omitempty"`  // why it could not be read
	Locked  string       `json:"locked,omitempty"`   // UUID of who changes it at present
	By      string       `json:"lockedBy,omitempty"` // that, in words
	// Maintenance is what is done for who works on it, in words; "" for nothing.
	Maintenance string `json:"maintenance,omitempty"`
	Pools       []Pool `json:"pools,omitempty"`
}

// Pool is a pool's space in bytes.
type Pool struct {
	Name    string `json:"name"`
	Lvstore string `json:"lvstore"`
	Disk    string `json:"disk,omitempty"` // bdev; "" when the lvstore was not found
	Size    int64  `json:"size"`
	Free    int64  `json:"free"`
	// Promised is what it will have in it if every volume there is written whole; Limit
	// is how much that may be, by its overcommit.
	Promised int64 `json:"promised"`
	Limit    int64 `json:"limit"`
	// Leaving is how far a pool is that another replaces, in words; "" for every other.
	Leaving string `json:"leaving,omitempty"`
}

// Health is how a volume is.
type Health string

// The healths of a volume, best first.
const (
	Healthy  Health = "healthy"  // served, all replicas current
	Degraded Health = "degraded" // served, or ready to be, with fewer
	// Following is a volume that has what an archive has of another, and is served by nobody.
	Following Health = "following"
	Down      Health = "down"     // known to be complete, but not served
	Unknown   Health = "unknown"  // not known which replica is current
	Absent    Health = "absent"   // no replica was found
	Orphaned  Health = "orphaned" // exists but is not configured
)

// Healths are all of them, in that order.
var Healths = []Health{Healthy, Degraded, Following, Down, Unknown, Absent, Orphaned}

// Volume is one incarnation of a volume, or a configured volume that has none.
type Volume struct {
	Name    string        `json:"name"`
	ID      lineage.ID    `json:"id,omitempty"`
	Health  Health        `json:"health"`
	Why     string        `json:"why,omitempty"`
	Since   string        `json:"since,omitempty"` // RFC 3339: when it ceased to be healthy; "" where nobody saw that
	Size    int64         `json:"size"`            // bytes
	Epoch   lineage.Epoch `json:"epoch,omitempty"`
	Engine  lineage.Node  `json:"engine,omitempty"`
	Device  string        `json:"device,omitempty"` // bdev the engine serves
	Current int           `json:"current"`
	// Undecided is set when it is not known which replicas are current; Current
	// is 0 then, and says nothing.
	Undecided bool           `json:"undecided,omitempty"`
	Wanted    int            `json:"wanted"`
	Failover  *takeover.Fate `json:"failover,omitempty"`
	Migration string         `json:"migration,omitempty"` // how far it is on its way elsewhere; "" when it stays
	Limits    *Limits        `json:"limits,omitempty"`    // nil: none
	// Encryption is nil of a volume that is not encrypted, or of which no head was read.
	Encryption *Encryption `json:"encryption,omitempty"`
	// Next is when its next snapshot on schedule is due, or was if it was not taken: RFC 3339;
	// "" without a schedule, or where nobody knows the time (Schedule).
	Next   string  `json:"nextSnapshot,omitempty"`
	Backup *Backup `json:"backup,omitempty"` // nil: it is not backed up, or nobody looked (Recorded)
	Follow *Follow `json:"follow,omitempty"` // nil: it follows nothing, or nobody looked (Recorded)
	Scrub  *Scrub  `json:"scrub,omitempty"`  // nil: its layers were never compared, and are not to be
	// Restoring is how far it is written, of a volume that hosts use already; nil of others.
	Restoring *Restoring `json:"restoring,omitempty"`
	Exports   []Export   `json:"exports,omitempty"`
	Replicas  []Replica  `json:"replicas,omitempty"`
	// Unread are the nodes of those that count as current, for the engine has them in
	// use, and could not be read.
	Unread []lineage.Node `json:"unread,omitempty"`
}

// Copies says how many of its replicas are current.
func (v *Volume) Copies() string {
	if v.Undecided {
		return "not known which are current"
	}
	return fmt.Sprintf("%d of %d current", v.Current, v.Wanted)
}

// Key tells volumes and incarnations of them apart.
func (v *Volume) Key() string { return lineage.Volume{Name: v.Name, ID: v.ID}.String() }

// Replica is a stack on one node.
type Replica struct {
	Node      lineage.Node     `json:"node"`
	Lvstore   string           `json:"lvstore"`
	Head      lineage.LvolName `json:"head"`
	Leg       string           `json:"leg"` // current, joining, stale, fenced, sealed, or unknown when it is not known which are current
	Size      int64            `json:"size"`
	Allocated int64            `json:"allocated"`       // bytes, of the head alone
	Stack     []Layer          `json:"stack,omitempty"` // what the replica is made of, from the bottom
}

// Layer is an lvol of a stack and what stands on it.
type Layer struct {
	Name      lineage.LvolName `json:"name"`
	Kind      string           `json:"kind"`      // head, snapshot, own (strata's), staging, or clone (of another volume)
	Size      int64            `json:"size"`      // bytes
	Allocated int64            `json:"allocated"` // bytes of its own
	// Partial marks what an interrupted cut left.
	Partial bool    `json:"partial,omitempty"`
	Above   []Layer `json:"above,omitempty"`
}

// Unmanaged is something on a node that is not strata's.
type Unmanaged struct {
	Node lineage.Node `json:"node"`
	Kind string       `json:"kind"`
	Name string       `json:"name"`
}

// Build puts a snapshot into words.
func Build(cfg *schema.Config, s *state.Snapshot) *Report {
	s = s.Within(cfg.Cluster, cfg.Lvstores, cfg.Disk)
	r := &Report{Format: Format, Cluster: cfg.Cluster, Discover: discover(cfg, s), Nodes: []Node{}, Volumes: []Volume{}}
	for _, n := range cfg.Nodes {
		r.Nodes = append(r.Nodes, node(cfg, s, n, cmp.Or(maintenance(cfg, s, n), draining(cfg, s, n))))
		r.Unmanaged = append(r.Unmanaged, unmanaged(cfg, n, s.Nodes[n.Name])...)
	}
	r.Watches = watches(cfg, s)
	gone := unseen(cfg, s)
	var all []judged
	for _, v := range cfg.Volumes {
		ids := s.Incarnations(v.Name)
		if len(ids) == 0 {
			r.Volumes = append(r.Volumes, absent(cfg, v, s, gone))
		}
		for _, id := range ids {
			out, verdict := volume(cfg, s, v, id, gone)
			all = append(all, judged{v, len(r.Volumes), verdict})
			r.Volumes = append(r.Volumes, out)
		}
	}
	for _, name := range s.Volumes() {
		if cfg.Shown(name) == nil {
			for _, id := range s.Incarnations(name) {
				v, _ := volume(cfg, s, &schema.Volume{Name: name}, id, gone)
				v.Health, v.Why = Orphaned, "it is not configured"
				r.Volumes = append(r.Volumes, v)
			}
		}
	}
	for _, w := range cfg.Wholes {
		r.Wholes = append(r.Wholes, r.whole(cfg, s, w))
	}
	r.foresee(cfg, s, all, gone)
	r.Copies = copies(s)
	slices.SortStableFunc(r.Volumes, func(a, b Volume) int { return cmp.Compare(a.Name, b.Name) })
	return r
}

func node(cfg *schema.Config, s *state.Snapshot, conf *schema.Node, maintenance string) Node {
	n, out := s.Nodes[conf.Name], Node{Name: conf.Name, Unknown: "it was not asked", Maintenance: maintenance}
	if n == nil {
		return out
	}
	out.Unknown, out.Version = n.Unknown, n.Version
	if note := n.Lock.Note(); note.Holder != "" {
		out.Locked, out.By = string(note.Holder), fmt.Sprintf("%s, process %d, since %s", cmp.Or(note.By, "somebody"), note.PID, cmp.Or(note.Since, "some time"))
	}
	for _, p := range conf.Pools {
		pool := Pool{Name: p.Name, Lvstore: p.Lvstore}
		if lvs := n.Lvstores[p.Lvstore]; lvs != nil {
			pool.Disk, pool.Size, pool.Free = lvs.Base, lvs.TotalClusters*lvs.ClusterSize, lvs.FreeClusters*lvs.ClusterSize
			pool.Promised, pool.Limit = lvs.Takes(n.Space(p.Lvstore)).Promised, p.Limit(pool.Size)
		}
		pool.Leaving = leaving(cfg, s, conf.Name, p)
		out.Pools = append(out.Pools, pool)
	}
	return out
}

func absent(cfg *schema.Config, v *schema.Volume, s *state.Snapshot, gone map[lineage.Node]string) Volume {
	out := Volume{Name: v.Name, Health: Absent, Size: v.Size, Wanted: v.Replicas.Count, Why: "no replica of it was found"}
	if len(gone) > 0 {
		out.Health, out.Undecided, out.Why = Unknown, true, "no replica of it was found, but "+why(cfg, gone)
	}
	if follows(v, &state.Incarnation{}) {
		out.Health, out.Why = Following, ""
	}
	for _, a := range s.Apart(v.Name) {
		if a.Ours {
			out.Health, out.Undecided, out.Why = Unknown, true, fmt.Sprintf("%s cannot be used: %s", a, a.Why)
		}
	}
	return out
}

func volume(cfg *schema.Config, s *state.Snapshot, v *schema.Volume, id lineage.Volume, gone map[lineage.Node]string) (Volume, state.Verdict) {
	inc := s.Incarnation(cfg.Cluster, id)
	verdict := s.Judge(inc, state.Question{Cluster: cfg.Cluster, Replicas: v.Replicas.Count, Hidden: len(gone)})
	if len(inc.Foreign) > 0 { // what those who use it know is not known here
		verdict = state.Verdict{Top: verdict.Top, Unknown: inc.Foreign[0] + ", which is not of cluster " + string(cfg.Cluster)}
	}
	out := Volume{
		Name: id.Name, ID: id.ID, Why: verdict.Unknown, Size: v.Size, Epoch: verdict.Top, Engine: verdict.Engine,
		Device: verdict.Device, Limits: limits(s, verdict), Encryption: encryption(v, inc, verdict.Legs), Undecided: verdict.Unknown != "", Wanted: v.Replicas.Count,
	}
	if !out.Undecided {
		out.Current = state.Spread(verdict.Legs)
	}
	for _, h := range inc.Heads {
		leg := leg(verdict, inc, h)
		out.Replicas = append(out.Replicas, replica(s.Nodes[h.Node], h, leg))
		if leg == Current {
			out.Size = h.Lvol.Size
		}
	}
	for _, l := range verdict.Legs {
		if l.Head == nil && l.Node != "" {
			out.Unread = append(out.Unread, l.Node)
		}
	}
	out.Scrub = scrub(v, inc, verdict)
	out.Exports, out.Migration = exports(verdict, inc), migration(cfg, v, verdict)
	out.Why = cmp.Or(out.Why, unreached(v, verdict, inc))
	out.Health = health(v, verdict, out)
	if n := unheard(cfg.Cluster, s, verdict, inc); n != "" {
		out.Why = fmt.Sprintf("its engine was on %s, which cannot be read, and may be serving it still", n)
	}
	if n := awaits(cfg, v, verdict, inc, gone); n != "" {
		out.Why = fmt.Sprintf("its hosts wait for %s, which is suspended", n)
	}
	if why := waiting(cfg, s, verdict); why != "" && out.Health == Healthy {
		out.Health, out.Why = Degraded, why
	}
	if follows(v, inc) {
		out.Health, out.Why, out.Undecided = Following, "", false
	}
	if out.Restoring = restoring(cfg.Cluster, s, inc); out.Restoring != nil {
		out.restores()
	}
	return out, verdict
}

// unheard is the node that a volume was served on when it was last read, and which cannot
// be read; "" where that is not known.
func unheard(c lineage.Cluster, s *state.Snapshot, verdict state.Verdict, inc *state.Incarnation) lineage.Node {
	left, ok := s.Survivors(c, inc)
	if at := s.Nodes[left.Engine]; !ok || verdict.Unknown == "" || left.Engine == "" || at != nil && at.Unknown == "" {
		return ""
	}
	return left.Engine
}

func health(v *schema.Volume, verdict state.Verdict, out Volume) Health {
	exported := slices.ContainsFunc(out.Exports, func(e Export) bool { return e.Path != Standby && e.Path != Former })
	served := verdict.Engine != "" && (exported || v.Export.Kind == schema.ExportNone) ||
		v.Export.Kind == schema.ExportNone && v.Replicas.Count == 1
	switch {
	case verdict.Unknown != "":
		return Unknown
	case !served || out.Why != "":
		return Down
	case out.Current < v.Replicas.Count:
		return Degraded
	}
	return Healthy
}

// What is known of a replica.
const (
	Current   = "current"
	joining   = "joining" // a rebuild fills it, and hosts' writes go there already
	fenced    = "fenced"
	sealed    = "sealed"
	stale     = "stale"
	Undecided = "unknown" // it may be current: it is not known which are
)

// leg says what is known of a replica. Its name says that it is fenced or
// sealed; whether it is stale is known only if it is known which are current.
func leg(verdict state.Verdict, inc *state.Incarnation, h state.Head) string {
	known := verdict.Unknown == ""
	switch {
	case known && slices.ContainsFunc(verdict.Legs, func(l state.CurrentLeg) bool { return l.UUID == h.Lvol.UUID }):
		return Current
	case known && slices.ContainsFunc(inc.Raids, func(m state.Mirror) bool { return m.Node == verdict.Engine && m.Raid.Has(h.Lvol.UUID) }):
		return joining
	case h.Name.Mark == lineage.Fenced:
		return fenced
	case h.Name.Mark == lineage.Sealed:
		return sealed
	case !known:
		return Undecided
	}
	return stale
}

func replica(n *state.Node, h state.Head, leg string) Replica {
	out := Replica{Node: h.Node, Lvstore: h.Lvol.Lvstore, Head: h.Lvol.Name, Leg: leg, Size: h.Lvol.Size}
	if lvs := n.Lvstores[h.Lvol.Lvstore]; lvs != nil {
		out.Allocated = h.Lvol.Allocated * lvs.ClusterSize
	}
	bottom := h.Lvol
	if chain := n.Below(h.Lvol); len(chain) > 0 {
		bottom = chain[len(chain)-1]
	}
	out.Stack = []Layer{stack(n, bottom, h.Name, 0)}
	return out
}

// stack describes an lvol and everything on it. h is the head of the replica.
func stack(n *state.Node, l *state.Lvol, h lineage.Head, depth int) Layer {
	out := Layer{Name: l.Name, Size: l.Size, Kind: "clone"}
	if lvs := n.Lvstores[l.Lvstore]; lvs != nil {
		out.Allocated = l.Allocated * lvs.ClusterSize
	}
	switch p := l.Parsed.(type) {
	case lineage.Head:
		if p.Volume == h.Volume {
			out.Kind = "head"
		}
	case lineage.Staging:
		out.Kind = "staging"
	case lineage.Layer:
		out.Kind = "snapshot"
		if p.Own {
			out.Kind = "own"
		}
		out.Partial = p.Volume == h.Volume && h.Mark != lineage.Fenced && p.Epoch > h.Cut
	}
	for _, child := range l.Children {
		if c := n.Lvols[l.Lvstore+"/"+string(child)]; c != nil && depth < len(n.Lvols) {
			out.Above = append(out.Above, stack(n, c, h, depth+1))
		}
	}
	slices.SortFunc(out.Above, func(a, b Layer) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
