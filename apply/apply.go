// Package apply carries plans out. A Runner looks, plans, carries out one pass and
// settles what came of it, a step at a time; Run has it do so until nothing is left
// to do. It decides nothing about what should be; a reply that was lost is settled
// by looking, never by repeating.
package apply

import (
	"context"
	"fmt"
	"strings"
	"time"

	"strata/backup"
	"strata/catalog"
	"strata/fence"
	"strata/lineage"
	"strata/lock"
	"strata/plan"
	"strata/plan/saved"
	"strata/schema"
	"strata/state"
)

// Options of a Runner.
type Options struct {
	Plan plan.Options
	// Parallelism bounds how many volumes at a time are held, copied, reduced
	// or destroyed. Steps that only create are sent as fast as targets take them.
	Parallelism int
	// Stop, when closed, ends the run after the steps in hand and after any
	// section that holds hosts' I/O.
	Stop <-chan struct{}
	// Starting is told of every step that is about to begin, with neither Took
	// nor Err; one at a time, and not at the same time as Observe; nil for nobody.
	Starting func(Event)
	// Observe is told of every event, one at a time; nil for nobody.
	Observe func(Event)
	// Progress is told how far copies are, one at a time; nil for nobody.
	Progress func(Copy)
	// Pace, if not nil, has copies go slower while hosts' I/O is twice as slow as it was
	// before them, and is told of every change.
	Pace func(Paced)
	// Patience is the one of the Runners before; nil: whose peer is gone counts from
	// the first look of this one.
	Patience *Patience
	// Waiting is told, before the Runner waits, for which peers, over links that wait, and
	// when these are others than before; nil for nobody.
	Waiting func([]state.Waiting)
	// Delayed is told when a step waits for what takes a while and shows nothing, one at a
	// time; nil for nobody.
	Delayed func(Delay)
	// Saved, if not nil, has the only steps that may be carried out. The
	// configuration and Plan are those it was made with.
	Saved *saved.Saved
	// Repeats is how often the very same section may be carried out without an error
	// and be planned again, before it is given up with ErrNoProgress; 0: 5 times.
	Repeats int
	// Unread has nodes that are taken not to answer, with the reason, whatever they
	// do; nil for none. It is called for every look.
	Unread func() map[lineage.Node]string
	// May is asked before every section that holds, copies, reduces or destroys; an
	// error leaves it undone. nil allows all.
	May func(context.Context) error
	// Vet, if not nil, is shown what is planned before anything is locked or
	// done, then the whole plan, and before every pass. Its error ends the run.
	Vet func(*plan.Plan) error
	// Fence switches a node off by its agent, and fails if that is not known to have
	// happened; nil: agents are not run here.
	Fence func(context.Context, *schema.Node) (fence.Evidence, error)
	// Addresses has the addresses of volumes moved that follow their engines; nil: the
	// programs that do so are not run here.
	Addresses Addresses
	// Keys reads the keys of encrypted volumes; nil: none is served.
	Keys Keys
	// HostKeys reads keys of hosts that are put on nodes; nil: none is.
	HostKeys HostKeys
	// Only, if not nil, says which sections of the first pass may be carried out; nothing
	// else is done then.
	Only func(plan.Key) bool
	// Attach has disks attached, and nothing else done: so that a plan can be made of what
	// they hold.
	Attach bool
	// Part is what of the plan is carried out; the zero value is everything.
	Part plan.Selection
	// Archives are those that backups go into; nil: they are not opened here.
	Archives *backup.Archives
	// Scrubs has layers read and compared; nil: none are.
	Scrubs *Scrubs
	// Trims has volumes trimmed; nil: none are.
	Trims *Trims
	// Passes is how many passes are carried out at most; 0: as many as there are.
	Passes int
	// Lock keeps others from changing the nodes meanwhile; nil for none.
	Lock *lock.Lock
	// Guard ends pauses and frees the lock should this process die; nil for none.
	Guard *Guard
	// Confirm is shown the whole plan before anything is done, and again if it
	// was another by the time the nodes were locked; false ends the run. nil
	// confirms.
	Confirm func(*plan.Plan) bool
}

