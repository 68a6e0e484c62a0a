package recipe

import (
	"slices"
	"strings"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// A plan that nobody looks at (plan.Options.Auto) has of each volume only what its
// auto allows: a recipe is tried if the volume has the recipe's duty. What of a
// recipe takes more asks for that itself. What would reduce a way to reach data, or
// destroy any, is in no such plan. Where what comes next may not be done and what
// comes after would rest on it, the volume is left alone (alone.go).

// duty is what a volume's auto has to allow for a recipe to be tried when nobody
// looks at the plan.
type duty struct {
	any []schema.Duty // one of these; nil: it is a person's
	but string        // what of it is otherwise, in words
}

// The duties of recipes, but for those of which a part is otherwise.
var (
	asks     = duty{but: "has no steps"} // is always tried
	serving  = duty{any: []schema.Duty{schema.DutyServe}}
	remaking = duty{any: []schema.Duty{schema.DutyRebuild}}
	changing = duty{any: []schema.Duty{schema.DutyChange}}
	// relocating is what a person does, or who may move what is there.
	relocating = duty{any: []schema.Duty{schema.DutyMove}}
	either     = duty{any: []schema.Duty{schema.DutyRebuild, schema.DutyChange}}
	personal   = duty{}
	// releasing is tried, and says what a person has to release by name.
	releasing = duty{but: "never: it has to be released by name"}
)

// except is a duty of which a part is otherwise.
func (d duty) except(words string) duty { return duty{d.any, words} }

// String says what has to be allowed.
func (d duty) String() string {
	var words []string
	for _, of := range d.any {
		words = append(words, "`"+of.String()+"`")
	}
	text := strings.Join(words, " or ")
	switch {
	case text == "" && d.but != "":
		return d.but
	case text == "":
		return "never"
	case d.but != "":
		return text + "; " + d.but
	}
	return text
}

// unattended reports whether nobody looks at the plan.
func (b *builder) unattended() bool { return b.opt.Auto != nil }

// may reports whether one of these duties may be done to a volume, or for "" to what
// is no volume's. To let hosts go on that wait takes no more than to serve them.
func (b *builder) may(volume string, any ...schema.Duty) bool {
	if !b.unattended() {
		return true
	}
	allowed := b.opt.Auto[volume]
	if b.opt.ResumeOnly != nil {
		return allowed.Has(schema.DutyServe)
	}
	return slices.ContainsFunc(any, allowed.Has)
}

// may reports whether one of these duties may be done to the volume.
func (s *subject) may(any ...schema.Duty) bool { return s.b.may(s.v.Name, any...) }

// byMoving is what lets replicas go elsewhere.
const byMoving = `strata apply does it; with "move" in its auto it is done without a person`

// movers is who moves replicas where that is not allowed; "" where it is.
func (s *subject) movers() string {
	if s.may(schema.DutyChange, schema.DutyMove) {
		return ""
	}
	return byMoving
}

// tries reports whether a recipe of that duty may be tried on the volume.
func (s *subject) tries(d duty) bool {
	return !s.b.unattended() || d.any == nil && d.but != "" || s.may(d.any...)
}

// mayServeAny reports whether anything is served without a person: then disks are
// attached.
func (b *builder) mayServeAny() bool {
	if b.may("", schema.DutyServe) {
		return true
	}
	for _, allowed := range b.opt.Auto {
		if allowed.Has(schema.DutyServe) {
			return true
		}
	}
	return false
}

// kept says why a controller is not let go without a person: a volume stands on it
// for which no epoch may be minted; "" when it may. Of a volume that has no other
// legs none is minted.
func (b *builder) kept(n lineage.Node, ctrl *state.Controller) string {
	if !b.unattended() {
		return ""
	}
	for _, key := range b.standOn(n, ctrl.Name) {
		v, _ := key.Volume()
		need := schema.DutyFence
		if b.wholly(n, ctrl, v) {
			need = schema.DutyServe
		}
		volume := v.Name
		if b.cfg.Volume(volume) == nil {
			volume = ""
		}
		if !b.may(volume, need) {
			return "controller " + ctrl.Name + " on " + string(n) + " is to be let go first, and volume " + v.Name + ", which has a leg there, is to be left alone without a person"
		}
	}
	return ""
}

// keptStalled is kept for a controller that hosts still wait for.
func (b *builder) keptStalled(n lineage.Node, ctrl *state.Controller) string {
	if !b.may("", schema.DutyFence) {
		return "controller " + ctrl.Name + " on " + string(n) + " is to be let go, and that takes \"fence\" in the auto of the cluster"
	}
	return b.kept(n, ctrl)
}

// wholly reports whether all legs that a node has of a volume are reached over a
// controller.
func (b *builder) wholly(n lineage.Node, ctrl *state.Controller, v lineage.Volume) bool {
	at := b.w.Nodes[n]
	for name, raid := range at.Raids {
		if of, ok := b.cfg.Cluster.ParseRaid(name); !ok || of.Name != v.Name {
			continue
		}
		for _, l := range raid.Legs {
			if r := at.Remotes[l.UUID]; l.UUID != "" && (r == nil || r.Controller != ctrl.Name) {
				return false
			}
		}
	}
	return true
}

// mayDrop reports whether links that nobody needs are let go: who needs one is known
// of the volumes that may be rebuilt.
func (b *builder) mayDrop(ctrl *state.Controller) bool {
	switch {
	case !b.may("", schema.DutyFence):
		return false
	case ctrl != nil && ctrl.GivenUp():
		return true
	}
	return !slices.ContainsFunc(b.cfg.Volumes, func(v *schema.Volume) bool { return !b.may(v.Name, schema.DutyRebuild) })
}

// groupMay reports whether snapshots of the volume may be cut: those of its group are,
// too, at the same instant.
func (s *subject) groupMay() bool {
	return s.may(schema.DutyChange) && (s.v.Group == "" || !s.b.unattended() ||
		!slices.ContainsFunc(s.b.group(s.v.Group), func(v *schema.Volume) bool { return !s.b.may(v.Name, schema.DutyChange) }))
}

// unconfigured says that hosts use the volume in a way that is not configured any
// more. Taking that away is a person's, so as long as it is there the volume is not
// taken down: it would come up without.
func (s *subject) unconfigured() string {
	if !s.b.unattended() {
		return ""
	}
	for _, e := range s.b.w.Incarnation(s.id).Exports {
		switch n := s.b.cfg.Node(e.Node); {
		case e.Subsystem != nil && len(e.Subsystem.Listeners) == 0:
		case s.unwanted(e), n != nil && e.Subsystem != nil && slices.ContainsFunc(e.Subsystem.Listeners, func(l state.Listener) bool { return !slices.Contains(s.portals(n), l.Portal()) }):
			return "hosts reach it in a way on " + string(e.Node) + " that is not configured any more, and to take that away is left to a person"
		}
	}
	return ""
}

// released leaves out of the options of a plan that nobody looks at what only a person
// can have said.
func released(opt plan.Options) plan.Options {
	if opt.Auto != nil {
		opt.AllowDestroy, opt.Authority, opt.Failover, opt.Wishes = nil, nil, nil, nil
	}
	return opt
}
