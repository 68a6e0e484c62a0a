package check

import (
	"fmt"

	"strata/lineage"
	"strata/plan"
)

// linkLetsIn refuses to let the peer of a link in otherwise than it is configured: without what it
// has to prove, or with keys that are not the link's or that the target does not have.
func (c *Checker) linkLetsIn(n lineage.Node, l lineage.Link, keys lineage.HostKeys) error {
	switch {
	case c.cfg.Links.Keys == 0 && !keys.IsZero():
		return fmt.Errorf("the ends of links need not prove anything")
	case c.cfg.Links.Keys == 0:
		return nil
	case keys.IsZero():
		return fmt.Errorf("%s would be let in to the link from %s without having to prove who it is", l.To, l.From)
	}
	return c.isPair(n, l, keys)
}

// isPair refuses names that are not those of one pair of a link, which the target has from where
// strata put it.
func (c *Checker) isPair(n lineage.Node, l lineage.Link, keys lineage.HostKeys) error {
	k, _, ok := c.cfg.Cluster.ParseLinkKey(keys.Key)
	if !ok || k.Link != l || c.cfg.Cluster.LinkKeyNames(k) != keys {
		return fmt.Errorf("%s and %q are no pair of keys of the link from %s to %s", keys.Key, keys.CtrlKey, l.From, l.To)
	}
	for _, name := range []string{keys.Key, keys.CtrlKey} {
		if conf := c.cfg.Node(n); conf == nil || conf.KeyDir() == "" || c.w.Nodes[n].Keyring[name] != conf.KeyFile(name) {
			return fmt.Errorf("the target on %s does not have key %s from where strata put it", n, name)
		}
	}
	return nil
}

// attaches refuses to attach to a link otherwise than its peer lets the node in.
func (c *Checker) attaches(op plan.ControllerAttach) error {
	l, link := c.cfg.Cluster.ParseLink(op.NQN)
	if !link {
		return c.nqn(op.NQN)
	}
	if err := c.linkLetsIn(op.Node, l, op.Keys); err != nil {
		return err
	}
	if err := c.others(op); err != nil {
		return err
	}
	return c.sameKeys(l, op.Keys)
}

// sameKeys refuses keys of a link that its peer does not ask for: a controller that fails to prove
// itself once never gets through again.
func (c *Checker) sameKeys(l lineage.Link, keys lineage.HostKeys) error {
	from := c.w.Nodes[l.From]
	if from == nil || from.Unknown != "" || from.Subsystems[c.cfg.Cluster.LinkNQN(l)] == nil {
		return nil
	}
	if is := from.Subsystems[c.cfg.Cluster.LinkNQN(l)].Keys[c.cfg.Cluster.HostNQN(l.To)]; is != keys {
		return fmt.Errorf("%s lets %s in with keys %q and %q, and not with %q and %q", l.From, l.To, is.Key, is.CtrlKey, keys.Key, keys.CtrlKey)
	}
	return nil
}

// retells refuses to give a controller other keys than its peer asks for, or while it is not
// connected, when the target does not answer. That it is to prove nothing it may be told before.
func (c *Checker) retells(op plan.ControllerKeysSet) error {
	ctrl := c.w.Nodes[op.Node].Controllers[op.Controller]
	if ctrl == nil {
		return fmt.Errorf("controller %s is not there", op.Controller)
	}
	l, link := c.cfg.Cluster.ParseLink(ctrl.NQN)
	if !link || l.To != op.Node {
		return fmt.Errorf("controller %s is attached to no link of %s", op.Controller, op.Node)
	}
	if err := c.linkLetsIn(op.Node, l, op.Keys); err != nil || op.Keys.IsZero() {
		return err
	}
	if ctrl.State != "enabled" {
		return fmt.Errorf("controller %s is %s: its target would not answer", op.Controller, ctrl.State)
	}
	return c.sameKeys(l, op.Keys)
}

