package plan

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// SavedFormat is the first field of a saved plan. A reader refuses what begins
// with another.
const SavedFormat = "strata-plan/1"

// Saved is a plan in a file, to be read, approved and carried out later, maybe
// elsewhere. It has all that carrying it out takes but the targets: the
// configuration, what the operator allowed, every step by its ID, and what the
// steps rely on. The same input makes the same bytes.
type Saved struct {
	Format  string           `json:"format"`
	Version string           `json:"version"` // of the strata that wrote it
	Config  *schema.Config   `json:"config"`
	Options SavedOptions     `json:"options"`
	Placed  map[string]Place `json:"placed"` // by new volume
	Relies  map[string]Fact  `json:"relies"` // by section
	Plan    *Outline         `json:"plan"`
}

// SavedOptions are the Options that a plan was made with.
type SavedOptions struct {
	AllowDestroy []string                `json:"allowDestroy,omitempty"` // sorted
	Authority    map[string]lineage.Node `json:"authority,omitempty"`
	// Now is the time in seconds since 1970 UTC that snapshots on schedule were
	// planned for; 0 where there are none.
	Now int64 `json:"now,omitempty"`
}

// Place is where a new volume goes.
type Place struct {
	Replicas []lineage.Node `json:"replicas"`
	Engine   lineage.Node   `json:"engine"`
}

// Fact is what there was of a section's object when the plan was made.
type Fact struct {
	Digest string            `json:"digest"` // SHA-256 of the rest
	Found  map[string]string `json:"found"`  // what was found, by object
}

// Save makes the file of a plan, which must have been made without Nonce.
func Save(cfg *schema.Config, snap *state.Snapshot, p *Plan, opt Options, version string) *Saved {
	s := &Saved{
		Format: SavedFormat, Version: version, Config: cfg, Plan: p.Outline(cfg.Cluster), Relies: map[string]Fact{}, Placed: placed(cfg, p),
		Options: SavedOptions{Authority: opt.Authority},
	}
	for name, allowed := range opt.AllowDestroy {
		if allowed {
			s.Options.AllowDestroy = append(s.Options.AllowDestroy, name)
		}
	}
	slices.Sort(s.Options.AllowDestroy)
	if slices.ContainsFunc(cfg.Volumes, func(v *schema.Volume) bool { return v.Every > 0 || v.ResyncSec > 0 }) {
		s.Options.Now = opt.Now
	}
	snap = within(cfg, snap)
	for _, pass := range p.Passes {
		for i := range pass.Sections {
			sec := &pass.Sections[i]
			s.Relies[sec.Key()] = factOf(findings(cfg, snap, sec.Kind, sec.Name))
		}
	}
	return s
}

// placed finds where a plan puts new volumes.
func placed(cfg *schema.Config, p *Plan) map[string]Place {
	all := map[string]Place{}
	for _, step := range p.Steps() {
		var v lineage.Volume
		var at Place
		switch op := step.Op.(type) {
		case LvolCreate:
			if h, ok := parsedHead(op.Name); ok && h.Volume.ID == lineage.Pending {
				v, at.Replicas = h.Volume, []lineage.Node{op.Node}
			}
		case LvolRename:
			if h, ok := parsedHead(op.To); ok && h.Volume.ID == lineage.Pending && h.Mark == lineage.Primary {
				v, at.Engine = h.Volume, op.Node
			}
		case RaidCreate:
			if r, ok := cfg.Cluster.ParseRaid(op.Raid); ok && r.ID == lineage.Pending {
				v, at.Engine = r, op.Node
			}
		}
		if v.Name == "" {
			continue
		}
		have := all[v.Name]
		have.Replicas = append(have.Replicas, at.Replicas...)
		have.Engine = cmp.Or(at.Engine, have.Engine)
		all[v.Name] = have
	}
	return all
}

func parsedHead(name lineage.LvolName) (lineage.Head, bool) {
	n, _ := lineage.Parse(name)
	h, ok := n.(lineage.Head)
	return h, ok
}

