package world

import (
	"cmp"
	"maps"
	"slices"

	"strata/lineage"
	"strata/state"
)

// index finds what of a node stands on a bdev, so that a step costs what it
// changes and not what the node has. It is made when it is first asked for, and
// follows the steps from then on.
type index struct {
	raids    map[lineage.UUID]map[string]bool      // that have an lvol as a leg
	shows    map[string]map[state.Shown]bool       // by what they call the bdev
	readers  map[lineage.UUID]map[*state.Lvol]bool // lvols that read through it
	remotes  map[string]map[int]lineage.UUID       // by controller and namespace
	lvstores map[string]state.Space
}

func put[K, L comparable, V any](m map[K]map[L]V, k K, l L, v V) {
	if m[k] == nil {
		m[k] = map[L]V{}
	}
	m[k][l] = v
}

func (w *World) index(n *state.Node) *index {
	if x := w.indexes[n.Name]; x != nil {
		return x
	}
	x := &index{
		raids:    map[lineage.UUID]map[string]bool{},
		shows:    map[string]map[state.Shown]bool{},
		readers:  map[lineage.UUID]map[*state.Lvol]bool{},
		remotes:  map[string]map[int]lineage.UUID{},
		lvstores: map[string]state.Space{},
	}
	for _, r := range n.Raids {
		x.addRaid(r)
	}
	for p := range n.Shows() {
		x.show(p)
	}
	for _, l := range n.Lvols {
		x.add(n, l)
	}
	for _, r := range n.Remotes {
		put(x.remotes, r.Controller, r.NSID, r.UUID)
	}
	w.indexes[n.Name] = x
	return x
}

func (x *index) show(p state.Shown) { put(x.shows, p.Bdev, p, true) }

func (x *index) addRaid(r *state.Raid) {
	for _, l := range r.Legs {
		put(x.raids, l.UUID, r.Name, true)
	}
}

func (x *index) dropRaid(r *state.Raid) {
	for _, l := range r.Legs {
		delete(x.raids[l.UUID], r.Name)
	}
}

// add counts an lvol, and drop takes it off: around every change of one.
func (x *index) add(n *state.Node, l *state.Lvol) { x.count(n, l, 1) }

func (x *index) drop(n *state.Node, l *state.Lvol) { x.count(n, l, -1) }

func (x *index) count(n *state.Node, l *state.Lvol, sign int64) {
	if u := lineage.UUID(l.External); u != "" && sign > 0 {
		put(x.readers, u, l, true)
	} else {
		delete(x.readers[u], l)
	}
	x.lvstores[l.Lvstore] = x.lvstores[l.Lvstore].Add(n.Takes(l), sign)
}

// Space is what the lvols of an lvstore take.
func (w *World) Space(n lineage.Node, lvstore string) state.Space {
	return w.index(w.Nodes[n]).lvstores[lvstore]
}

// Uses reports whether a RAID, what hosts reach, or an external-snapshot clone
// stands on an lvol.
func (w *World) Uses(n lineage.Node, u lineage.UUID) bool {
	at := w.Nodes[n]
	x := w.index(at)
	if len(x.raids[u]) > 0 || len(x.readers[u]) > 0 {
		return true
	}
	return slices.ContainsFunc(namesOf(at, u), func(name string) bool { return len(x.shows[name]) > 0 })
}

// namesOf are what a place that shows an lvol, of the node or of a peer, may call it.
func namesOf(at *state.Node, u lineage.UUID) []string {
	names := []string{string(u)}
	if r := at.Remotes[u]; r != nil {
		names = append(names, r.Bdev)
	}
	if l := at.LvolByUUID(u); l != nil {
		names = append(names, l.Alias())
	}
	return names
}

// Readers are the lvols that read through a bdev, by alias.
func (w *World) Readers(n lineage.Node, u lineage.UUID) []*state.Lvol {
	return slices.SortedFunc(maps.Keys(w.index(w.Nodes[n]).readers[u]), func(a, b *state.Lvol) int { return cmp.Compare(a.Alias(), b.Alias()) })
}

// Shows are the places in which a node shows a bdev, under one of its names.
func (w *World) Shows(n lineage.Node, bdev string) []state.Shown {
	return slices.SortedFunc(maps.Keys(w.index(w.Nodes[n]).shows[bdev]), state.Shown.Compare)
}

// ShowsRaid reports whether a node shows a RAID to anybody, or what is laid out over it.
func (w *World) ShowsRaid(n lineage.Node, r *state.Raid) bool {
	x := w.index(w.Nodes[n])
	if over := w.Nodes[n].Over(r.Name); over != nil {
		r = over
	}
	return len(x.shows[r.Name]) > 0 || len(x.shows[string(r.UUID)]) > 0
}

// ShowsLvol are the places in which a node shows an lvol, under whichever name.
func (w *World) ShowsLvol(n lineage.Node, u lineage.UUID) (all []state.Shown) {
	for _, name := range namesOf(w.Nodes[n], u) {
		all = append(all, w.Shows(n, name)...)
	}
	return all
}

// Namespace is the one of a subsystem that shows a bdev, under that name; nil when
// there is none.
func (w *World) Namespace(n lineage.Node, nqn lineage.NQN, bdev string) *state.Namespace {
	for _, p := range w.Shows(n, bdev) {
		if p.NQN == nqn && p.NSID > 0 {
			return w.Nodes[n].Subsystems[nqn].Namespaces[p.NSID]
		}
	}
	return nil
}

// Knows reports whether a controller has a bdev of a namespace.
func (w *World) Knows(n lineage.Node, controller string, nsid int) bool {
	_, ok := w.index(w.Nodes[n]).remotes[controller][nsid]
	return ok
}

// Remotes are what a controller brings, by namespace.
func (w *World) Remotes(n lineage.Node, controller string) []lineage.UUID {
	at := w.index(w.Nodes[n]).remotes[controller]
	var all []lineage.UUID
	for _, nsid := range slices.Sorted(maps.Keys(at)) {
		all = append(all, at[nsid])
	}
	return all
}
