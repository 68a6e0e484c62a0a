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
)

// A node that is drained is one where no replica is to be (place.go). Ladder, of every volume
// that it serves or has a replica of:
//
//	away      the engine moves to another current replica (leave), by a path that hosts
//	          have if there is one; with none it waits for the next rung
//	as many   a replica is made elsewhere (rebuild), from any that is current
//	reduced   the one on the node goes (reduce): there are as many as configured then
//	paths     standby paths are elsewhere (standby), links that nobody needs go
//
// Each rung is told by what ordinary recipes are told by, so a crash, and the word
// taken back, leave what an edit of `on` would: what was copied is a replica, or is let go
// as staging is, and nothing is moved back.

// presence is what a node has of volumes.
type presence struct {
	volumes  map[string]bool // configured, which have anything there
	served   int             // of these
	replicas int
	bytes    int64    // in these
	others   []string // incarnations that are not configured or not in use
}

func (p presence) empty() bool { return len(p.volumes)+len(p.others) == 0 }

// presences are those of the nodes that are drained, as far as they were read.
func (p *passes) presences() map[lineage.Node]presence {
	found := map[lineage.Node]presence{}
	for _, n := range p.cfg.Nodes {
		if at := p.w.Nodes[n.Name]; n.Drain && at != nil && at.Unknown == "" {
			found[n.Name] = p.presence(n.Name)
		}
	}
	return found
}

func (p *passes) presence(n lineage.Node) presence {
	out := presence{volumes: map[string]bool{}}
	for _, name := range p.w.Volumes() {
		for _, id := range p.w.Incarnations(name) {
			inc, paths := p.w.Incarnation(id), 0
			has := p.lying(inc, func(at lineage.Place) bool { return at.Node == n })
			serves := slices.ContainsFunc(pieces(inc), func(x piece) bool { return x.on() == n && x.bears() })
			for _, e := range slices.Concat(inc.Exports, inc.Standbys) {
				if e.Node == n {
					paths++
				}
			}
			switch {
			case has.lvols+paths == 0 && !serves:
				continue
			case p.cfg.Volume(name) == nil:
				out.others = append(out.others, id.String())
				continue
			}
			out.volumes[name] = true
			out.served += boolToInt(serves)
			if has.lvols > 0 {
				out.replicas++
				out.bytes += has.bytes
			}
		}
	}
	return out
}

// tellDrained says of the nodes that are drained how far that is, and what is to come of
// it. found is what they had before the first pass.
func (p *passes) tellDrained(found map[lineage.Node]presence, out *plan.Plan, complete bool) {
	for _, n := range p.cfg.Nodes {
		if !n.Drain {
			continue
		}
		about := "node " + string(n.Name)
		had, read := found[n.Name]
		switch {
		case !read:
			out.Notes = append(out.Notes, plan.Finding{About: about, Text: "it " + n.Leaves() + ", and what is on it is not known", Pos: n.Pos})
			continue
		case had.empty():
			out.Notes = append(out.Notes, plan.Finding{About: about, Pos: n.Pos, Hint: leaving(n),
				Text: "it is drained: nothing of any volume is on it, and it may leave the configuration"})
			continue
		}
		text := "it " + n.Leaves() + ": " + had.words()
		if complete {
			text += p.drainedBy(n.Name, had, out)
		}
		out.Notes = append(out.Notes, plan.Finding{About: about, Text: text, Pos: n.Pos})
	}
}

// words say what there is.
func (p presence) words() string {
	var parts []string
	if p.served > 0 {
		parts = append(parts, "it serves "+amount.Of(p.served, "volume"))
	}
	if p.replicas > 0 {
		parts = append(parts, fmt.Sprintf("has %s (%s)", amount.Of(p.replicas, "replica"), amount.Bytes(p.bytes)))
	}
	if n := len(p.volumes) - p.served; n > 0 && p.replicas == 0 {
		parts = append(parts, "has a path to "+amount.Of(n, "volume"))
	}
	if len(p.others) > 0 {
		parts = append(parts, "has what is not configured: "+strings.Join(p.others, ", "))
	}
	text := strings.Join(parts, " and ")
	if p.served == 0 {
		text = "it " + text
	}
	return text
}

