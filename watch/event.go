package watch

import (
	"time"

	"strata/apply"
	"strata/catalog"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// Event is something that happened, of one of the types in this file. What it points
// to is not to be changed.
type Event interface{ event() }

type (
	// Loaded is that a configuration is in force.
	Loaded struct {
		Config *schema.Config
		Took   time.Duration // reading and checking it
	}
	// Broken is that the configuration, as it is now, is not in force, and the last
	// one that was stays so.
	Broken struct{ Err error }
	// Mended is that what was Broken is not any more, and says what is in force.
	Mended struct{}
	// Blind is that the files are not told of by the system, and looked at instead.
	Blind struct {
		Err   error
		Every time.Duration
	}
	// Silent is that a node does not answer.
	Silent struct {
		Node lineage.Node
		Err  error
	}
	// Back is that a node answers that was Silent, or not heard of so far.
	Back struct {
		Node      lineage.Node
		Away      time.Duration // since it was found Silent; 0 for the first time
		Restarted bool          // its target is another process than before
	}
	// Changed is that a node's RAIDs, connections to peers or subsystems are others
	// than a second ago.
	Changed struct{ Node lineage.Node }
	// HeldDown is that a node is taken not to answer until it has answered for so long
	// without a break, for it came and went too often.
	HeldDown struct {
		Node  lineage.Node
		Times int // it went, in flapWindow
		For   time.Duration
	}
	// Released is that a node is HeldDown no longer.
	Released struct{ Node lineage.Node }
	// Suspended is that hosts wait for a node from here on, for the configuration says so.
	Suspended struct {
		Node  lineage.Node
		Until time.Time // at most
	}
	// Unsuspended is that the configuration says so no longer.
	Unsuspended struct {
		Node  lineage.Node
		After time.Duration
	}
	// SuspensionOver is that the configuration says so still, and that this has been for
	// as long as it may: the node is treated as any other.
	SuspensionOver struct {
		Node lineage.Node
		For  time.Duration
	}
	// Seated is that this watch is the one that works, or that it is so no more.
	Seated struct{ Leads bool }
	// StandsBy is that this watch waits for the seat, and why, in words.
	StandsBy struct{ Why string }
	// Told is what the lock or the seat has to say, in words.
	Told struct{ Text string }

	// Began is that a run begins, and why.
	Began struct{ Why []string }
	// Looked is that all nodes were read.
	Looked struct {
		Catalog  catalog.Catalog // what archives hold; nil where nothing is backed up
		Config   *schema.Config
		Snapshot *state.Snapshot
		Took     time.Duration
	}
	// Planned is that a pass is due.
	Planned struct{ Plan *plan.Plan }
	// Starting is that a step begins.
	Starting struct{ apply.Event }
	// Stepped is what became of a step.
	Stepped struct{ apply.Event }
	// Copying is how far a copy is.
	Copying struct{ apply.Copy }
	// Paced is that copies to a node go at another rate, for the sake of hosts.
	Paced struct{ apply.Paced }
	// Delayed is that a step waits for what takes a while.
	Delayed struct{ apply.Delay }
	// Ended is what a run came to.
	Ended struct {
		Result *apply.Result
		Err    error // why there are no more steps, if that is not that nothing is left
		Took   time.Duration
	}
	// TookOver is that a replica has taken over from an engine whose node does not answer:
	// hosts are served there as soon as it shows the volume.
	TookOver struct {
		Volume   string
		From, To lineage.Node
		Silent   time.Duration // since From was last heard; 0 where it never was
		Evidence string        // in words
	}
	// BackedOff is that a section failed, and when it is tried again.
	BackedOff struct {
		Failure apply.Failure
		Times   int // it failed, one after another
		Until   time.Time
	}
	// Halted is that a section is not tried again until somebody edits the
	// configuration or asks for it.
	Halted struct{ Failure apply.Failure }
	// Recovered is that a section is done that was BackedOff or Halted.
	Recovered struct{ Section plan.Key }
	// Waiting is what is to be done and waits for a person, and the plan's notes, told
	// when either changes.
	Waiting struct{ Plan *plan.Plan }
)

func (Loaded) event()         {}
func (Broken) event()         {}
func (Mended) event()         {}
func (Blind) event()          {}
func (Silent) event()         {}
func (Back) event()           {}
func (Changed) event()        {}
func (HeldDown) event()       {}
func (Released) event()       {}
func (Suspended) event()      {}
func (Unsuspended) event()    {}
func (SuspensionOver) event() {}
func (Seated) event()         {}
func (StandsBy) event()       {}
func (Told) event()           {}
func (Began) event()          {}
func (Looked) event()         {}
func (Planned) event()        {}
func (Starting) event()       {}
func (Stepped) event()        {}
func (Copying) event()        {}
func (Paced) event()          {}
func (Delayed) event()        {}
func (Ended) event()          {}
func (TookOver) event()       {}
func (BackedOff) event()      {}
func (Halted) event()         {}
func (Recovered) event()      {}
func (Waiting) event()        {}
