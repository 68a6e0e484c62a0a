package world

import (
	"slices"

	"strata/lineage"
	"strata/state"
)

// CutTags is how many tags there are to tell cuts of a group from one another.
// The epochs of layers that are cut together have one remainder by it, which no
// other layer of the same name has in any volume of the group. So a volume
// knows that its layer counts by another's that does (CutTogether): the first head
// that is renamed says so for all.
//
// It is less than half of lineage.Forced, so that no jump is taken for an
// operator's.
const CutTags = 256

// CutTogether reports whether one of a group of volumes, by their names, has a layer
// that was cut together with one of another's, and counts: a head says so. All of
// them were complete before the first did.
func (w *World) CutTogether(l lineage.Layer, group []string) bool {
	for _, name := range group {
		if name == l.Volume.Name {
			continue
		}
		for _, id := range w.Incarnations(name) {
			inc := w.Incarnation(id)
			var cut lineage.Epoch
			for _, h := range inc.Heads {
				cut = max(cut, h.Name.Cut)
			}
			if slices.ContainsFunc(UserLayers(inc), func(o lineage.Layer) bool {
				return o.Snapshot == l.Snapshot && o.Epoch <= cut && o.Epoch%CutTags == l.Epoch%CutTags
			}) {
				return true
			}
		}
	}
	return false
}

// UserLayers are the layers of an incarnation, on all nodes, that have users' snapshots.
func UserLayers(inc *state.Incarnation) (all []lineage.Layer) {
	for _, o := range inc.Others {
		if l, ok := o.Lvol.Parsed.(lineage.Layer); ok && !l.Own {
			all = append(all, l)
		}
	}
	return all
}
