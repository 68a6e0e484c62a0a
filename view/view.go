// Package view owns what a watch knows at present, for those who look at it from
// outside: metrics, a page. It hears of what happens and asks nodes who is connected
// and what hosts read and write; it decides nothing, and no watch waits for it.
package view

import (
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/report"
	"strata/schema"
)

// View is what is known at a moment. It is not changed any more.
type View struct {
	Config *schema.Config // in force; nil before the first
	Auto   map[string]schema.Auto
	Loaded time.Time // Config was read
	Broken []string  // why what the files say now is not in force, a problem each; nil when it is

	Leads     bool   // this watch is the one that works
	StandsBy  string // for whom it stands by, or why, in words; "" when that is not known yet
	Working   bool   // a run is in hand
	Converged bool   // the last run found everything as configured
	Failed    string // why the last run could not go on; "" when it could

	Looked time.Time // all nodes were read; zero for never
	// Report is what that found, with the copies and hosts of now; nil before the first.
	Report *report.Report
	Nodes  map[lineage.Node]Node
	Copies []Copy
	// Traffic is what hosts have read and written, by report.Volume.Key.
	Traffic map[string]Traffic
	// Snapshots are when the newest snapshot on schedule was taken, by report.Volume.Key.
	Snapshots map[string]time.Time

	Blocked  []plan.Finding
	Troubles []Trouble
	Waiting  *plan.Plan // for a person; nil where nothing was found out yet
	Entries  []Entry    // of the log, the newest first
}

// Node is how a node answers.
type Node struct {
	Heard    bool   // it answers, or did until it was Silent
	Silent   string // why it does not answer; "" when it does
	HeldDown bool   // it counts as away, for it comes and goes
	Since    time.Time
}

// State is how it is in a word: one of NodeStates.
func (n Node) State() string {
	switch {
	case n.HeldDown:
		return "held_down"
	case n.Silent != "":
		return "silent"
	case n.Heard:
		return "answers"
	}
	return "unknown"
}

// NodeStates are all that Node.State gives.
var NodeStates = []string{"answers", "silent", "held_down", "unknown"}

// Copy is a layer that is being copied.
type Copy struct {
	report.Copy
	Going string // how fast, and how long it may still take, in words
}

// Traffic is the I/O of a volume's hosts since the bdev was made that served it when
// it was first looked at. It only grows, whatever bdev serves the volume later.
type Traffic struct {
	Reads, Writes           uint64
	BytesRead, BytesWritten uint64
	ReadTime, WriteTime     time.Duration // of all of them together
	ReadLate, WriteLate     time.Duration // the mean of those between the last two looks; 0 for none
}

// Trouble is a section that could not be carried out.
type Trouble struct {
	Section plan.Key
	Text    string
	Until   time.Time // it is tried again; zero where somebody has to ask for it
}

// Entry is a line of the log.
type Entry struct {
	Number int // from 1, in order
	At     time.Time
	Level  string // INFO, WARN or ERROR
	Text   string
	Facts  []Fact
}

// Fact is a key of an Entry with its value.
type Fact struct{ Key, Value string }
