package recipe

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/plan/plantest"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
	"strata/state/worldtest"
)

// autos are all sets of duties that the schema accepts.
func autos() (all []schema.Auto) {
	for a := range schema.AllDuties + 1 {
		if _, err := schema.ParseAuto(a.Words()); err == nil {
			all = append(all, a)
		}
	}
	return all
}

// everywhere allows the same of all volumes, and of what is no volume's.
func everywhere(cfg *schema.Config, a schema.Auto) map[string]schema.Auto { return cfg.Autos(&a) }

// duties has, by the type of an operation, what takes a duty of its own: one of these.
var duties = map[string][]schema.Duty{
	"LvolCreate": {schema.DutyRebuild, schema.DutyChange}, "LvolClone": {schema.DutyRebuild, schema.DutyChange}, "LvolCloneBdev": {schema.DutyRebuild},
	"LvolDelete": {schema.DutyRebuild, schema.DutyChange}, "LvolSnapshot": {schema.DutyRebuild, schema.DutyChange}, "LvolResize": {schema.DutyRebuild, schema.DutyChange},
	"LvolDecouple": {schema.DutyRebuild, schema.DutyChange}, "LvolSetParent": {schema.DutyRebuild}, "ShallowCopy": {schema.DutyRebuild}, "RaidGrow": {schema.DutyRebuild},
	"LvstoreCreate": {schema.DutyChange}, "Remind": {schema.DutyChange}, "Forget": {schema.DutyChange}, "TrialDelete": {schema.DutyChange},
	"RecordForget": {schema.DutyChange}, "ArchivePrune": {schema.DutyChange},
}

// never are operations that are in no plan that nobody looks at.
func never(c lineage.Cluster, op plan.Op) bool {
	switch op := op.(type) {
	case plan.HostRefuse:
		_, export := c.ParseExport(op.NQN)
		return export
	case plan.AnyHost:
		_, export := c.ParseExport(op.NQN)
		return export && !op.Allow
	default: // by what it does to the volume (reach)
		return false
	}
}

// forsakes reports whether an operation says of a volume that hosts reach as the section
// begins that a leg of it is lost.
func forsakes(ways map[string]string, s *plan.Section, op plan.Op) bool {
	r, ok := op.(plan.LvolRename)
	from, was := lineage.ParseHead(r.From)
	to, is := lineage.ParseHead(r.To)
	reached := false
	for way, volume := range ways {
		reached = reached || volume == s.Name && strings.Contains(way, " is reached at ")
	}
	return ok && was && is && reached && from.Mark != lineage.Fenced && to.Mark != lineage.Fenced && to.Legs < from.Legs
}

