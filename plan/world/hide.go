package world

import "strata/lineage"

// Hide returns the World as the steps have left it, as if a node had not been read, for
// that reason: nothing more is done there.
func (w *World) Hide(n lineage.Node, why string) *World {
	return New(w.cluster, w.Snapshot.Hide(w.cluster, n, why))
}
