package check

import (
	"fmt"
	"slices"

	"strata/plan"
	"strata/state"
)

// another refuses a path that leads elsewhere than to what the controller is attached to, or to
// where its peer does not listen.
func (c *Checker) another(op plan.PathAttach) error {
	ctrl := c.w.Nodes[op.Node].Controllers[op.Controller]
	if ctrl == nil || ctrl.NQN != op.NQN {
		return fmt.Errorf("controller %s of %s is not attached to %s", op.Controller, op.Node, op.NQN)
	}
	link, ok := c.cfg.Cluster.ParseLink(op.NQN)
	if !ok || link.To != op.Node || op.HostNQN != c.cfg.Cluster.HostNQN(op.Node) {
		return fmt.Errorf("%s is no link of %s", op.NQN, op.Node)
	}
	conf, from := c.cfg.Node(link.From), c.w.Nodes[link.From]
	if conf == nil || !slices.Contains(conf.Addresses, op.Address) || fmt.Sprint(conf.Port) != op.Port {
		return fmt.Errorf("%s is no address of %s", op.Portal(), link.From)
	}
	if from == nil || from.Unknown != "" || from.Subsystems[op.NQN] == nil ||
		!slices.ContainsFunc(from.Subsystems[op.NQN].Listeners, func(l state.Listener) bool { return l.Portal() == op.Portal() }) {
		return fmt.Errorf("%s does not listen for it at %s", link.From, op.Portal())
	}
	return nil
}

// oneLess refuses to take the last path away that is connected: every leg would be lost with it.
func (c *Checker) oneLess(op plan.PathDetach) error {
	ctrl := c.w.Nodes[op.Node].Controllers[op.Controller]
	if ctrl == nil {
		return fmt.Errorf("controller %s is not there", op.Controller)
	}
	if err := c.nqn(ctrl.NQN); err != nil {
		return err
	}
	connected := ctrl.State == "enabled" && ctrl.Portal() != op.Portal()
	for _, p := range ctrl.Also {
		connected = connected || p.State == "enabled" && p.Portal() != op.Portal()
	}
	if !connected {
		return fmt.Errorf("no other path of controller %s is connected", op.Controller)
	}
	return nil
}
