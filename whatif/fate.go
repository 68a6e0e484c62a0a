package whatif

import (
	"slices"
	"strings"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// Outcome is what becomes of a volume.
type Outcome string

// The outcomes, best first.
const (
	Untouched Outcome = "untouched" // nothing of it is on the nodes
	GoesOn    Outcome = "goes on"   // its engine does, with fewer replicas; hosts may wait first
	FailsOver Outcome = "fails over"
	NotServed Outcome = "not served" // it is not now either
	Stops     Outcome = "stops"      // hosts wait until a node is back or a person does something, or lose it
)

// Fate is what becomes of a volume.
type Fate struct {
	Volume  string       `json:"volume"`
	Outcome Outcome      `json:"outcome"`
	Engine  lineage.Node `json:"engine,omitempty"` // that serves it now
	To      lineage.Node `json:"to,omitempty"`     // that serves it afterwards, of one that fails over
	// WaitSec is how long hosts wait at most, in seconds, of one that goes on or fails over:
	// what they need to find another path is not in it. WritesOnly: those that only read do not.
	WaitSec    int  `json:"waitSeconds,omitempty"`
	WritesOnly bool `json:"writesOnly,omitempty"`
	// Replicas that are current now, those of them that are left elsewhere, and how many are
	// configured. Of several parts they are those of the one of which fewest are left.
	Current int `json:"current"`
	Left    int `json:"left"`
	Wanted  int `json:"wanted"`
	// DataLost is set when every current replica is gone for good.
	DataLost bool `json:"dataLost,omitempty"`
	// Copied is how many bytes are copied at most, to make replicas elsewhere or move others;
	// CopiedTo has the nodes that get one.
	Copied   int64          `json:"copied,omitempty"`
	CopiedTo []lineage.Node `json:"copiedTo,omitempty"`
	// WaitsFor are the nodes that one that stops waits for: that of its engine, or those with
	// replicas that are not let go of.
	WaitsFor []lineage.Node `json:"waitsFor,omitempty"`
	// ByPerson is the node that serves it once strata apply has run, of one that stops.
	ByPerson lineage.Node `json:"byPerson,omitempty"`
	Why      string       `json:"why,omitempty"`  // it stops, or is not served now
	Hint     string       `json:"hint,omitempty"` // what to do then
}

// fate is what becomes of a volume that hosts know by that name.
func (c *course) fate(s supposition, name string) Fate {
	now, then, helped := c.now.standing(name), c.alone.standing(name), c.helped.standing(name)
	away := func(n lineage.Node) bool { return s.loss(n) != "" }
	forGood := func(n lineage.Node) bool { return s.loss(n) == Lost }
	f := Fate{Volume: name, Engine: now.engine, Current: now.copies, Wanted: now.wanted}
	f.Left, f.DataLost = c.now.left(name, away), now.copies > 0 && c.now.left(name, forGood) == 0
	f.Copied, f.CopiedTo = copied(c.person, c.cfg, name), added(now.current, helped.current)
	touched := away(now.engine) || f.Left < now.copies
	switch {
	case !touched && now.served:
		f.Outcome = Untouched
	case !now.served:
		f.Outcome, f.Why = NotServed, now.why
	case then.served && len(then.held) == 0 && away(now.engine):
		f.Outcome, f.To, f.WaitSec = FailsOver, then.engine, c.takeoverSec()
	case then.served && len(then.held) == 0:
		f.Outcome, f.WaitSec = GoesOn, c.hold(name)
		f.WritesOnly = f.WaitSec > 0
	default:
		f.Outcome = Stops
		if f.WaitsFor = []lineage.Node{now.engine}; then.served {
			f.WaitsFor, f.WritesOnly = then.held, true
		}
		if helped.served && len(helped.held) == 0 {
			f.ByPerson = helped.engine
		}
		f.Why, f.Hint = c.reason(name, then)
	}
	return f
}

// left is how many current replicas a volume has that are on no node of these, of the part
// that has fewest.
func (m *moment) left(name string, gone func(lineage.Node) bool) int {
	parts := []string{name}
	if w := m.cfg.Whole(name); w != nil {
		parts = nil
		for _, v := range m.cfg.Parts(w) {
			parts = append(parts, v.Name)
		}
	}
	least := -1
	for _, part := range parts {
		n := 0
		for _, at := range m.of(part).current {
			if !gone(at) {
				n++
			}
		}
		if least < 0 || n < least {
			least = n
		}
	}
	return max(least, 0)
}

// noticeSec is how long it may take until a watch, or a target, misses a node.
const noticeSec = 6

// silentSec is how long a node's connections last that gives no sign of life, and nothing
// is taken over from it meanwhile.
const silentSec = 12

// restSec is what is done once a node is waited for no more.
const restSec = 3

// hold is how long hosts that write wait at most for the replicas that are lost.
func (c *course) hold(name string) int {
	found := c.found.standing(name)
	switch {
	case len(found.held) > 0:
		return noticeSec + c.patienceSec() + restSec
	case found.engine == "" || found.copies == c.now.standing(name).copies:
		return 0
	}
	return c.cfg.Links.FastIOFailTimeoutSec + 1<<min(c.cfg.Links.TransportAckTimeout, 20)/1000
}

// takeoverSec is how long it takes at most until another node serves a volume.
func (c *course) takeoverSec() int { return max(noticeSec+c.patienceSec(), silentSec) + restSec }

func (c *course) patienceSec() int { return (c.cfg.Links.PatienceMs + 999) / 1000 }

// reason is why a volume stops, as plans say it of it, or of the links that it waits on, and
// what helps.
func (c *course) reason(name string, then standing) (why, hint string) {
	about := func(f plan.Finding) bool {
		if of, ok := strings.CutPrefix(f.About, "volume "); ok {
			return isOf(of, name)
		}
		return slices.ContainsFunc(then.held, func(n lineage.Node) bool {
			return f.About == "link "+lineage.Link{From: n, To: then.engine, Wait: true}.String()
		})
	}
	for _, p := range []*plan.Plan{c.person, c.unattended} {
		for _, list := range [][]plan.Finding{p.Blocked, p.Notes} {
			if i := slices.IndexFunc(list, about); i >= 0 {
				return list[i].Text, list[i].Hint
			}
		}
	}
	return "", ""
}

// isOf reports whether a volume is that one, or a part of it.
func isOf(volume, name string) bool {
	return volume == name || lineage.Volume{Name: volume}.Whole().Name == name
}

// copied is how many bytes a plan copies for a volume, at most.
func copied(p *plan.Plan, cfg *schema.Config, name string) (bytes int64) {
	for _, pass := range p.Passes {
		for i := range pass.Sections {
			for step := range pass.Sections[i].Steps() {
				if isOf(step.Outline(cfg.Cluster, pass.Sections[i].Key()).Volume, name) {
					bytes += step.Bytes
				}
			}
		}
	}
	return bytes
}

// added are the nodes that are among the second and not among the first.
func added(before, after []lineage.Node) (all []lineage.Node) {
	for _, n := range after {
		if !slices.Contains(before, n) {
			all = append(all, n)
		}
	}
	return all
}
