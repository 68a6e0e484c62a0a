package takeover

import (
	"fmt"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// Fate is what becomes of a volume in use when its engine's node goes now.
type Fate struct {
	// Auto is set when another node would take over without a person.
	Auto bool         `json:"auto"`
	To   lineage.Node `json:"to,omitempty"`  // which that would be
	Why  string       `json:"why,omitempty"` // it would not
}

// Words are for people.
func (f *Fate) Words() string {
	if f.Auto {
		return "by itself, to " + string(f.To)
	}
	return "not by itself: " + f.Why
}

// Foresight foresees the fates of volumes, each by what would be found without its engine's
// node. What targets say of links only then, who is connected and what has failed, is taken
// to be as it is when all was well.
type Foresight struct {
	cfg     *schema.Config
	now     *state.Snapshot
	engines map[string]lineage.Node // by volume
	hidden  map[lineage.Node]bool   // nodes that may have a replica and were not read
	without map[lineage.Node]*loss
}

// loss is what would be found without a node.
type loss struct {
	snap *state.Snapshot
	load *Load
}

// NewForesight is of what was read, with the engines of volumes, and the nodes of which
// not all could be read that may have replicas.
func NewForesight(cfg *schema.Config, now *state.Snapshot, engines map[string]lineage.Node, hidden []lineage.Node) *Foresight {
	f := &Foresight{cfg: cfg, now: now, engines: engines, hidden: map[lineage.Node]bool{}, without: map[lineage.Node]*loss{}}
	for _, n := range hidden {
		f.hidden[n] = true
	}
	return f
}

// Of is the fate of an incarnation, by the verdict on it now; nil where there is nothing to
// say: nobody serves it, it has no hosts on the network, or links give a peer up by
// themselves. Of volumes with one engine it is to be asked in the order in which they are
// planned, for each that takes over counts for those after it.
func (f *Foresight) Of(v *schema.Volume, id lineage.Volume, verdict state.Verdict) *Fate {
	witnesses, fate := f.proven(Subject{v, id, verdict})
	if len(witnesses) == 0 {
		return fate
	}
	gone := f.loss(verdict.Engine)
	witnesses, why := f.able(v, witnesses, gone)
	if len(witnesses) == 0 {
		return &Fate{Why: why}
	}
	return &Fate{Auto: true, To: Successor(f.cfg, v, witnesses, f.path(id, gone), gone.load).Node}
}

// Subject is a volume, which incarnation of it is in use, and the verdict on that.
type Subject struct {
	Volume  *schema.Volume
	ID      lineage.Volume
	Verdict state.Verdict
}

// OfWhole is the fate of a whole, by its parts: another node takes over all of them or none.
func (f *Foresight) OfWhole(parts []Subject) *Fate {
	var all [][]state.Survivor
	for _, p := range parts {
		witnesses, fate := f.proven(p)
		if len(witnesses) > 0 {
			all = append(all, witnesses)
			continue
		}
		if fate != nil && p.Volume.Failover {
			fate.Why = fmt.Sprintf("of %s, %s", p.Volume.Name, fate.Why)
		}
		return fate
	}
	gone := f.loss(parts[0].Verdict.Engine)
	all, why := f.ableOf(parts[0].Volume, all, gone)
	if why != "" {
		return &Fate{Why: why}
	}
	out := &Fate{Auto: true, To: Heir(f.cfg, all, f.path(parts[0].ID, gone), gone.load)}
	for _, p := range parts {
		gone.load.Serve(p.Volume.Name, out.To)
	}
	return out
}

// able leaves those witnesses whose nodes can show the volume to hosts, and says why the last
// of the others cannot.
func (f *Foresight) able(v *schema.Volume, witnesses []state.Survivor, gone *loss) (left []state.Survivor, why string) {
	for _, l := range witnesses {
		if no, _ := Unable(f.cfg, v, gone.snap, l.Node); no != "" {
			why = no
		} else {
			left = append(left, l)
		}
	}
	return left, why
}

// ableOf is that of a whole, by the witnesses of its parts: one node is to show all of it.
func (f *Foresight) ableOf(part *schema.Volume, witnesses [][]state.Survivor, gone *loss) (left [][]state.Survivor, why string) {
	some := false
	for _, of := range witnesses {
		able, no := f.able(f.cfg.Shown(part.Part.Whole), of, gone)
		left, some = append(left, able), some || len(able) > 0
		if no != "" {
			why = no
		}
	}
	if some {
		why = ""
	}
	return left, why
}

// path says on which nodes hosts would have a path to a volume.
func (f *Foresight) path(id lineage.Volume, gone *loss) func(lineage.Node) bool {
	nqn := f.cfg.Cluster.ExportNQN(id.Whole())
	return func(n lineage.Node) bool { return gone.snap.Nodes[n].Subsystems[nqn] != nil }
}

// proven are the replicas that could take over; without any, it is the fate that there are
// none, or nil where there is nothing to say.
func (f *Foresight) proven(s Subject) ([]state.Survivor, *Fate) {
	v, verdict := s.Volume, s.Verdict
	if verdict.Engine == "" || verdict.Unknown != "" || v.Export.Kind != schema.ExportNVMf || !f.cfg.Links.Wait() {
		return nil, nil
	}
	if why := forbidden(v); why != "" {
		return nil, &Fate{Why: why}
	}
	if doubt := unnamed(verdict); doubt != "" {
		return nil, &Fate{Why: fmt.Sprintf("it is not known of the replicas on %s that they have everything", doubt)}
	}
	gone := f.loss(verdict.Engine)
	inc := gone.snap.Incarnation(f.cfg.Cluster, s.ID)
	left, ok := gone.snap.Survivors(f.cfg.Cluster, inc)
	witnesses := Witnesses(left, func(n lineage.Node) bool { return f.cfg.Node(n) != nil })
	if !ok || len(witnesses) == 0 {
		return nil, &Fate{Why: "no replica is elsewhere that could prove that it has everything"}
	}
	if left.Untold < left.Name.Untold() {
		return nil, &Fate{Why: fmt.Sprintf("%s left, and it takes %d to know that the engine has not gone on without them", amount.OutOf(left.Untold, left.Name.Legs, "replica", "would be", "would be"), left.Name.Untold())}
	}
	if why := inc.Minority(state.Question{Cluster: f.cfg.Cluster, Replicas: v.Replicas.Count, Hidden: f.hiddenWithout(verdict.Engine)}); why != "" {
		return nil, &Fate{Why: "then " + why}
	}
	switch conf := f.cfg.Node(verdict.Engine); {
	case conf == nil:
		return nil, &Fate{Why: fmt.Sprintf("%s is not in the configuration", verdict.Engine)}
	case !left.Bare && !Switched(f.cfg, verdict.Engine):
		return nil, &Fate{Why: fmt.Sprintf("%s has a replica of its own, and nothing switches it off", verdict.Engine)}
	}
	return witnesses, nil
}

// forbidden says why a volume must not go elsewhere without a person.
func forbidden(v *schema.Volume) string {
	switch {
	case !v.Failover:
		return `failover is "manual"`
	case !v.Auto.Has(schema.DutyFence):
		return `its auto lacks "fence"`
	}
	return ""
}

// unnamed are the nodes of legs whose names do not say that they were written to over links
// that wait, in the latest epoch.
func unnamed(verdict state.Verdict) string {
	var all []string
	for _, l := range verdict.Legs {
		if l.Head == nil || l.Head.Name.Epoch != verdict.Top || !l.Head.Name.Wait || !l.Head.Lvol.Complete() {
			all = append(all, string(l.Node))
		}
	}
	return strings.Join(all, ", ")
}

// loss is what would be found without a node: which serves no volume then but those that
// are set to be there.
func (f *Foresight) loss(n lineage.Node) *loss {
	if l := f.without[n]; l != nil {
		return l
	}
	l := &loss{f.now.Foresee(f.cfg.Cluster, n), NewLoad()}
	for name, at := range f.engines {
		if at != n {
			l.load.Serve(name, at)
		}
	}
	for _, v := range f.cfg.Volumes {
		if v.Engine != "" {
			l.load.Serve(v.Name, v.Engine)
		}
	}
	f.without[n] = l
	return l
}

// hiddenWithout counts the nodes that may have a replica and would not be read.
func (f *Foresight) hiddenWithout(n lineage.Node) int {
	conf := f.cfg.Node(n)
	if hidden := len(f.hidden); f.hidden[n] || conf == nil || len(conf.Pools) == 0 {
		return hidden
	}
	return len(f.hidden) + 1
}