// Event is something that happened.
type Event struct {
	Pass    int
	Section plan.Key // zero where hosts go on because one was given up
	Step    plan.Step
	// Resumed is the export of which all hosts go on since, which waited; "" for none.
	Resumed lineage.NQN
	Start   time.Time // when the node was first called
	Took    time.Duration
	Err     error // nil when the step is done
}

// Copy is how far the copy of a layer is: to a replica, or into an archive.
type Copy struct {
	Key           string // tells it from others that are made at the same time
	Layer         lineage.LvolName
	From, To      lineage.Node // To is "" where an archive is
	Archive       string       // "" for none
	Label         plan.Label   // what is copied to, as plans call it
	Size          int64        // bytes
	Copied, Total int64        // clusters
}

// CopyOf is the copy that an operation makes, before it begins; false for one that makes
// none that is told of.
func CopyOf(op plan.Op) (Copy, bool) {
	switch op := op.(type) {
	case plan.ShallowCopy:
		return Copy{Key: string(op.To), Layer: op.Layer, From: op.Node, To: op.Dest, Label: op.Label, Size: op.Bytes}, true
	case plan.Backup:
		to := "archive " + op.Archive
		return Copy{Key: to + "/" + string(op.Layer), Layer: op.Layer, From: op.Node, Archive: op.Archive, Label: plan.Label(to + "/" + string(op.Layer)), Size: op.Bytes}, true
	case plan.Scrub:
		return Copy{Key: "scrub " + string(op.Node) + "/" + string(op.Layer), Layer: op.Layer, From: op.Node, Label: plan.Label(string(op.Node) + "/" + op.Lvstore + "/" + string(op.Layer)), Size: op.Bytes}, true
	case plan.Fill:
		return Copy{Key: string(op.Node) + "/" + string(op.Name), Layer: op.Name, To: op.Node, Archive: op.Archive, Label: plan.Label(string(op.Node) + "/" + op.Lvstore + "/" + string(op.Name)), Size: op.Bytes}, true
	case plan.Trim:
		return Copy{Key: "trim " + string(op.Label), Layer: lineage.LvolName(op.Volume.String()), From: op.Node, Label: op.Label, Size: op.Bytes}, true
	case plan.LegFill:
		head := string(op.Label)[strings.LastIndex(string(op.Label), "/")+1:]
		return Copy{Key: string(op.Leg), Layer: lineage.LvolName(head), From: op.Node, To: op.Owner, Label: op.Label, Size: op.Bytes}, true
	default: // copies nothing, or does not tell how far it is
		return Copy{}, false
	}
}

// Bytes is the size of some of the clusters.
func (c Copy) Bytes(clusters int64) int64 {
	if c.Total == 0 {
		return 0
	}
	return c.Size / c.Total * clusters
}

// Result is what a Run came to.
type Result struct {
	Plan     *plan.Plan // the last, with what is still blocked; nil if the run ended before there was one
	Snapshot *state.Snapshot
	Catalog  catalog.Catalog // what archives held then
	Passes   int
	Steps    int // done
	Failures []Failure
	// Deviations are steps that Options.Saved lacks, Others the sections it
	// knows nothing of that have something to do.
	Deviations []saved.Deviation
	Others     []plan.Key
	Stopped    bool // by Options.Stop, or because it gave way
	GaveWay    bool // somebody else has asked a watch for the nodes
	Declined   bool // by Options.Confirm
	Converged  bool // nothing is left to do or blocked
	Attached   bool // that goes for disks only, by Options.Attach
}

// Failure is a section that could not be carried out.
type Failure struct {
	Section plan.Key
	Step    plan.Step
	Err     error
}

func (f Failure) Error() string {
	on := ""
	if !plan.InArchive(f.Step.Op) {
		on = ", node " + string(f.Step.Op.On())
	}
	return fmt.Sprintf("%s: step %d%s: %s: %v", f.Section, f.Step.Number, on, f.Step.Op.Words(), f.Err)
}
