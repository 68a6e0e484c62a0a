// Package takeover says which node takes over a volume from an engine whose node is gone,
// and whether one would without a person. Who plans asks when it is gone, who reports
// before that: of what would be found then. It does nothing, and proves nothing: of that it
// asks state.
package takeover

import (
	"slices"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// Load says which nodes serve how many volumes.
type Load struct {
	on     map[string]lineage.Node // by volume
	serves map[lineage.Node]int
}

// NewLoad is that of nodes which serve nothing.
func NewLoad() *Load { return &Load{map[string]lineage.Node{}, map[lineage.Node]int{}} }

// Serve counts a volume for a node, and no more for the one that it was counted for.
func (l *Load) Serve(volume string, n lineage.Node) {
	if old, ok := l.on[volume]; ok {
		l.serves[old]--
	}
	l.on[volume] = n
	l.serves[n]++
}

// Of is how many volumes a node serves.
func (l *Load) Of(n lineage.Node) int { return l.serves[n] }

// Witnesses are the replicas that have all that was acknowledged, on nodes that can be used.
func Witnesses(left state.Survivors, usable func(lineage.Node) bool) (all []state.Survivor) {
	for _, l := range left.Legs {
		if l.Doubt == "" && usable(l.Node) {
			all = append(all, l)
		}
	}
	return all
}

// Successor is the witness that takes over: the one that hosts have a path to; else one on
// whose node the volume is to have a replica; else the one that serves fewest volumes. It
// is counted as serving this one from then on. There has to be one.
func Successor(cfg *schema.Config, v *schema.Volume, witnesses []state.Survivor, hasPath func(lineage.Node) bool, load *Load) state.Survivor {
	rank := func(l state.Survivor) []int {
		conf := cfg.Node(l.Node)
		return []int{count(!hasPath(l.Node)), count(conf == nil || v.KeptOff(conf) != ""), load.Of(l.Node)}
	}
	best := slices.MinFunc(witnesses, func(x, y state.Survivor) int { return slices.Compare(rank(x), rank(y)) })
	load.Serve(v.Name, best.Node)
	return best
}

// Heir is the node that takes over all parts of a volume, by the witnesses of each: the one
// that hosts have a path to; else one that stays; else where most parts have a witness; else
// the one that serves fewest volumes. "" where no part has any.
func Heir(cfg *schema.Config, witnesses [][]state.Survivor, hasPath func(lineage.Node) bool, load *Load) lineage.Node {
	parts := map[lineage.Node]int{}
	for _, of := range witnesses {
		for _, l := range of {
			parts[l.Node]++
		}
	}
	rank := func(n *schema.Node) []int {
		return []int{count(!hasPath(n.Name)), count(n.Drain), -parts[n.Name], load.Of(n.Name)}
	}
	var best *schema.Node
	for _, n := range cfg.Nodes {
		if parts[n.Name] > 0 && (best == nil || slices.Compare(rank(n), rank(best)) < 0) {
			best = n
		}
	}
	if best == nil {
		return ""
	}
	return best.Name
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// Switched reports whether hosts are kept from reading on from an engine that may have a
// replica of its own: something switches its node off.
func Switched(cfg *schema.Config, engine lineage.Node) bool {
	conf := cfg.Node(engine)
	return conf != nil && conf.Fence != nil
}