// makes refuses to make keys that are not asked for, to put them on nodes by other means than ssh,
// and to give a pair a name that another has or had.
func (c *Checker) makes(op plan.LinkKeysMake) error {
	k, names := op.Keys, c.cfg.Cluster.LinkKeyNames(op.Keys)
	if k.Set != c.cfg.Links.Keys || k.Set == 0 || k.Link.To != op.Node {
		return fmt.Errorf("no such keys of the link from %s to %s are configured", k.Link.From, k.Link.To)
	}
	for _, end := range []lineage.Node{k.Link.From, k.Link.To} {
		conf, at := c.cfg.Node(end), c.w.Nodes[end]
		switch {
		case conf == nil || conf.KeyDir() == "":
			return fmt.Errorf("keys would be put on %s, where strata does not come by ssh", end)
		case at == nil || at.Unknown != "" || at.KeyFilesUnread != "":
			return fmt.Errorf("which keys are on %s is not known", end)
		}
		for _, name := range []string{names.Key, names.CtrlKey} {
			if at.KeyFiles[name] || at.Keyring[name] != "" {
				return fmt.Errorf("%s has a key %s already", end, name)
			}
		}
	}
	return nil
}

// linkKey refuses to have a target know a key of a link by another name than its own, or one
// whose file strata has not put there, and to say of a controller that it uses another pair than
// it may.
func (c *Checker) linkKey(n lineage.Node, k lineage.LinkKeys, role lineage.LinkKeyRole, path string) error {
	file := c.cfg.Cluster.LinkKey(k, role)
	if role == lineage.LinkUsed {
		file = c.cfg.Cluster.LinkKey(k, lineage.LinkHost)
		if n != k.Link.To || c.attachedBy(n, k.Link) == "" {
			return fmt.Errorf("%s has no controller of the link that would use the key", n)
		}
		if err := c.sameKeys(k.Link, c.cfg.Cluster.LinkKeyNames(k)); err != nil {
			return err
		}
	}
	if conf := c.cfg.Node(n); conf == nil || conf.KeyDir() == "" || !c.hasKeyFile(n, file, path) || path != conf.KeyFile(file) {
		return fmt.Errorf("%s is not there on %s, as the file of a key of the link from %s to %s", path, n, k.Link.From, k.Link.To)
	}
	return nil
}

// hasKeyFile reports whether a node has the file of a key. Where nobody can see which files there
// are, that is believed of one which the target has by its name.
func (c *Checker) hasKeyFile(n lineage.Node, file, path string) bool {
	at := c.w.Nodes[n]
	return at.KeyFiles[file] || at.KeyFilesUnread != "" && at.Keyring[file] == path
}

// linkKeyUnused refuses to take a key from a target whose controller may use it: it reads it by
// this name when it connects, and would end where that is gone.
func (c *Checker) linkKeyUnused(n lineage.Node, k lineage.LinkKeys, role lineage.LinkKeyRole) error {
	ctrl := c.attachedBy(n, k.Link)
	if role == lineage.LinkUsed || ctrl == "" || c.proveless[k.Link] {
		return nil
	}
	for name := range c.w.Nodes[n].Keyring {
		if other, role, ok := c.cfg.Cluster.ParseLinkKey(name); ok && role == lineage.LinkUsed && other.Link == k.Link && other != k {
			return nil
		}
	}
	return fmt.Errorf("controller %s on %s may use it", ctrl, n)
}

// linkKeyErased refuses to take a file away that a controller uses: its peer needs it when it is
// back.
func (c *Checker) linkKeyErased(k lineage.LinkKeys) error {
	to := c.w.Nodes[k.Link.To]
	if to == nil || to.Unknown != "" || to.Keyring[c.cfg.Cluster.LinkKey(k, lineage.LinkUsed)] == "" {
		return nil
	}
	if ctrl := c.attachedBy(k.Link.To, k.Link); ctrl != "" {
		return fmt.Errorf("controller %s on %s uses it", ctrl, k.Link.To)
	}
	return nil
}

// attachedBy is the controller by which a node is attached to a link; "" for none.
func (c *Checker) attachedBy(n lineage.Node, l lineage.Link) string {
	nqn := c.cfg.Cluster.LinkNQN(l)
	for _, ctrl := range c.w.Nodes[n].Controllers {
		if ctrl.NQN == nqn {
			return ctrl.Name
		}
	}
	return ""
}

// noteKeys keeps which controllers of links are known to prove nothing.
func (c *Checker) noteKeys(op plan.Op) {
	switch op := op.(type) {
	case plan.ControllerAttach:
		if l, link := c.cfg.Cluster.ParseLink(op.NQN); link {
			c.proveless[l] = op.Keys.IsZero()
		}
	case plan.ControllerKeysSet:
		if l, link := c.cfg.Cluster.ParseLink(c.w.Nodes[op.Node].Controllers[op.Controller].NQN); link {
			c.proveless[l] = op.Keys.IsZero()
		}
	default: // says nothing of them
	}
}