// PlanConfig is the configuration with new volumes where the plan puts them: it
// must not put them elsewhere when it is made again.
func (s *Saved) PlanConfig() *schema.Config {
	cfg := *s.Config
	cfg.Volumes = slices.Clone(cfg.Volumes)
	for i, v := range cfg.Volumes {
		if at, new := s.Placed[v.Name]; new {
			v := *v
			v.Engine = cmp.Or(v.Engine, at.Engine)
			if len(at.Replicas) > 0 { // those of an adopted lvol's volume go where it says
				v.Replicas.On = at.Replicas
			}
			cfg.Volumes[i] = &v
		}
	}
	return &cfg
}

// PlanOptions are the options to make the plan again with.
func (s *Saved) PlanOptions() Options {
	opt := Options{AllowDestroy: map[string]bool{}, Authority: s.Options.Authority, Now: s.Options.Now}
	for _, name := range s.Options.AllowDestroy {
		opt.AllowDestroy[name] = true
	}
	return opt
}

// Encode makes the bytes of the file.
func (s *Saved) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

// Decode reads the bytes of a file.
func Decode(b []byte) (*Saved, error) {
	var head struct {
		Format string `json:"format"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("this is no saved plan: %w", err)
	}
	if head.Format != SavedFormat {
		return nil, fmt.Errorf("this is no saved plan of a form that is known here: its format is %q, not %q", head.Format, SavedFormat)
	}
	s := &Saved{}
	dec := json.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(s); err != nil {
		return nil, fmt.Errorf("this saved plan cannot be read: %w", err)
	}
	if s.Config == nil || s.Plan == nil {
		return nil, fmt.Errorf("this saved plan is not whole: it lacks config or plan")
	}
	return s, nil
}

// Deviation is a step that is due and not in a saved plan.
type Deviation struct {
	Section string
	Step    Step
	// Changed says what is not as it was when the plan was saved.
	Changed []string
}

func (d Deviation) Error() string {
	text := fmt.Sprintf("%s: now it takes another step than those in the plan: on %s, %s", d.Section, d.Step.Op.On(), Words(d.Step.Op))
	if d.Step.Reason != "" {
		text += " (" + d.Step.Reason + ")"
	}
	for _, c := range d.Changed {
		text += "\n    " + c
	}
	return text
}

// Admit leaves of a plan, made from what there is now, what the saved one has:
// sections it knows, if all of their steps stand in it. What else is due is
// another matter, and is left alone; the names of those sections are others.
func (s *Saved) Admit(cfg *schema.Config, snap *state.Snapshot, p *Plan) (admitted *Plan, deviations []Deviation, others []string) {
	known := s.ids()
	pending := s.pending()
	out := &Plan{Notes: p.Notes, Places: p.Places, Labels: p.Labels}
	for _, f := range p.Blocked {
		if known[f.About] != nil || slices.ContainsFunc(s.Plan.Blocked, func(r Remark) bool { return r.About == f.About }) {
			out.Blocked = append(out.Blocked, f)
		}
	}
	refused := map[string]bool{}
	seen := map[string]bool{}
	for _, pass := range p.Passes {
		kept := Pass{Assumes: pass.Assumes}
		gone := map[string]*Section{}
		for i := range pass.Sections {
			sec := &pass.Sections[i]
			key := sec.Key()
			if known[key] == nil {
				gone[key] = sec
				if !seen[key] {
					seen[key] = true
					others = append(others, key)
				}
				continue
			}
			if refused[key] {
				continue
			}
			odd := foreign(sec, known[key], pending)
			for _, after := range sec.After {
				if other := gone[after]; other != nil && odd == nil {
					odd = &other.Stages[0][0]
				}
				if refused[after] {
					refused[key] = true
				}
			}
			switch {
			case odd != nil:
				refused[key] = true
				deviations = append(deviations, Deviation{key, *odd, s.changed(cfg, snap, sec)})
			case !refused[key]:
				kept.Sections = append(kept.Sections, *sec)
			}
		}
		if len(kept.Sections) > 0 {
			out.Passes = append(out.Passes, kept)
		}
	}
	slices.Sort(others)
	return out, deviations, others
}

// ids has, by section, the IDs of the steps and the risk that was approved.
func (s *Saved) ids() map[string]map[string]Risk {
	ids := map[string]map[string]Risk{}
	for _, pass := range s.Plan.Passes {
		for _, sec := range pass.Sections {
			if ids[sec.Key] == nil {
				ids[sec.Key] = map[string]Risk{}
			}
			for _, stage := range sec.Stages {
				for _, step := range stage {
					if have := ids[sec.Key]; !step.Risk.within(have[step.ID]) {
						have[step.ID] = step.Risk
					}
				}
			}
		}
	}
	return ids
}

// pending finds the names of lvols of volumes whose ids are not drawn yet in
// the saved plan.
func (s *Saved) pending() []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, v := range s.Config.Volumes {
		name := lineage.Volume{Name: v.Name, ID: lineage.Pending}.String()
		for _, pass := range s.Plan.Passes {
			if slices.ContainsFunc(pass.Sections, func(sec OutlineSection) bool { return sec.mentions(name) }) {
				all = append(all, regexp.MustCompile(`(^|[^\w-])(`+regexp.QuoteMeta(v.Name)+`)\.[a-z2-7]{4}\b`))
				break
			}
		}
	}
	return all
}

func (s *OutlineSection) mentions(name string) bool {
	for _, stage := range s.Stages {
		for _, step := range stage {
			if strings.Contains(step.Text, name) {
				return true
			}
		}
	}
	return false
}

// foreign finds the first step of a section that is not among the known ones.
func foreign(sec *Section, known map[string]Risk, pending []*regexp.Regexp) *Step {
	for _, stage := range sec.Stages {
		for i := range stage {
			if !implied(stage[i].Op) && !stage[i].Risk.within(known[stage[i].id(pending)]) {
				return &stage[i]
			}
		}
	}
	return nil
}

// implied reports whether a step may be taken for any object that a plan works
// on: it lets hosts that are held go on, or writes down which replicas are
// current. Both may be due after an interruption.
func implied(op Op) bool {
	switch op := op.(type) {
	case Resume:
		return true
	case LvolRename:
		_, from := parsedHead(op.From)
		_, to := parsedHead(op.To)
		return from && to
	}
	return false
}

// changed compares what a section relies on with what there is.
func (s *Saved) changed(cfg *schema.Config, snap *state.Snapshot, sec *Section) []string {
	then := s.Relies[sec.Key()]
	now := factOf(findings(cfg, within(cfg, snap), sec.Kind, sec.Name))
	if then.Digest == now.Digest {
		return nil
	}
	objects := maps.Clone(then.Found)
	maps.Copy(objects, now.Found)
	var list []string
	for _, object := range slices.Sorted(maps.Keys(objects)) {
		if a, b := then.Found[object], now.Found[object]; a != b {
			list = append(list, fmt.Sprintf("%s: expected %s, found %s", object, cmp.Or(a, "nothing"), cmp.Or(b, "nothing")))
		}
	}
	return list
}

func factOf(found map[string]string) Fact {
	b, err := json.Marshal(found) // keys are sorted
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(b)
	return Fact{Digest: hex.EncodeToString(sum[:]), Found: found}
}

// findings says what there is of the object that a section works on, without
// what changes by itself: what is allocated, and how far a copy is.
func findings(cfg *schema.Config, snap *state.Snapshot, kind Kind, name string) map[string]string {
	c := cfg.Cluster
	f := map[string]string{}
	for node, n := range snap.Nodes {
		switch {
		case n.Unknown != "":
			if kind != KindNode || name == string(node) {
				f["node "+string(node)] = "does not answer"
			}
		case kind == KindNode && name == string(node):
			nodeFindings(f, n)
		case kind == KindLink:
			linkFindings(f, c, n, name)
		case kind == KindVolume:
			volumeFindings(f, c, snap, n, name)
			adoptFindings(f, cfg.Volume(name), n)
		case kind == KindGroup:
			for _, v := range cfg.Volumes {
				if v.Group == name {
					volumeFindings(f, c, snap, n, v.Name)
				}
			}
		}
	}
	return f
}

func nodeFindings(f map[string]string, n *state.Node) {
	at := "node " + string(n.Name) + ": "
	for _, d := range n.Disks {
		f[at+"disk "+d.Bdev] = fmt.Sprintf("%s %s, %s", d.Kind, d.Path, Size(d.Size))
	}
	for _, l := range n.Lvstores {
		f[at+"lvstore "+l.Name] = "on " + l.Base
	}
	if n.TCP {
		f[at+"NVMe/TCP transport"] = "there"
	}
}

func linkFindings(f map[string]string, c lineage.Cluster, n *state.Node, name string) {
	at := "node " + string(n.Name) + ": "
	for nqn, sub := range n.Subsystems {
		if l, ok := c.ParseLink(nqn); ok && linkName(l) == name {
			f[at+"subsystem "+string(nqn)] = subsystem(sub)
		}
	}
	for _, ctrl := range n.Controllers {
		if l, ok := c.ParseLink(ctrl.NQN); ok && linkName(l) == name {
			f[at+"controller "+ctrl.Name] = ctrl.State
		}
	}
}

func volumeFindings(f map[string]string, c lineage.Cluster, snap *state.Snapshot, n *state.Node, name string) {
	name, id, one := strings.Cut(name, ".")
	ours := func(v lineage.Volume) bool { return v.Name == name && (!one || string(v.ID) == id) }
	at := "node " + string(n.Name) + ": "
	for _, l := range n.Lvols {
		if l.Parsed == nil || !ours(l.Parsed.Of()) {
			continue
		}
		what := Size(l.Size)
		if l.Parent != "" {
			what += " on " + string(l.Parent)
		}
		if !l.Complete() {
			what += ", not complete"
		}
		f[at+"lvol "+l.Alias()] = what
	}
	for _, r := range n.Raids {
		if v, ok := c.ParseRaid(r.Name); ok && ours(v) {
			var legs []string
			for _, leg := range r.Legs {
				if leg.Configured {
					legs = append(legs, whose(snap, leg.UUID))
				}
			}
			slices.Sort(legs)
			f[at+"mirror "+r.Name] = r.State + ", of " + strings.Join(legs, " and ")
		}
	}
	for nqn, sub := range n.Subsystems {
		if v, ok := c.ParseExport(nqn); ok && ours(v) {
			f[at+"export "+string(nqn)] = subsystem(sub)
		}
	}
}

// adoptFindings says what there is of the lvol that a volume adopts.
func adoptFindings(f map[string]string, v *schema.Volume, n *state.Node) {
	if v == nil || v.Adopt == nil || v.Adopt.Node != n.Name {
		return
	}
	if l := n.Lvols[v.Adopt.Alias()]; l != nil && l.Parsed == nil {
		what := Size(l.Size)
		for _, h := range n.Holders(l) {
			what += ", " + h.What
		}
		f["node "+string(n.Name)+": lvol "+l.Alias()] = what
	}
}

// whose says on which node an lvol is.
func whose(snap *state.Snapshot, u lineage.UUID) string {
	for _, name := range slices.Sorted(maps.Keys(snap.Nodes)) {
		if l := snap.Nodes[name].LvolByUUID(u); l != nil {
			return string(name)
		}
	}
	return "an unknown node"
}

func subsystem(s *state.Subsystem) string {
	var parts []string
	for _, l := range s.Listeners {
		parts = append(parts, "at "+l.Address+":"+l.Port)
	}
	slices.Sort(parts)
	if s.AnyHost {
		parts = append(parts, "for any host")
	}
	for _, h := range s.Hosts {
		parts = append(parts, "for "+string(h))
	}
	return strings.Join(append([]string{"there"}, parts...), ", ")
}