// overreach is the first thing that a plan which nobody has looked at does and must
// not; nil for none. It looks at the steps by itself.
func overreach(cfg *schema.Config, snap *state.Snapshot, opt plan.Options, p *plan.Plan) error {
	w := world.New(cfg.Cluster, world.Fit(cfg, snap))
	union := schema.Auto(0)
	for _, a := range opt.Auto {
		union |= a
	}
	for _, pass := range p.Passes {
		began, letGo, saidAny := reach(cfg, w), false, false
		for i := range pass.Sections {
			s := &pass.Sections[i]
			allowed := union // of what a link or node does for a volume
			if v, ok := s.Key().Volume(); ok {
				allowed = opt.Auto[v.Name]
			}
			before := reach(cfg, w)
			// A link's section may let go of a peer whose legs are lost already, or are then
			// said to be (fence).
			parts, useless := false, false
			said := false // that a leg is out which the mirror has still, over a link that waits (fence)
			for step := range s.Steps() {
				say := func(format string, args ...any) error {
					return fmt.Errorf("%s may have %s, and step %d (%s on %s) %s", s.Key(), allowed, step.Number, step.Op.Words(), step.Op.On(), fmt.Sprintf(format, args...))
				}
				any, takes := duties[reflect.TypeOf(step.Op).Name()]
				if ofForerunner(step.Op) {
					any = []schema.Duty{schema.DutyChange}
				}
				switch del, deletes := step.Op.(plan.LvolDelete); {
				case !allowed.Has(schema.DutyServe):
					return say("is done")
				case takes && !slices.ContainsFunc(any, allowed.Has):
					return say("takes more")
				case forsakes(before, s, step.Op) && !allowed.Has(schema.DutyFence):
					return say("counts a leg as lost")
				case never(cfg.Cluster, step.Op):
					return say("takes hosts' right away")
				case step.Risk == plan.RiskDestroy && !(onSchedule(step.Op) && allowed.Has(schema.DutyChange)):
					return say("destroys")
				case deletes && isCurrent(cfg, w, s, del):
					return say("deletes a current replica")
				}
				said = said || forsakes(before, s, step.Op)
				if off, ok := step.Op.(plan.ControllerDisable); ok {
					parts, useless = true, w.Nodes[off.Node].Controllers[off.Controller].GivenUp()
				}
				if off, ok := step.Op.(plan.ControllerDetach); ok && !parts {
					parts, useless = true, w.Nodes[off.Node].Controllers[off.Controller].GivenUp()
				}
				if err := w.Project(step.Op); err != nil {
					return err
				}
			}
			after := reach(cfg, w)
			letGo, saidAny = letGo || parts || useless, saidAny || said
			for _, way := range slices.Sorted(maps.Keys(before)) {
				volume := before[way]
				if cfg.Volume(volume).Part != nil {
					continue // at the end of the pass: what all parts share is away in between, and brings them up again
				}
				if said && strings.HasSuffix(way, " copies") || opt.Auto[volume].Has(schema.DutyMove) && moved(cfg, volume, way, after) {
					continue
				}
				if of, ok := s.Key().Volume(); after[way] == "" && (ok || !parts || !opt.Auto[volume].Has(schema.DutyFence)) && (ok && of.Name == volume || !useless) {
					return fmt.Errorf("%s takes away: %s", s.Key(), way)
				}
			}
		}
		after := reach(cfg, w)
		for _, way := range slices.Sorted(maps.Keys(began)) {
			volume := began[way]
			gone := cfg.Volume(volume).Part != nil && after[way] == "" && !letGo && !(saidAny && strings.HasSuffix(way, " copies"))
			if gone && !(opt.Auto[volume].Has(schema.DutyMove) && moved(cfg, volume, way, after)) {
				return fmt.Errorf("the pass takes away: %s", way)
			}
		}
	}
	return nil
}

// moved reports whether a way went that may where replicas and engines are moved: a copy
// beyond the number that is configured, or an address instead of which hosts that have
// several paths have another.
func moved(cfg *schema.Config, volume, way string, after map[string]string) bool {
	v := cfg.Volume(volume)
	if id, address, ok := strings.Cut(way, " is reached at "); ok && address != "" {
		return v.Export.Standby > 0 && slices.ContainsFunc(slices.Collect(maps.Keys(after)), func(now string) bool { return strings.HasPrefix(now, id+" is reached at ") })
	}
	var n int
	_, copies, _ := strings.Cut(way, " has ")
	_, err := fmt.Sscanf(copies, "%d copies", &n)
	return err == nil && n > v.Replicas.Count
}

// fencedOff reports whether an engine is let in nowhere where its volume has a leg: hosts
// wait for it without end.
func fencedOff(c lineage.Cluster, w *world.World, verdict state.Verdict) bool {
	for _, l := range verdict.Legs {
		at := w.Nodes[l.Node]
		if l.Node == verdict.Engine || at == nil {
			return false
		}
		for _, sub := range at.Subsystems {
			if link, ok := c.ParseLink(sub.NQN); ok && link.To == verdict.Engine && slices.Contains(sub.Hosts, c.HostNQN(verdict.Engine)) {
				return false
			}
		}
	}
	return true
}

