package schema

import (
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
)

// SentKey is a key that strata finds where it runs, and puts on nodes.
type SentKey struct {
	Volume *Volume // or whole, whose hosts need it
	Host   lineage.NQN
	Role   lineage.KeyRole
	From   Secret
}

// SentKeys are those of all volumes.
func (c *Config) SentKeys() (all []SentKey) {
	for _, v := range c.Volumes {
		if v.Part == nil {
			all = append(all, v.SentKeys()...)
		}
	}
	for _, w := range c.Wholes {
		all = append(all, w.SentKeys()...)
	}
	return all
}

// SentKeys are those of a volume, by host.
func (v *Volume) SentKeys() (all []SentKey) {
	for _, h := range v.Export.Hosts {
		for _, role := range lineage.KeyRoles {
			if k := v.Export.Keys[h].Of(role); k.Sent() {
				all = append(all, SentKey{v, h, role, k.From})
			}
		}
	}
	return all
}

// KeyDir is the directory on the node's machine that has the keys which strata puts there,
// beside the target's socket; "" where it puts none, for it does not come there by ssh.
func (n *Node) KeyDir() string {
	rest, ssh := strings.CutPrefix(n.RPC, "ssh://")
	if !ssh {
		return ""
	}
	_, socket, _ := strings.Cut(rest, "/")
	return "/" + socket + ".keys"
}

// Proves reports whether strata and the node prove themselves to each other when data goes between
// them, by keys that strata puts there, and why they do not. unread is why nobody could see which
// keys are there, "" if somebody could.
func (n *Node) Proves(unread string) (is bool, why string) {
	if n.KeyDir() == "" {
		return false, "strata does not come to it by ssh, and puts no keys there"
	}
	return unread == "", unread
}

// KeyFile is where a key is there.
func (n *Node) KeyFile(name string) string { return n.KeyDir() + "/" + name }

// sent checks that strata can put the keys of a volume's hosts where they are needed: on the
// nodes that may serve it.
func (r *relations) sent(v *Volume, served []*Node, o object) {
	if r.broken || len(v.SentKeys()) == 0 {
		return
	}
	at := o.field("export").placement().field("nvmf").placement().field("hosts")
	const hint = `reach them by ssh://, or put the key into a file there and write its path: dhchap: key: path: "/etc/spdk/host1.key"`
	var others []string
	for _, n := range served {
		if n.KeyDir() == "" && !slices.Contains(others, string(n.Name)) {
			others = append(others, string(n.Name))
		}
	}
	if len(others) > 0 {
		slices.Sort(others)
		at.wrong(hint, "has keys that strata is to put on the nodes, and it does not come to %s by ssh", amount.List(others))
		return
	}
	paths := 0
	for _, n := range r.nodes {
		if n.KeyDir() != "" {
			paths++
		}
	}
	if v.Export.Standby > max(0, paths-1) {
		at.wrong(hint, "has keys that strata is to put on the nodes; it comes to %d by ssh, and with the engine and standby %d nodes need them", paths, v.Export.Standby+1)
	}
}
