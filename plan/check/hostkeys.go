package check

import (
	"fmt"
	"strings"

	"strata/lineage"
	"strata/plan"
)

// keyed refuses to let a host in otherwise than it is configured: without what it has to
// prove, or with keys that the target does not have, or has from elsewhere.
func (c *Checker) keyed(n lineage.Node, nqn, host lineage.NQN, keys lineage.HostKeys) error {
	if err := c.nqn(nqn); err != nil {
		return err
	}
	if l, link := c.cfg.Cluster.ParseLink(nqn); link {
		return c.linkLetsIn(n, l, keys)
	}
	id, export := c.cfg.Cluster.ParseExport(nqn)
	v := c.cfg.Shown(id.Name)
	if !export || v == nil {
		if !keys.IsZero() {
			return fmt.Errorf("no keys are configured for %s", nqn)
		}
		return nil
	}
	want := v.Export.Keys[host]
	for _, role := range lineage.KeyRoles {
		k, name := want.Of(role), keys.Of(role)
		switch has := c.w.Nodes[n].Keyring[name]; {
		case k.IsZero() && name != "":
			return fmt.Errorf("%s would have to prove that it has a key that is not configured", host)
		case k.Sent():
			if err := c.isSent(n, name, plan.KeyOf{Volume: v.Name, Host: host, Role: role}); err != nil {
				return fmt.Errorf("%s would be let in to %s: %w", host, nqn, err)
			}
		case k.Path != "" && (name == "" || has != k.Path):
			return fmt.Errorf("%s would be let in to %s without the key in %s", host, nqn, k.Path)
		}
	}
	return nil
}

// isSent refuses a key that is not the one of a host which strata is to put on nodes, or that
// the target does not have.
func (c *Checker) isSent(n lineage.Node, name string, of plan.KeyOf) error {
	k, sent := c.cfg.Cluster.ParseSentKey(name)
	found := c.opt.Keys.Of(of)
	switch {
	case !sent || k.Volume != of.Volume || k.Whose != lineage.Whose(of.Host, of.Role):
		return fmt.Errorf("%q is no key of its", name)
	case c.w.Nodes[n].Keyring[name] == "":
		return fmt.Errorf("the target on %s does not have key %s", n, name)
	case found.Unread == "" && found.Check != k.Check:
		return fmt.Errorf("%s is another key than the one that is configured", name)
	}
	return nil
}

// sends refuses to put a key on a node by other means than ssh, or one that is not configured,
// or under a name that is not its own.
func (c *Checker) sends(op plan.KeySend) error {
	conf, v := c.cfg.Node(op.Node), c.cfg.Shown(op.Volume)
	name := c.cfg.Cluster.SentKey(lineage.SentKey{Volume: op.Volume, Whose: lineage.Whose(op.Host, op.Role), Check: op.Check})
	switch {
	case v == nil || !v.Export.Keys[op.Host].Of(op.Role).Sent():
		return fmt.Errorf("no key of %s is configured that would be put on nodes", op.Host)
	case conf == nil || conf.KeyDir() == "":
		return fmt.Errorf("a key of %s would be put on %s, where strata does not come by ssh", op.Volume, op.Node)
	case op.Name != name:
		return fmt.Errorf("%s is not what the key is called", op.Name)
	}
	return nil
}

// erases refuses to take a file away that is not strata's, or that a target has by name.
func (c *Checker) erases(op plan.KeyErase) error {
	_, sent := c.cfg.Cluster.ParseSentKey(op.Name)
	k, job := c.cfg.Cluster.ParseJobKey(op.Name)
	pair, _, link := c.cfg.Cluster.ParseLinkKey(op.Name)
	if !sent && !job && !link {
		return fmt.Errorf("%s is no key file of the cluster's", op.Name)
	}
	if job {
		if err := c.jobOver(op.Node, k); err != nil {
			return err
		}
	}
	if link {
		if err := c.linkKeyErased(pair); err != nil {
			return err
		}
	}
	if _, used := c.w.Nodes[op.Node].Keyring[op.Name]; used {
		return fmt.Errorf("the target on %s has key %s in its keyring", op.Node, op.Name)
	}
	return nil
}

// key refuses a key under a name that is not one of the cluster's, or not that of its file, and
// one whose file strata has not put there.
func (c *Checker) key(n lineage.Node, name, path string) error {
	if _, sent := c.cfg.Cluster.ParseSentKey(name); sent {
		if conf := c.cfg.Node(n); conf == nil || !c.w.Nodes[n].KeyFiles[name] || path != conf.KeyFile(name) {
			return fmt.Errorf("%s is not there on %s, as the file of key %s", path, n, name)
		}
		return nil
	}
	if k, role, link := c.cfg.Cluster.ParseLinkKey(name); link {
		return c.linkKey(n, k, role, path)
	}
	if !strings.HasPrefix(name, string(c.cfg.Cluster)+".") || !strings.HasSuffix(name, path) {
		return fmt.Errorf("key %s is not the cluster's, or is not called after its file", name)
	}
	return nil
}

// keyUnused refuses to take a key away that a host still has to use.
func (c *Checker) keyUnused(op plan.KeyRemove) error {
	for nqn, sub := range c.w.Nodes[op.Node].Subsystems {
		for h, k := range sub.Keys {
			for _, role := range lineage.KeyRoles {
				if k.Of(role) == op.Name {
					return fmt.Errorf("%s needs it for %s", h, nqn)
				}
			}
		}
	}
	if k, job := c.cfg.Cluster.ParseJobKey(op.Name); job {
		return c.jobOver(op.Node, k)
	}
	if k, role, link := c.cfg.Cluster.ParseLinkKey(op.Name); link {
		return c.linkKeyUnused(op.Node, k, role)
	}
	if !strings.HasPrefix(op.Name, string(c.cfg.Cluster)+".") {
		return fmt.Errorf("key %s is not the cluster's", op.Name)
	}
	return nil
}
