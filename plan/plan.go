package plan

import (
	"iter"
	"slices"

	"strata/catalog"
	"strata/lineage"
	"strata/schema"
)

// Plan is everything that has to be done, in order. It is inert: printable,
// comparable, and equal for equal input.
type Plan struct {
	// Passes follow one another. An executor carries out the first, looks
	// again and plans again; the others are what that is expected to give.
	Passes []Pass
	// Blocked are the volumes, nodes and pools that do not get what the
	// configuration asks for, and why.
	Blocked []Finding
	// Notes are what the reader should know beside that: orphans, unmanaged
	// objects, paths that differ.
	Notes []Finding
	// Places says where each volume's replicas go and why.
	Places []Placement
	// Seats says where each volume is served and why, when Options.Explain is set.
	Seats []Seat
	// Moves are the replicas and engines that are elsewhere afterwards.
	Moves []Move
	// Labels are those of the volumes and nodes that steps concern.
	Labels Labels
}

// Pass is what is done between two looks at the nodes.
type Pass struct {
	// Assumes names the disks that this pass takes for blank because they can
	// be read only once they are attached; empty for what is certain.
	Assumes  []string
	Sections []Section
}

// Section is the work for one object. Its stages follow one another; the steps
// of a stage are independent and are sent together. A step that fails ends its
// section and the sections after it.
type Section struct {
	Kind   Kind
	Name   string
	After  []Key // sections of the pass that have to succeed first
	Stages [][]Step
}

// Kind is what a section works on.
type Kind string

// The kinds of sections.
const (
	KindNode   Kind = "node"
	KindLink   Kind = "link"
	KindVolume Kind = "volume"
	KindGroup  Kind = "group"  // volumes whose layers are cut together
	KindBackup Kind = "backup" // of a volume: layers of it go into an archive, whatever else is done to it
	// KindArchive is an archive, of which records go.
	KindArchive Kind = "archive"
	// KindAlternates is at which further addresses the ends of a link find each other.
	KindAlternates Kind = "alternates"
	// KindDiscovery is how hosts that look for volumes find a node and, by it, the others.
	KindDiscovery Kind = "discovery"
)

// Key identifies the section within its pass.
func (s *Section) Key() Key { return Key{s.Kind, s.Name} }

// Risk is the worst a step does.
type Risk string

// The risks of a step, mildest first.
const (
	RiskCreate  Risk = "create"  // only adds or changes something no data depends on
	RiskPause   Risk = "pause"   // hosts' I/O is held
	RiskCopy    Risk = "copy"    // bytes move
	RiskReduce  Risk = "reduce"  // redundancy, or a way to reach data, goes
	RiskDestroy Risk = "destroy" // data goes
)

// Risks are all risks, mildest first.
var Risks = []Risk{RiskCreate, RiskPause, RiskCopy, RiskReduce, RiskDestroy}

// within reports whether who has agreed to a risk has agreed to r; "" is none.
func (r Risk) Within(agreed Risk) bool {
	return slices.Index(Risks, r) <= slices.Index(Risks, agreed)
}

// Step is an operation and why it is done.
type Step struct {
	Number     int // from 1, over the whole plan
	Op         Op
	Risk       Risk
	Reason     string
	Pos        schema.Pos // what in the configuration caused it
	Bytes      int64      // that move, at most
	HostsWait  bool       // hosts wait while it is carried out
	HoldBegins bool       // they begin to with it
	// Copies is the number of complete current copies of the section's volume
	// after the step; -1 where no volume is concerned.
	Copies int
}

// Finding is something the reader should know.
type Finding struct {
	// About is what it is about: "volume db", "node n2", "pool n1/fast".
	About string
	Text  string // what is the case and why
	Hint  string // what to do next; may be empty
	Pos   schema.Pos
}

// Empty reports whether there is nothing to do.
func (p *Plan) Empty() bool { return len(p.Passes) == 0 }

// Steps returns the steps of all passes, in order.
func (p *Plan) Steps() []Step {
	var all []Step
	for s := range p.sections() {
		for step := range s.Steps() {
			all = append(all, *step)
		}
	}
	return all
}