// reach has the ways by which hosts reach configured volumes on the engines that are
// believed, and the current copies there are, each with its volume.
func reach(cfg *schema.Config, w *world.World) map[string]string {
	ways := map[string]string{}
	for _, name := range w.Volumes() {
		for _, id := range w.Incarnations(name) {
			inc := w.Incarnation(id)
			if cfg.Volume(name) == nil {
				continue
			}
			verdict := w.Judge(inc, state.Question{Cluster: cfg.Cluster, Replicas: cfg.Volume(name).Replicas.Count})
			if verdict.Engine == "" || verdict.Unknown != "" || cfg.Suspended(verdict.Engine) { // the word is a person's
				continue
			}
			if fencedOff(cfg.Cluster, w, verdict) {
				continue
			}
			for i := range verdict.Legs {
				ways[fmt.Sprintf("%s has %d copies", id, i+1)] = name
			}
			for _, e := range inc.Exports {
				switch {
				case e.Device == "" || e.Node != verdict.Engine:
				case e.Subsystem == nil:
					ways[fmt.Sprintf("%s is shown by ublk %d, nbd %s on %s", id, e.Ublk, e.NBD, e.Node)] = name
				default:
					for _, l := range e.Subsystem.Listeners {
						ways[fmt.Sprintf("%s is reached at %s:%s", id, l.Address, l.Port)] = name
					}
				}
			}
		}
	}
	return ways
}

// onSchedule reports whether all that a step destroys was made on a schedule.
func onSchedule(op plan.Op) bool {
	var gone []lineage.LvolName
	switch op := op.(type) {
	case plan.LvolDelete:
		gone = []lineage.LvolName{op.Name}
	case plan.RecordForget:
		gone = op.Layers
	default: // destroys nothing of that kind
	}
	other := func(n lineage.LvolName) bool { return !strings.Contains(string(n), "."+schema.AutoPrefix) }
	return len(gone) > 0 && !slices.ContainsFunc(gone, other)
}

func isCurrent(cfg *schema.Config, w *world.World, s *plan.Section, op plan.LvolDelete) bool {
	v, ok := s.Key().Volume()
	if !ok || cfg.Volume(v.Name) == nil {
		return false
	}
	for _, id := range w.Incarnations(v.Name) {
		inc := w.Incarnation(id)
		verdict := w.Judge(inc, state.Question{Cluster: cfg.Cluster, Replicas: cfg.Volume(v.Name).Replicas.Count})
		for _, l := range verdict.Legs {
			if verdict.Unknown == "" && l.Head != nil && l.Node == op.Node && l.Head.Lvol.Lvstore == op.Lvstore && l.Head.Lvol.Name == op.Name {
				return true
			}
		}
	}
	return false
}

// ofForerunner reports whether an op is of a volume that hosts use while it is restored.
func ofForerunner(op plan.Op) bool {
	name := lineage.LvolName("")
	switch op := op.(type) {
	case plan.LvolCloneBdev:
		name = op.Name
	case plan.LvolSetParent:
		name = op.Name
	default: // is of something else
	}
	parsed, _ := lineage.Parse(name)
	st, is := parsed.(lineage.Staging)
	return is && st.Forerunner()
}

