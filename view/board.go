package view

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"strata/catalog"
	"strata/lineage"
	"strata/plan"
	"strata/report"
	"strata/schema"
	"strata/spdk"
	"strata/state"
)

// Board has what is known, and tells of changes. Its methods may be called at the same
// time.
type Board struct {
	auto  *schema.Auto
	looks chan struct{} // a look has not been put into words yet

	mu       sync.Mutex
	is       View
	now      *View // that, as it was given out last; nil once something has changed
	changed  chan struct{}
	targets  map[lineage.Node]*spdk.Client
	looked   *looked
	history  report.History
	hosts    state.Connections
	traffic  map[string]*counted
	copies   map[string]*copying
	troubles map[plan.Key]Trouble
}

// looked is what all nodes were found to have.
type looked struct {
	cfg       *schema.Config
	snap      *state.Snapshot
	catalog   catalog.Catalog
	began, at time.Time
}

// copying is a copy in hand.
type copying struct {
	report.Copy
	rate *report.Rate
	told time.Time
}

// New makes a board of a watch. auto, if not nil, holds instead of what the
// configuration says.
func New(auto *schema.Auto) *Board {
	return &Board{
		auto: auto, looks: make(chan struct{}, 1), changed: make(chan struct{}), is: View{Nodes: map[lineage.Node]Node{}},
		targets: map[lineage.Node]*spdk.Client{}, traffic: map[string]*counted{}, copies: map[string]*copying{}, troubles: map[plan.Key]Trouble{},
	}
}

// Reach says how a node is reached from now on. The client stays its maker's.
func (b *Board) Reach(n lineage.Node, t *spdk.Client) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.targets[n] = t
}

// Changed is closed when anything is another than now.
func (b *Board) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

// touch notes a change. b.mu is held.
func (b *Board) touch() {
	b.now = nil
	close(b.changed)
	b.changed = make(chan struct{})
}

// Now is what is known now. Copies are the more precise the more often it is asked.
func (b *Board) Now() *View {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now != nil && len(b.copies) == 0 { // copies also stand still in time
		return b.now
	}
	v := b.is
	v.Nodes = maps.Clone(v.Nodes)
	v.Copies = nil
	now := time.Now()
	for _, key := range slices.Sorted(maps.Keys(b.copies)) {
		c := b.copies[key]
		going := "under way"
		if c.Total > 0 {
			going = c.rate.Going(now)
		}
		v.Copies = append(v.Copies, Copy{c.Copy, going})
	}
	v.Troubles = slices.SortedFunc(maps.Values(b.troubles), func(a, b Trouble) int { return a.Section.Compare(b.Section) })
	v.Traffic = map[string]Traffic{}
	for key, c := range b.traffic {
		v.Traffic[key] = c.Traffic
	}
	if v.Report != nil {
		r := *v.Report
		r.Volumes, r.Wholes = slices.Clone(r.Volumes), slices.Clone(r.Wholes)
		r.Connect(b.hosts)
		r.Copies = nil
		for _, c := range v.Copies {
			r.Copies = append(r.Copies, c.Copy)
		}
		v.Report = &r
	}
	b.now = &v
	return b.now
}

// entriesMost is how many lines of the log are kept.
const entriesMost = 200

// enter adds a line of the log.
func (b *Board) enter(e Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e.Number = 1
	if len(b.is.Entries) > 0 {
		e.Number = b.is.Entries[0].Number + 1
	}
	kept := min(len(b.is.Entries), entriesMost-1)
	b.is.Entries = append([]Entry{e}, b.is.Entries[:kept]...)
	b.touch()
}

// tell takes note of how far a copy is. b.mu is held.
func (b *Board) tell(c report.Copy, now time.Time) {
	k := b.copies[c.Key()]
	if k == nil {
		k = &copying{rate: &report.Rate{}}
		b.copies[c.Key()] = k
	}
	k.Copy, k.told = c, now
	if c.Cluster > 0 {
		k.rate.Tell(c.Progress(), now)
	}
}

// volumes are the volumes of the last report.
func (v *View) volumes() []report.Volume {
	if v.Report == nil {
		return nil
	}
	return v.Report.Volumes
}

// Lacking counts the replicas that are to be made: those that configured volumes lack,
// and of them those that are not being copied now.
func (v *View) Lacking() (all, queued int) {
	copied := map[string]map[lineage.Node]bool{}
	for _, c := range v.Copies {
		if copied[c.Volume] == nil {
			copied[c.Volume] = map[lineage.Node]bool{}
		}
		copied[c.Volume][c.To] = true
	}
	for _, vol := range v.volumes() {
		if vol.Undecided || vol.Health == report.Orphaned || vol.Health == report.Absent || vol.Health == report.Following {
			continue
		}
		lacks := max(0, vol.Wanted-vol.Current)
		all += lacks
		queued += max(0, lacks-len(copied[vol.Name]))
	}
	return all, queued
}

// WorstFirst are the volumes, those in trouble before the others.
func (v *View) WorstFirst() []report.Volume {
	all := slices.Clone(v.volumes())
	slices.SortStableFunc(all, func(a, b report.Volume) int { return Worse(a.Health, b.Health) })
	return all
}

// Worse compares by how much trouble it is: less than zero where a is to be seen before b.
func Worse(a, b report.Health) int {
	order := []report.Health{report.Unknown, report.Down, report.Absent, report.Degraded, report.Orphaned, report.Following, report.Healthy}
	return cmp.Compare(slices.Index(order, a), slices.Index(order, b))
}
