package world

import (
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
	"strata/state"
)

// AttachedTo finds the node with a controller that is attached to a subsystem of
// a link, and the controller. A link of a former name need not say where it leads.
func (w *World) AttachedTo(nqn lineage.NQN) (*state.Node, *state.Controller) {
	link, ok := w.cluster.ParseLink(nqn)
	if !ok {
		return nil, nil
	}
	if to := w.Nodes[link.To]; to != nil {
		if to.Unknown != "" {
			return nil, nil
		}
		if ctrl := to.Controllers[w.Controller(link)]; ctrl != nil && ctrl.NQN == nqn {
			return to, ctrl
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.Nodes)) {
		for _, ctrl := range w.Nodes[name].Controllers {
			if ctrl.NQN == nqn {
				return w.Nodes[name], ctrl
			}
		}
	}
	return nil, nil
}

// Controller is what the controller of a link is called on the node it leads to:
// as it is attached there, else by the usual name, unless a link of a former name
// has that.
func (w *World) Controller(l lineage.Link) string {
	name, nqn := w.cluster.Controller(l), w.cluster.LinkNQN(l)
	to := w.Nodes[l.To]
	if to == nil || to.Controllers[name] != nil && to.Controllers[name].NQN == nqn {
		return name
	}
	for _, ctrl := range to.Controllers {
		if ctrl.NQN == nqn {
			return ctrl.Name
		}
	}
	if taken := to.Controllers[name]; taken != nil {
		if _, link := w.cluster.ParseLink(taken.NQN); link {
			return name + ".2"
		}
	}
	return name
}

// FindLvol is an lvol that has to be there.
func FindLvol(n *state.Node, lvstore string, name lineage.LvolName) (*state.Lvol, error) {
	if l := n.Lvols[lvstore+"/"+string(name)]; l != nil {
		return l, nil
	}
	return nil, fmt.Errorf("no lvol %s/%s on %s", lvstore, name, n.Name)
}

// Owner is the node that has an lvol; "" when none that was read has it. Of
// several it is the one whose is not in doubt.
func (w *World) Owner(u lineage.UUID) (owner lineage.Node) {
	known := false
	for name, n := range w.Nodes {
		if l := n.LvolByUUID(u); l != nil && (owner == "" || l.Parsed != nil && !known || (l.Parsed != nil) == known && name < owner) {
			owner, known = name, l.Parsed != nil
		}
	}
	return owner
}
