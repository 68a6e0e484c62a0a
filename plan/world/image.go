package world

import (
	"fmt"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// projectImage has a node attached to the image that a forerunner reads, or is to read: one
// whose image was away has its bdev again.
func (w *World) projectImage(n *state.Node, op plan.ImageAttach) error {
	of, ok := lineage.ParseForerunner(op.Name)
	if !ok {
		return fmt.Errorf("%s is no forerunner", op.Name)
	}
	ctrl, uuid := w.cluster.ImageController(of.Volume), w.cluster.ImageUUID(of)
	if was := n.Controllers[ctrl]; was != nil && was.GivenUp() {
		return fmt.Errorf("controller %s on %s is %s", ctrl, n.Name, was.State)
	}
	n.Controllers[ctrl] = &state.Controller{Name: ctrl, NQN: w.cluster.ImageNQN(of.Volume), State: "enabled"}
	if n.Remotes[uuid] == nil {
		n.AddRemote(&state.Remote{Bdev: ctrl + "n1", UUID: uuid, Controller: ctrl, NSID: 1, Size: of.Size()})
		put(w.index(n).remotes, ctrl, 1, uuid)
	}
	if l := n.Lvols[op.Lvstore+"/"+string(op.Name)]; l != nil && l.Degraded {
		w.change(n, func() { l.Degraded, l.External, l.Size = false, string(uuid), of.Size() }, l)
	}
	return nil
}
