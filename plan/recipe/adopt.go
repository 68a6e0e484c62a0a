package recipe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// adopt makes the volume of an lvol that is there. Ladder:
//
//	whole     what it shares with the snapshots below it is copied into it, one
//	          snapshot after the other, until it stands on nothing: snapshots
//	          cannot be renamed, and a rebuild copies what has the volume's names
//	renamed   nothing else shows or uses it, and it gets the name of a head: the
//	          authority of epoch 1
//
// From there it is a volume of one replica like any other. What it shows is the
// same all the time, so a crash leaves an lvol with fewer snapshots below it at
// most, and the next plan goes on.
func (s *subject) adopt() result {
	a := s.v.Adopt
	if a == nil {
		return idle
	}
	at := s.b.w.Nodes[a.Node]
	l := at.Lvols[a.Alias()]
	if why, hint := s.unfit(at, l); why != "" {
		s.b.block("volume "+s.v.Name, s.v.At("adopt"), hint, "%s", why)
		return blocked
	}
	kept := s.kept(at)
	holders := slices.DeleteFunc(at.Holders(l), func(h state.Holder) bool {
		return kept != nil && kept.is(h)
	})
	if i := slices.IndexFunc(holders, func(h state.Holder) bool { return !h.Shows }); i >= 0 {
		s.reportHolders(holders[i : i+1])
		return blocked
	}
	if came := s.makeWhole(at, l); came != idle {
		return came
	}
	if len(holders) > 0 {
		s.reportHolders(holders)
		return blocked
	}
	s.id = lineage.Volume{Name: s.v.Name, ID: s.b.newID(s.v.Name)}
	first := because(s.v.At("adopt"), "%s becomes the first replica of %s%s", a.Alias(), s.v.Name, s.seenAs())
	head := lineage.Head{Volume: s.id, Epoch: 1, Legs: 1, Mark: lineage.Primary}
	s.sec.then(first, plan.RiskCreate, plan.LvolRename{At: plan.At{Node: a.Node}, Lvstore: a.Lvstore, From: a.Lvol, To: head.Lvol()})
	return acted
}

// unfit says why an lvol cannot be adopted, whoever uses it, and what to do.
func (s *subject) unfit(at *state.Node, l *state.Lvol) (why, hint string) {
	a := s.v.Adopt
	p := s.b.pool(a.Node, a.Lvstore)
	switch {
	case p.state != poolReady:
		return fmt.Sprintf("%s cannot be adopted: %s", a.Alias(), p.why), ""
	case l == nil:
		return fmt.Sprintf("there is no lvol %s on %s to adopt", a.Alias(), a.Node), "correct its name" + others(at, a.Lvstore) + "; without adopt the volume is made empty"
	case l.Parsed != nil:
		return fmt.Sprintf("%s on %s has a name of strata's: it is of volume %s", a.Alias(), a.Node, l.Parsed.Of().Name), ""
	case l.Snapshot:
		return fmt.Sprintf("%s on %s is a snapshot, which cannot be written to or renamed", a.Alias(), a.Node),
			fmt.Sprintf("make a clone of it and adopt that: rpc.py bdev_lvol_clone %s NAME", a.Alias())
	case !l.Complete() || slices.ContainsFunc(at.Below(l), func(b *state.Lvol) bool { return !b.Complete() }):
		return fmt.Sprintf("%s on %s reads through a bdev outside of its lvstore", a.Alias(), a.Node),
			fmt.Sprintf("make it independent first: rpc.py bdev_lvol_inflate %s", a.Alias())
	}
	if want := roundUp(s.v.Size, p.cluster); l.Size > want {
		return fmt.Sprintf("%s on %s has %s, and the volume is configured with %s; strata never shrinks a volume, for what lies beyond would be lost", a.Alias(), a.Node, amount.Bytes(l.Size), amount.Bytes(want)),
			"set size to " + amount.Bytes(l.Size)
	}
	return "", ""
}