// drainedBy says what a whole plan copies for a node, how long that takes at least, and
// what is there afterwards.
func (p *passes) drainedBy(n lineage.Node, had presence, out *plan.Plan) string {
	var total, took int64
	copied := map[lineage.Node]int64{}
	var slow lineage.Node
	for _, step := range out.Steps() {
		c, ok := step.Op.(plan.ShallowCopy)
		if of, named := lineage.Parse(c.Layer); ok && named && had.volumes[of.Of().Name] {
			total += c.Bytes
			copied[c.Dest] += c.Bytes
		}
	}
	for _, to := range slices.Sorted(maps.Keys(copied)) {
		conf := p.cfg.Node(to)
		if conf == nil || conf.Rebuild.Bandwidth == 0 {
			continue
		}
		if sec := (copied[to] + conf.Rebuild.Bandwidth - 1) / conf.Rebuild.Bandwidth; sec > took {
			took, slow = sec, to
		}
	}
	text := ""
	if total > 0 {
		text += fmt.Sprintf("; at most %s are copied", amount.Bytes(total))
	}
	if took > 0 {
		text += fmt.Sprintf(", which takes %s at least at the bandwidth that is set for %s", lasting(took), slow)
	}
	left := p.presence(n)
	if stay := slices.Sorted(maps.Keys(left.volumes)); len(stay) > 0 {
		return text + "; something of " + strings.Join(stay, ", ") + " stays: see what is not done, and why"
	}
	if len(left.others) == 0 {
		text += "; after this plan nothing of any volume is on it"
	}
	return text
}

// lasting is a time in words, in whole minutes if it is several.
func lasting(seconds int64) string {
	if seconds > 120 {
		seconds = (seconds + 59) / 60 * 60
	}
	return duration(seconds)
}

// leaving is what is written when a node goes that has nothing.
func leaving(n *schema.Node) string {
	var pools []string
	for _, p := range n.Pools {
		if p.Kind != schema.Malloc {
			pools = append(pools, fmt.Sprintf("%q", string(n.Name)+"/"+p.Name))
		}
	}
	text := "take it out of nodes"
	if n.ReplacedBy != "" {
		text += fmt.Sprintf(", replaces out of %s, and write %s where on or engine of a volume names %s", n.ReplacedBy, n.ReplacedBy, n.Name)
	}
	if len(pools) == 0 {
		return text
	}
	return text + "; once its disks are gone for good, add retired: [" + strings.Join(pools, ", ") + "]"
}

// undrained says why something of the volume stays on a node that is drained, where it
// is the configuration that has it there.
func (s *subject) undrained() {
	about := "volume " + s.v.Name
	if at := s.Engine; at != "" && s.b.cfg.Drained(at) {
		switch {
		case s.v.Engine == at:
			s.b.blockAlone(about, s.v.At("engine"), "name another node as its engine, or none", "it is served on %s, which %s, and stays there, for engine names it", at, s.b.cfg.Node(at).Leaves())
		case s.kernelExport():
			s.b.blockAlone(about, s.v.At("export"), "end their use, and its export or name another node as its engine", "it is served on %s, which %s, and stays there, for its users have a device of that node's kernel", at, s.b.cfg.Node(at).Leaves())
		}
	}
	for _, l := range s.Legs {
		if s.b.cfg.Drained(l.Node) && slices.Contains(s.v.Replicas.On, l.Node) {
			s.b.blockAlone(about, s.v.At("replicas"), fmt.Sprintf("name another node in its place, or take %s out of replicas.on", l.Node), "its replica on %s stays, though %s %s, for replicas.on names it", l.Node, l.Node, s.b.cfg.Node(l.Node).Leaves())
		}
	}
}
