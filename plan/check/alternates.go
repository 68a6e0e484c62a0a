package check

import (
	"fmt"
	"slices"
	"strconv"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// alternate refuses to have a link look for its peer where that is not, or may not be used; one
// that drops its peers, for it would not give them up then; and to add an address while its
// controller lacks what it had, or in a pass in which it connects anew: the target ends when it
// compares what it does not have.
func (c *Checker) alternate(op plan.AlternateAdd) error {
	ctrl, l, err := c.linked(op.Node, op.Controller)
	if err != nil {
		return err
	}
	from, host := c.w.Nodes[l.From], c.cfg.Cluster.HostNQN(l.To)
	switch {
	case ctrl.NQN != op.NQN || op.HostNQN != host:
		return fmt.Errorf("controller %s is attached to %s, as %s", op.Controller, ctrl.NQN, host)
	case !l.Wait:
		return fmt.Errorf("controller %s drops its peer, and would not if it had several addresses of it", op.Controller)
	case op.RDMA != ctrl.RDMA:
		return fmt.Errorf("controller %s is attached to %s", op.Controller, ctrl.Portal())
	case ctrl.State != "enabled" || c.connects[l]:
		return fmt.Errorf("controller %s is not connected, or connects anew just then", op.Controller)
	case from == nil || from.Unknown != "" || from.Subsystems[op.NQN] == nil:
		return fmt.Errorf("what %s shows %s is not known", l.From, l.To)
	case !from.Subsystems[op.NQN].Admits(host):
		return fmt.Errorf("%s does not let %s in", l.From, l.To)
	case !slices.ContainsFunc(from.Subsystems[op.NQN].Listeners, func(l state.Listener) bool { return l.Portal() == op.Portal() }):
		return fmt.Errorf("%s does not listen there", l.From)
	}
	for _, u := range c.w.Remotes(op.Node, op.Controller) {
		if c.w.Nodes[op.Node].Remotes[u].Absent {
			return fmt.Errorf("%s does not show %s any more, which controller %s has", l.From, u, op.Controller)
		}
	}
	if err := c.addressOf(l.From, op.Portal()); err != nil {
		return err
	}
	if err := c.linkLetsIn(op.Node, l, op.Keys); err != nil {
		return err
	}
	return c.sameKeys(l, op.Keys)
}

// alternateGoes refuses to take an address off a controller that it goes by, or one that its peer has.
func (c *Checker) alternateGoes(op plan.AlternateRemove) error {
	ctrl, l, err := c.linked(op.Node, op.Controller)
	switch {
	case err != nil:
		return err
	case !slices.Contains(ctrl.Alternates, op.Portal()):
		return fmt.Errorf("%s is no alternate address of controller %s", op.Portal(), op.Controller)
	case c.addressOf(l.From, op.Portal()) == nil:
		return fmt.Errorf("%s is an address of %s", op.Portal(), l.From)
	}
	return nil
}

// linked finds a controller that is attached to a link of its node.
func (c *Checker) linked(n lineage.Node, controller string) (*state.Controller, lineage.Link, error) {
	ctrl := c.w.Nodes[n].Controllers[controller]
	if ctrl == nil {
		return nil, lineage.Link{}, fmt.Errorf("controller %s is not there", controller)
	}
	l, ok := c.cfg.Cluster.ParseLink(ctrl.NQN)
	if !ok || l.To != n {
		return nil, l, fmt.Errorf("controller %s is attached to no link of %s", controller, n)
	}
	return ctrl, l, nil
}

// others refuses to attach to a link at other addresses than those of its peer.
func (c *Checker) others(op plan.ControllerAttach) error {
	l, _ := c.cfg.Cluster.ParseLink(op.NQN)
	if len(op.Others) > 0 && !l.Wait {
		return fmt.Errorf("the link from %s to %s drops its peer, and would not if it had several addresses of it", l.From, l.To)
	}
	for _, a := range op.Others {
		if err := c.addressOf(l.From, lineage.Portal{Address: a, Port: op.Port}); err != nil {
			return err
		}
	}
	return nil
}

// addressOf refuses what is no address of a node.
func (c *Checker) addressOf(n lineage.Node, p lineage.Portal) error {
	if conf := c.cfg.Node(n); conf == nil || !slices.Contains(conf.Addresses, p.Address) || strconv.Itoa(conf.Port) != p.Port {
		return fmt.Errorf("%s is not where %s is reached", p, n)
	}
	return nil
}

// noteConnects keeps which links connect anew in this pass.
func (c *Checker) noteConnects(op plan.Op) {
	if wait, ok := op.(plan.ControllerWait); ok {
		if _, l, err := c.linked(wait.Node, wait.Controller); err == nil {
			c.connects[l] = true
		}
	}
}