// others are the lvols of an lvstore that could be adopted.
func others(at *state.Node, lvstore string) string {
	var names []string
	for _, alias := range slices.Sorted(maps.Keys(at.Lvols)) {
		if l := at.Lvols[alias]; l.Lvstore == lvstore && l.Parsed == nil && !l.Snapshot {
			names = append(names, string(l.Name))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s has %s)", lvstore, strings.Join(names[:min(len(names), 8)], ", "))
}

// makeWhole copies into an lvol what it shares with the snapshots it stands on.
// That takes time, and who uses the lvol then is seen in the next pass.
func (s *subject) makeWhole(at *state.Node, l *state.Lvol) result {
	a, below := s.v.Adopt, at.Below(l)
	if len(below) == 0 {
		return idle
	}
	lvs := at.Lvstores[l.Lvstore]
	free, need := lvs.TotalClusters, int64(0)
	for _, o := range at.Lvols {
		if o.Lvstore == l.Lvstore {
			free -= o.Allocated
		}
	}
	for _, b := range below {
		need += b.Allocated
	}
	if need = min(need, l.Size/lvs.ClusterSize-l.Allocated); need > free {
		s.b.block("volume "+s.v.Name, s.v.At("adopt"), "make room in it",
			"%s stands on snapshots, and what it shares with them, up to %s, is to be copied into it; lvstore %s has %s free", a.Alias(), amount.Bytes(need*lvs.ClusterSize), a.Lvstore, amount.Bytes(free*lvs.ClusterSize))
		return blocked
	}
	for _, b := range below {
		whole := because(s.v.At("adopt"), "snapshot %s cannot be renamed and stays as it is; %s is to stand without it", b.Alias(), s.v.Name)
		s.sec.then(whole, plan.RiskCopy, plan.LvolDecouple{At: plan.At{Node: a.Node}, Lvstore: a.Lvstore, Name: a.Lvol, Bytes: b.Allocated * lvs.ClusterSize})
	}
	return acted
}

// kept is the kernel device as which the node of the lvol is to show the volume: its
// user sees no change if it shows the lvol already. It is nil when there is none.
func (s *subject) kept(at *state.Node) *kernelDevice {
	if cmp.Or(s.v.Engine, at.Name) != at.Name {
		return nil
	}
	return s.kernelDevice(at.Name)
}

// reportHolders says that an lvol is not adopted yet, and what its owner has to end.
func (s *subject) reportHolders(holders []state.Holder) {
	var whats, calls []string
	for _, h := range holders {
		whats = append(whats, h.What)
		if h.End != "" {
			calls = append(calls, "rpc.py "+h.End)
		}
	}
	hint := "find out what it is, and delete that first"
	if len(calls) > 0 {
		hint = fmt.Sprintf("when its users have let go of it, run on %s: %s", s.v.Adopt.Node, strings.Join(calls, "; "))
	}
	s.b.block("volume "+s.v.Name, s.v.At("adopt"), hint, "%s on %s is not adopted while others use it: %s", s.v.Adopt.Alias(), s.v.Adopt.Node, strings.Join(whats, ", and "))
}

// seenAs says as what users find the volume from now on.
func (s *subject) seenAs() string {
	if s.v.Export.Kind == schema.ExportNVMf {
		return fmt.Sprintf("; its hosts find it as another disk, under %s", s.b.cfg.Cluster.ExportNQN(s.id))
	}
	at := s.b.w.Nodes[s.v.Adopt.Node]
	if kept := s.kept(at); kept != nil {
		if bdev, _ := kept.shows(at); bdev != "" {
			return fmt.Sprintf("; %s goes on showing it", kept.path)
		}
	}
	return ""
}

// adopted reports an lvol that a volume is to adopt when the volume is there
// already and the lvol, too.
func (s *subject) adopted() {
	a := s.v.Adopt
	if a == nil {
		return
	}
	at := s.b.w.Nodes[a.Node]
	if at == nil || at.Unknown != "" {
		return
	}
	if l := at.Lvols[a.Alias()]; l != nil && l.Parsed == nil {
		s.b.block("volume "+s.v.Name, s.v.At("adopt"), "take adopt away, or give the lvol to a volume of another name",
			"the volume exists already, as %s, and %s on %s is not adopted", s.id, a.Alias(), a.Node)
	}
}
