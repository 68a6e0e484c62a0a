package recipe

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// A pool that another of its node replaces is one where no replica is to be (place.go). Ladder,
// of every volume that has one there:
//
//	as many   a replica is made elsewhere (rebuild), in the pool that replaces it if that
//	          qualifies, from the one that is there: over no link
//	heir      the engine's own: the new one is the authority from the next epoch on
//	          (reduce: handOver)
//	reduced   the old one goes (reduce): as many nodes have one as before
//
// The engine stays where it is. Rungs are told by what ordinary recipes are told by. Until the
// last there are two replicas on the node, which count as one: they go together.

// contents is what is in a pool.
type contents struct {
	volumes map[string]bool // configured, which have anything there
	heads   int
	bytes   int64    // in all of it
	others  []string // incarnations that are not configured
}

func (c contents) empty() bool { return len(c.volumes)+len(c.others) == 0 }

// leavingPools are the contents of the pools that others replace, as far as they were read.
func (p *passes) leavingPools() map[lineage.Place]contents {
	found := map[lineage.Place]contents{}
	for _, n := range p.cfg.Nodes {
		at := p.w.Nodes[n.Name]
		for _, pool := range n.Pools {
			if pool.ReplacedBy == "" || at == nil || at.Unknown != "" {
				continue
			}
			if lvs := at.Lvstores[pool.Lvstore]; lvs != nil && lvs.Doubt == "" {
				in := lineage.Place{Node: n.Name, Lvstore: pool.Lvstore}
				found[in] = p.contents(in)
			}
		}
	}
	return found
}

func (p *passes) contents(in lineage.Place) contents {
	out := contents{volumes: map[string]bool{}}
	for _, name := range p.w.Volumes() {
		for _, id := range p.w.Incarnations(name) {
			has := p.lying(p.w.Incarnation(id), func(at lineage.Place) bool { return at == in })
			out.bytes += has.bytes
			out.heads += has.heads
			switch {
			case has.lvols == 0:
			case p.cfg.Volume(name) == nil:
				out.others = append(out.others, id.String())
			default:
				out.volumes[name] = true
			}
		}
	}
	return out
}

// lying is what lies somewhere of an incarnation.
type lying struct {
	lvols, heads int
	bytes        int64 // in the lvols
}

// lying counts what of an incarnation is in the places that are asked for.
func (p *passes) lying(inc *state.Incarnation, there func(lineage.Place) bool) (has lying) {
	add := func(x state.Placed) {
		has.lvols++
		has.bytes += x.Lvol.Allocated * clusterSize(p.w.Nodes[x.Node], x.Lvol.Lvstore)
	}
	for _, h := range inc.Heads {
		if there(h.Place()) {
			add(h.Placed)
			has.heads++
		}
	}
	for _, o := range inc.Others {
		if there(o.Place()) {
			add(o)
		}
	}
	return has
}

// tellReplacedPools says of the pools that others replace how far that is, and what is to
// come of it. found is what was in them before the first pass.
func (p *passes) tellReplacedPools(found map[lineage.Place]contents, out *plan.Plan, complete bool) {
	for _, n := range p.cfg.Nodes {
		for _, pool := range n.Pools {
			if pool.ReplacedBy == "" {
				continue
			}
			in := lineage.Place{Node: n.Name, Lvstore: pool.Lvstore}
			had, read := found[in]
			note := plan.Finding{About: "pool " + string(n.Name) + "/" + pool.Name, Pos: pool.Pos}
			switch {
			case !read:
				note.Text = fmt.Sprintf("it is being replaced by %s, and what is in it is not known", pool.ReplacedBy)
			case had.empty():
				note.Text = fmt.Sprintf("%s has replaced it: nothing of any volume is in it, and it may leave the configuration", pool.ReplacedBy)
				note.Hint = outOfPools(n, pool)
			default:
				note.Text = fmt.Sprintf("it is being replaced by %s: %s", pool.ReplacedBy, had.words()) + p.tooSmall(n, pool, had)
				if complete {
					note.Text += p.replacedBy(in, had, out)
				}
			}
			out.Notes = append(out.Notes, note)
		}
	}
}

// words say what there is.
func (c contents) words() string {
	text := fmt.Sprintf("it has %s (%s)", amount.Of(c.heads, "replica"), amount.Bytes(c.bytes))
	if len(c.others) > 0 {
		text += " and what is not configured: " + strings.Join(c.others, ", ")
	}
	return text
}

// tooSmall says that not all of it goes into the pool that replaces it; "" if it does, or
// nobody knows.
func (p *passes) tooSmall(n *schema.Node, old *schema.Pool, had contents) string {
	by := n.Pool(old.ReplacedBy)
	lvs := p.w.Nodes[n.Name].Lvstores[by.Lvstore]
	if lvs == nil || lvs.TotalClusters == 0 {
		return ""
	}
	size := lvs.TotalClusters * lvs.ClusterSize
	free := size - p.w.Space(n.Name, by.Lvstore).Used + p.contents(lineage.Place{Node: n.Name, Lvstore: by.Lvstore}).bytes
	if had.bytes <= free {
		return ""
	}
	return fmt.Sprintf("; not all of that goes into %s, which has room for %s of %s", by.Name, amount.Bytes(free), amount.Bytes(size))
}

// replacedBy says what a whole plan copies out of a pool, and what is in it afterwards.
func (p *passes) replacedBy(in lineage.Place, had contents, out *plan.Plan) string {
	var total int64
	for _, step := range out.Steps() {
		c, ok := step.Op.(plan.ShallowCopy)
		if ok && c.Node == in.Node && c.Lvstore == in.Lvstore {
			total += c.Bytes
		}
	}
	text := ""
	if total > 0 {
		text = fmt.Sprintf("; at most %s are copied from it", amount.Bytes(total))
	}
	left := p.contents(in)
	if stay := slices.Sorted(maps.Keys(left.volumes)); len(stay) > 0 {
		return text + "; something of " + strings.Join(stay, ", ") + " stays: see what is not done, and why"
	}
	if len(left.others) == 0 {
		text += "; after this plan nothing of any volume is in it"
	}
	return text
}

// outOfPools is what is written when a pool goes that has nothing.
func outOfPools(n *schema.Node, old *schema.Pool) string {
	text := fmt.Sprintf("take it out of pools of %s, replaces out of %s, and write %s where pool of a volume names %s", n.Name, old.ReplacedBy, old.ReplacedBy, old.Name)
	if old.Kind == schema.Malloc {
		return text
	}
	return text + fmt.Sprintf("; once its disk is gone for good, add retired: [%q]", string(n.Name)+"/"+old.Name)
}