// sections are those of all passes, in order.
func (p *Plan) sections() iter.Seq[*Section] {
	return func(yield func(*Section) bool) {
		for _, pass := range p.Passes {
			for i := range pass.Sections {
				if !yield(&pass.Sections[i]) {
					return
				}
			}
		}
	}
}

// Steps are the steps of all stages, in order.
func (s *Section) Steps() iter.Seq[*Step] {
	return func(yield func(*Step) bool) {
		for _, stage := range s.Stages {
			for i := range stage {
				if !yield(&stage[i]) {
					return
				}
			}
		}
	}
}

// Options are what a plan depends on beyond configuration and snapshot.
type Options struct {
	// Nonce, drawn at random by the caller, makes the IDs of new volumes. A
	// plan without one has lineage.Pending in their place and must not be
	// carried out.
	Nonce []byte
	// AllowDestroy is what the operator has released for destruction.
	AllowDestroy Grants
	// Authority names, by volume, the node whose replica the operator says is
	// current. It counts where nothing else tells, as does "db.k3f7" above where
	// it is not clear which incarnation is in use.
	Authority map[string]lineage.Node
	// Skip has the sections that failed: nothing is planned for them.
	Skip map[Key]bool
	// Now is the time, in seconds since 1970 UTC, by which layers are taken and
	// pruned on schedule; 0 for not at all.
	Now int64
	// ResumeOnly, if not nil, has the sections of the volumes whose hosts wait: they are
	// served as they are, and nothing else is planned.
	ResumeOnly map[Key]bool
	// Busy has the volume sections that are copying, with the nodes that take
	// part: for such a volume nothing is planned but what must not wait.
	Busy map[Key][]lineage.Node
	// Auto, if not nil, says what may be done without a person, by volume, and under ""
	// of nodes, links and pools: nobody looks at the plan, so nothing else is in it, and
	// neither AllowDestroy nor Authority counts. What is not in it waits in a plan
	// without.
	Auto map[string]schema.Auto
	// Away, if not nil, has the nodes that cannot be read and are waited for: of those
	// that are not among them a replica is made elsewhere. nil: nobody knows since when
	// nodes are away, and what may be on one that cannot be read is made nowhere else.
	Away map[lineage.Node]bool
	// Peers has the links that wait and whose peer is gone (state.Snapshot.Waits), and those
	// that are connecting (state.Snapshot.Resets), as far as somebody knows since when.
	Peers map[lineage.Link]Peer
	// Failover has the volumes of which the operator says that the node of their engine is
	// off, and has not gone on with fewer replicas: another takes over.
	Failover map[string]bool
	// Off has the nodes that cannot be read and are known to be off since they last
	// could: what they served is served no more, and starts again only by a plan. The
	// text is the evidence, in words: which fence agent said so, and when.
	Off map[lineage.Node]string
	// Silent has the nodes that cannot be read and are waited for still before another
	// takes over from them without a word; nil: nobody knows since when.
	Silent map[lineage.Node]bool
	// Quiet has the nodes that come and go, and have just answered: nothing is planned of
	// them but that engines there are reached no more which others have taken over from
	// (recipe.Quiet).
	Quiet map[lineage.Node]bool
	// Catalog is what was found in the archives; nil where nobody looked.
	Catalog catalog.Catalog
	// Images is what was found of the files that volumes are to start as.
	Images catalog.Images
	// Keys is what was found of keys of hosts that strata puts on nodes; nil where nobody
	// looked.
	Keys KeysFound `json:"-"`
	// Scrub has the volumes whose layers are to be read and compared, each with the time, in
	// seconds since 1970, from which on a round that began is one that was asked for.
	Scrub map[string]int64 `json:"-"`
	// Trim has the volumes that are to be trimmed.
	Trim Trims `json:"-"`
	// Wishes are where volumes are to be, for this plan, beyond the configuration.
	Wishes Wishes
	// Explain asks for the nodes that were passed over in Plan.Places, and for Plan.Seats.
	Explain bool
	// OnePass asks for the next pass only.
	OnePass bool
}
