package recipe

import (
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// links is what a pass finds out of the links between nodes, and does to them.
type links struct {
	b    *builder
	ends map[lineage.Node][]lineage.NQN // the subsystems of links that nodes have
	made map[lineage.Link]string        // "" when the link can be used, else why not
	// needed has the links that somebody needs beside the volumes.
	needed map[lineage.Link]bool
	// attached has the nodes that have controllers when the pass begins.
	attached map[lineage.Node]bool
	// optionsSet has the nodes whose initiator options this pass sets.
	optionsSet map[lineage.Node]bool
	// expected has the namespaces that the pass took off links without waiting until
	// the peer has seen that.
	expected map[shown]bool
	// shows has, by node and lvol, the links that showed it when the pass first asked.
	shows map[lineage.Node]map[string][]shown
	// restored has the namespaces that links show again in this pass.
	restored map[shown]bool
	// strays are the controllers that lead elsewhere than their link when the pass begins.
	strays map[lineage.Link]*state.Controller
	// empty are the links that show nothing when the pass begins; standing has
	// the sections of the volumes with legs on a link that is given up.
	empty    map[lineage.Link]bool
	standing map[lineage.Link][]plan.Key
	// waiting are the links that wait for their peers when the pass begins, and lost
	// those of them that are to be let go.
	waiting []state.Waiting
	lost    map[lineage.Link]*lost
	// dropped has the nodes that let go of a peer in this pass, and stalled, by
	// engine, the links that are let go before volumes are looked at.
	dropped map[lineage.Node]bool
	stalled map[lineage.Node][]plan.Key
	fenced  map[lineage.Link]bool // off which this pass fences their peers
}

// newLinks finds which links there are. After a pass that changed none of them,
// old has it.
func newLinks(b *builder, old *links) *links {
	ls := &links{
		b: b, made: map[lineage.Link]string{}, needed: map[lineage.Link]bool{}, attached: map[lineage.Node]bool{}, optionsSet: map[lineage.Node]bool{},
		expected: map[shown]bool{}, shows: map[lineage.Node]map[string][]shown{}, restored: map[shown]bool{},
		empty: map[lineage.Link]bool{}, standing: map[lineage.Link][]plan.Key{}, dropped: map[lineage.Node]bool{}, stalled: map[lineage.Node][]plan.Key{}, fenced: map[lineage.Link]bool{},
	}
	for name, n := range b.w.Nodes {
		ls.attached[name] = len(n.Controllers) > 0
	}
	if old != nil {
		ls.ends, ls.needed, ls.strays = old.ends, old.needed, old.strays
		return ls
	}
	ls.ends = map[lineage.Node][]lineage.NQN{}
	for name, n := range b.w.Nodes {
		for _, nqn := range slices.Sorted(maps.Keys(n.Subsystems)) {
			if _, ok := b.cfg.Cluster.ParseLink(nqn); ok {
				ls.ends[name] = append(ls.ends[name], nqn)
			}
		}
	}
	return ls
}

// subsystems are those of links that a node had when the pass began, sorted.
func (ls *links) subsystems(n lineage.Node) []lineage.NQN { return ls.ends[n] }

// need notes that a link is needed: by the volume that is planned just now, else
// whatever becomes of volumes.
func (ls *links) need(l lineage.Link) {
	if ls.b.at == nil {
		ls.needed[l] = true
		return
	}
	ls.b.at.needs[l] = true
}

// isNeeded reports whether anybody needs a link, once all volumes were planned.
func (ls *links) isNeeded(l lineage.Link) bool { return ls.needed[l] || ls.b.needs[l] > 0 }
