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
	id, export := c.cfg.Cluster.ParseExport(nqn)
	v := c.cfg.Shown(id.Name)
	if !export || v == nil {
		if !keys.IsZero() {
			return fmt.Errorf("no keys are configured for %s", nqn)
		}
		return nil
	}
	want := v.Export.Keys[host]
	for _, k := range []struct{ path, name string }{{want.Key, keys.Key}, {want.CtrlKey, keys.CtrlKey}} {
		switch has := c.w.Nodes[n].Keyring[k.name]; {
		case k.path == "" && k.name != "":
			return fmt.Errorf("%s would have to prove that it has a key that is not configured", host)
		case k.path != "" && (k.name == "" || has != k.path):
			return fmt.Errorf("%s would be let in to %s without the key in %s", host, nqn, k.path)
		}
	}
	return nil
}

// key refuses a key under a name that is not one of the cluster's, or not that of its file.
func (c *Checker) key(name, path string) error {
	if !strings.HasPrefix(name, string(c.cfg.Cluster)+".") || !strings.HasSuffix(name, path) {
		return fmt.Errorf("key %s is not the cluster's, or is not called after its file", name)
	}
	return nil
}

// keyUnused refuses to take a key away that a host still has to use.
func (c *Checker) keyUnused(op plan.KeyRemove) error {
	for nqn, sub := range c.w.Nodes[op.Node].Subsystems {
		for h, k := range sub.Keys {
			if k.Key == op.Name || k.CtrlKey == op.Name {
				return fmt.Errorf("%s needs it for %s", h, nqn)
			}
		}
	}
	return c.key(op.Name, op.Path)
}
