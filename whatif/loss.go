package whatif

import (
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// Loss is what becomes of a node.
type Loss string

// The losses of a node.
const (
	Down      Loss = "down"      // its target ends; what is on its disks is there when it is back
	Lost      Loss = "lost"      // it is gone for good, with all that is on its disks
	Suspended Loss = "suspended" // somebody works on it: its maintenance is "suspend", and then its target ends
)

// Losses are all of them.
var Losses = []Loss{Down, Lost, Suspended}

// Case is a node and what becomes of it.
type Case struct {
	Node lineage.Node `json:"node"`
	Loss Loss         `json:"loss"`
}

// Parse reads cases, each as NODE=LOSS, for nodes of a configuration.
func Parse(cfg *schema.Config, texts []string) (all []Case, err error) {
	for _, text := range texts {
		name, loss, ok := strings.Cut(text, "=")
		c := Case{lineage.Node(name), Loss(loss)}
		switch {
		case !ok || !slices.Contains(Losses, c.Loss):
			return nil, fmt.Errorf("%s: want NODE=down, NODE=lost or NODE=suspended", text)
		case cfg.Node(c.Node) == nil:
			return nil, fmt.Errorf("%s: there is no node %s; %s", text, name, schema.Hint(name, "nodes", nodes(cfg)))
		case slices.ContainsFunc(all, func(o Case) bool { return o.Node == c.Node }):
			return nil, fmt.Errorf("%s: something becomes of %s already", text, name)
		}
		all = append(all, c)
	}
	return all, nil
}

func nodes(cfg *schema.Config) (names []string) {
	for _, n := range cfg.Nodes {
		names = append(names, string(n.Name))
	}
	return names
}

// supposition is cases that are supposed.
type supposition []Case

func (s supposition) loss(n lineage.Node) Loss {
	for _, c := range s {
		if c.Node == n {
			return c.Loss
		}
	}
	return ""
}

// of are the nodes of which this becomes.
func (s supposition) of(loss Loss) (names []lineage.Node) {
	for _, c := range s {
		if c.Loss == loss {
			names = append(names, c.Node)
		}
	}
	return names
}

// config is the configuration in which the nodes are suspended that somebody works on.
func (s supposition) config(cfg *schema.Config) *schema.Config {
	for _, n := range s.of(Suspended) {
		cfg = cfg.Suspending(n)
	}
	return cfg
}

// gone says of each node why it is not read then.
func (s supposition) gone() map[lineage.Node]string {
	all := map[lineage.Node]string{}
	for _, c := range s {
		all[c.Node] = fmt.Sprintf("it is supposed to be %s", c.Loss)
	}
	return all
}

// waited are the nodes that are waited for then: what may be on one that is lost is made
// elsewhere. nil where that is not known of any, as it is to a plan.
func (s supposition) waited(snap *state.Snapshot) map[lineage.Node]bool {
	if len(s.of(Lost)) == 0 {
		return nil
	}
	all := map[lineage.Node]bool{}
	for name, n := range snap.Nodes {
		all[name] = n.Unknown != "" && s.loss(name) != Lost
	}
	return all
}