// TestUnattended: whatever the golden cases begin with, and whatever is allowed, a plan
// that nobody looks at is safe, does no more than is allowed, and leaves what the next
// such plan finds nothing to do in; with all that can be allowed, what a person then does
// ends where he would have come alone.
func TestUnattended(t *testing.T) {
	for _, c := range plantest.Cases(t, "testdata") {
		t.Run(c.Name, func(t *testing.T) {
			cfg, snap, opt := c.Load(t)
			opt.Auto = nil
			full, err := Build(cfg, snap, opt)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range autos() {
				alone := opt
				alone.Auto = everywhere(cfg, a)
				p := unattended(t, cfg, snap, alone, a)
				if p == nil {
					continue
				}
				left := carriedOut(t, cfg, snap, p, len(p.Steps()))
				after := recorded(cfg, opt, p.Steps())
				alone.Catalog = after.Catalog
				if again := unattended(t, cfg, left, alone, a); again != nil && !again.Empty() {
					t.Errorf("%s: something is left to do:\n%s\nafter\n%s", a, plantest.Text(again), plantest.Text(p))
				}
				rest, err := Build(cfg, left, after)
				if err != nil {
					t.Errorf("%s, and then a person: %v", a, err)
					continue
				}
				got, want := summary(cfg, carriedOut(t, cfg, left, rest, len(rest.Steps()))), summary(cfg, carriedOut(t, cfg, snap, full, len(full.Steps())))
				if got != want {
					t.Errorf("%s, and then a person, leaves\n%s\nand a person alone\n%s\nby\n%s\nthen\n%s", a, got, want, plantest.Text(p), plantest.Text(rest))
				}
			}
		})
	}
}

// summary is how volumes are served in a world.
func summary(cfg *schema.Config, snap *state.Snapshot) string {
	var b strings.Builder
	for _, name := range snap.Volumes() {
		for _, id := range snap.Incarnations(name) {
			inc := snap.Incarnation(cfg.Cluster, id)
			q := state.Question{Cluster: cfg.Cluster}
			if v := cfg.Volume(name); v != nil {
				q.Replicas = v.Replicas.Count
			}
			verdict := snap.Judge(inc, q)
			fmt.Fprintf(&b, "%s: engine %t, %d copies, %d ways, unknown %t\n", name, verdict.Engine != "", len(verdict.Legs), len(inc.Exports), verdict.Unknown != "")
		}
	}
	return b.String()
}

func unattended(t *testing.T, cfg *schema.Config, snap *state.Snapshot, opt plan.Options, a schema.Auto) *plan.Plan {
	t.Helper()
	p, err := Build(cfg, snap, opt)
	if err == nil {
		err = sameSlowly(cfg, snap, opt, p)
	}
	if err == nil {
		err = overreach(cfg, snap, opt, p)
	}
	for i := 0; err == nil && i < len(p.Blocked); i++ {
		if p.Blocked[i].Hint == defect {
			err = errors.New(p.Blocked[i].About + ": " + p.Blocked[i].Text)
		}
	}
	if err != nil {
		t.Errorf("%s: %v\n%s", a, err, worldtest.Write(snap))
		if p != nil {
			t.Log(plantest.Text(p))
		}
		return nil
	}
	return p
}

// TestUnattendedHistories is TestRandomHistories of clusters where nobody looks at most
// plans, and what they may do changes from one to the next. In the end everything is
// allowed that can be, and only then a person does the rest.
func TestUnattendedHistories(t *testing.T) {
	first, end := firstSeed(), time.Now().Add(*histories)
	for n := int64(0); n < int64(len(fixedHistories)) || time.Now().Before(end); n++ {
		seed := first + n
		switch {
		case *replay != 0:
			seed = *replay
		case n < int64(len(fixedHistories)):
			seed = fixedHistories[n]
		case n%3 == 2:
			seed = -seed // on targets of Longhorn's fork
		}
		h := newHistory(seed)
		h.alone = true
		if err := h.run(); err != nil {
			t.Fatalf("…\n%s\n%v\nreplay with -run UnattendedHistories -seed %d", strings.Join(h.c.log[max(0, len(h.c.log)-60):], "\n"), err, seed)
		}
		if *replay != 0 {
			return
		}
	}
}

// allowed draws what may be done without a person.
func (h *history) allowed() map[string]schema.Auto {
	all := autos()
	auto := map[string]schema.Auto{"": all[h.Intn(len(all))]}
	for i := range 6 {
		auto[fmt.Sprintf("v%d", i)] = all[h.Intn(len(all))]
	}
	return auto
}
