package page

import (
	"cmp"
	"fmt"
	"html/template"
	"math/bits"
	"slices"
	"strings"
	"time"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/report"
	"strata/view"
)

// Data is what the page shows, of plain values only.
type Data struct {
	Version string
	Top     Top
	Nodes   []Node
	Wholes  []Whole
	Volumes []Volume // also the parts of wholes
	Copies  []view.Copy
	Trouble []Trouble
	Waiting *Waiting
	Entries []view.Entry
	// Asked are the volumes that the reader has asked for; none for all.
	Asked []string
	// Rest is how many volumes are listed without what they are made of.
	Rest int
}

// Top says how it all is.
type Top struct {
	Cluster string
	State   string // working, converged, blocked, failed, standby, starting
	Words   string
	Looked  string // RFC 3339; "" for never
	Loaded  string
	Broken  []string
	Auto    string
	Volumes []Count
}

// Count is how many volumes have a health.
type Count struct {
	Health string
	Count  int
}

// Node is a node with its pools.
type Node struct {
	ID, Name, State, Why, Since string
	Version, Locked             string
	Maintenance                 string
	Pools                       []Pool
}

// Pool is a pool with its fill.
type Pool struct {
	Name, Disk       string
	Size, Used, Free int64
	High             int64 // as much used is much
}

// Volume is a volume with what it is made of, if that is shown.
type Volume struct {
	report.Volume
	Part     string // its ID on the page
	Auto     string
	Traffic  *Traffic
	Replicas []Replica
	Missing  []Missing
	Brief    bool // what it is made of is not shown
}

// Missing is a replica that is configured and was not found.
type Missing struct{ Node, Why string }

// Traffic is the I/O of hosts, in words.
type Traffic struct{ Read, Written, ReadLate, WriteLate string }

// Replica is a replica with its layers as boxes.
type Replica struct {
	report.Replica
	Boxes []Box
}

// Box is a layer; those that stand on it are above.
type Box struct {
	Name, Title, Kind, Text string
	Partial                 bool
	Height                  int // 0 to 5, by how much it has of its own
	Above                   []Box
}

// Trouble is something that is not as it should be.
type Trouble struct{ About, Text, Hint, Until string }

// Waiting is the plan that waits for a person.
type Waiting struct {
	Summary  string
	Sections []WaitingSection
	More     int  // steps that are not shown
	Few      bool // so few that all are shown unfolded
}

// WaitingSection is a section of it.
type WaitingSection struct {
	Key   string
	Steps []WaitingStep
}

// WaitingStep is a step of it.
type WaitingStep struct{ Node, Text, Risk, Reason string }

const (
	// wholeMost is of how many volumes what they are made of is shown.
	wholeMost = 100
	// stepsMost is how many steps of a plan that waits are shown.
	stepsMost = 100
	// unfoldedMost is how many steps of a plan that waits are shown unfolded.
	unfoldedMost = 12
	// fullAt is how much of a pool that is used is much.
	fullAt = 0.85
)

func dataOf(v *view.View, version string, asked []string) *Data {
	d := &Data{Version: version, Top: top(v), Copies: v.Copies, Entries: v.Entries, Asked: asked}
	reported := map[lineage.Node]report.Node{}
	if v.Report != nil {
		for _, n := range v.Report.Nodes {
			reported[n.Name] = n
		}
	}
	if v.Config != nil {
		for _, n := range v.Config.Nodes {
			d.Nodes = append(d.Nodes, node(n.Name, v.Nodes[n.Name], reported[n.Name]))
		}
	}
	shown := 0
	d.Wholes, asked = wholes(v, asked)
	for _, vol := range v.WorstFirst() {
		if len(asked) > 0 && !slices.Contains(asked, vol.Name) {
			continue
		}
		brief := shown >= wholeMost
		if shown++; brief {
			d.Rest++
		}
		d.Volumes = append(d.Volumes, volume(v, vol, brief))
	}
	for _, t := range v.Troubles {
		until := ""
		if !t.Until.IsZero() {
			until = stamp(t.Until)
		}
		d.Trouble = append(d.Trouble, Trouble{About: t.Section.String(), Text: t.Text, Until: until, Hint: "it is tried again"})
		if until == "" {
			d.Trouble[len(d.Trouble)-1].Hint = "it is left alone until the configuration is edited or SIGHUP comes"
		}
	}
	for _, f := range v.Blocked {
		d.Trouble = append(d.Trouble, Trouble{About: f.About, Text: f.Text, Hint: f.Hint})
	}
	if v.Waiting != nil && !v.Waiting.Empty() {
		d.Waiting = waiting(v.Waiting)
	}
	return d
}

// Title is what the page is called.
func (d *Data) Title() string {
	if d.Top.Cluster == "" {
		return "strata"
	}
	return d.Top.Cluster + " · strata"
}

func top(v *view.View) Top {
	t := Top{Broken: v.Broken, State: "starting", Words: "the nodes are looked at for the first time"}
	if v.Config != nil {
		t.Cluster, t.Loaded, t.Auto = string(v.Config.Cluster), stamp(v.Loaded), v.Auto[""].String()
	}
	if !v.Looked.IsZero() {
		t.Looked = stamp(v.Looked)
	}
	switch {
	case !v.Leads && !v.Looked.IsZero(), !v.Leads && v.Config != nil && !v.Working:
		t.State, t.Words = "standby", cmp.Or(v.StandsBy, "standing by: another watch works, and knows what there is")
	case v.Failed != "":
		t.State, t.Words = "failed", "nothing is done now: "+v.Failed
	case v.Looked.IsZero():
	case v.Converged && !v.Working && len(v.Broken) > 0:
		t.State, t.Words = "blocked", "everything is as the last good configuration says"
	case v.Converged && !v.Working:
		t.State, t.Words = "converged", "everything is as configured"
	case v.Working && len(v.Copies) > 0:
		t.State, t.Words = "working", amount.Of(len(v.Copies), "layer")+" being copied"
	case v.Working:
		t.State, t.Words = "working", "at work"
	default:
		t.State, t.Words = "blocked", amount.Of(len(v.Blocked)+len(v.Troubles), "thing")+" not as configured"
		if len(v.Blocked)+len(v.Troubles) == 0 {
			t.Words = "not everything is as configured"
		}
		if v.Waiting != nil && !v.Waiting.Empty() {
			t.Words += ", and a plan waits for a person"
		}
	}
	if v.Report != nil {
		seen := v.Report.Seen()
		for _, h := range report.Healths {
			if n := seen[h]; n > 0 {
				t.Volumes = append(t.Volumes, Count{string(h), n})
			}
		}
	}
	return t
}

func node(name lineage.Node, is view.Node, r report.Node) Node {
	n := Node{ID: "node-" + string(name), Name: string(name), State: is.State(), Why: is.Silent, Version: r.Version, Locked: r.By, Maintenance: r.Maintenance}
	if r.Locked == "" {
		n.Locked = ""
	}
	if n.Why == "" {
		n.Why = r.Unknown
	}
	if !is.Since.IsZero() {
		n.Since = stamp(is.Since)
	}
	for _, p := range r.Pools {
		n.Pools = append(n.Pools, Pool{Name: p.Name, Disk: p.Disk, Size: p.Size, Used: p.Size - p.Free, Free: p.Free, High: int64(fullAt * float64(p.Size))})
	}
	return n
}

func volume(v *view.View, vol report.Volume, brief bool) Volume {
	key := vol.Key()
	out := Volume{Volume: vol, Part: "volume-" + key, Brief: brief}
	if auto, known := v.Auto[vol.Name]; known {
		out.Auto = auto.String()
	}
	if brief {
		return out
	}
	if t, known := v.Traffic[key]; known {
		out.Traffic = &Traffic{Read: amount.About(int64(t.BytesRead)), Written: amount.About(int64(t.BytesWritten)), ReadLate: late(t.ReadLate), WriteLate: late(t.WriteLate)}
	}
	for _, r := range vol.Replicas {
		out.Replicas = append(out.Replicas, Replica{r, boxes(r.Stack)})
	}
	out.Missing = missing(v, &vol)
	return out
}

// missing are the replicas of a volume, of which there are some, that were not found.
func missing(v *view.View, vol *report.Volume) (all []Missing) {
	conf := v.Config.Volume(vol.Name)
	if conf == nil || vol.Health == report.Absent || vol.Health == report.Following || vol.Health == report.Orphaned {
		return nil
	}
	found := map[lineage.Node]bool{}
	for _, r := range vol.Replicas {
		found[r.Node] = true
	}
	on := conf.Replicas.On
	for _, n := range on {
		switch {
		case found[n]:
		case v.Nodes[n].Silent != "":
			all = append(all, Missing{string(n), "the node does not answer"})
		case v.Nodes[n].HeldDown:
			all = append(all, Missing{string(n), "the node is held down"})
		default:
			all = append(all, Missing{string(n), "no replica was found"})
		}
	}
	if lacks := vol.Wanted - len(found); len(on) == 0 && lacks > 0 {
		all = append(all, Missing{Why: amount.Of(lacks, "replica") + " more wanted"})
	}
	return all
}

// late is a latency in words; "" for none.
func late(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}

// boxes draws layers. What all of a stack's names begin with says nothing.
func boxes(layers []report.Layer) (all []Box) {
	for _, l := range layers {
		name := string(l.Name)
		short := name
		if i := strings.IndexAny(name, "#@+"); i > 0 {
			short = name[i:]
		}
		text := amount.About(l.Allocated) + " of its own"
		switch l.Kind {
		case "head":
			short, text = "head "+short, amount.About(l.Allocated)+" written"
		case "own":
			text += ", strata's"
		case "staging":
			text = amount.About(l.Allocated) + " so far, staging"
		case "clone":
			short = name
			text += ", a clone"
		}
		if l.Partial {
			text += ", left over"
		}
		all = append(all, Box{
			Name: short, Title: name, Kind: l.Kind, Text: text, Partial: l.Partial,
			Height: min(5, bits.Len64(uint64(max(0, l.Allocated))>>20)/3), Above: boxes(l.Above),
		})
	}
	return all
}

func waiting(p *plan.Plan) *Waiting {
	w := &Waiting{Summary: p.Summary()}
	left := stepsMost
	for nr, pass := range p.Passes {
		for i := range pass.Sections {
			s := WaitingSection{Key: pass.Sections[i].Key().String()}
			if len(p.Passes) > 1 {
				s.Key = fmt.Sprintf("pass %d: %s", nr+1, s.Key)
			}
			for step := range pass.Sections[i].Steps() {
				if left--; left < 0 {
					w.More++
					continue
				}
				s.Steps = append(s.Steps, WaitingStep{string(step.Op.On()), step.Op.Words(), string(step.Risk), step.Reason})
			}
			if len(s.Steps) > 0 {
				w.Sections = append(w.Sections, s)
			}
		}
	}
	w.Few = stepsMost-left <= unfoldedMost
	return w
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// part is a piece of the page that is told of by itself.
type part struct {
	id, list, template string
	data               any
}

// lists are those whose parts come and go.
var lists = []string{"nodes", "volumes"}

func (d *Data) parts() []part {
	all := []part{
		{"top", "", "top", d.Top}, {"trouble", "", "trouble", d.Trouble}, {"copies", "", "copies", d.Copies},
		{"waiting", "", "waiting", d.Waiting}, {"entries", "", "entries", d.Entries},
	}
	for i := range d.Nodes {
		all = append(all, part{d.Nodes[i].ID, "nodes", "node", &d.Nodes[i]})
	}
	for i := range d.Wholes {
		all = append(all, part{d.Wholes[i].ID, "volumes", "whole", &d.Wholes[i]})
	}
	for i := range d.Volumes {
		all = append(all, part{d.Volumes[i].Part, "volumes", "volume", &d.Volumes[i]})
	}
	return all
}

// words are what the templates say things with.
var words = template.FuncMap{
	"about": amount.About,
	"of":    func(n int, what string) string { return amount.Of(n, what) },
	"clock": func(at string) string { // of an RFC 3339 time, as it is read without a script
		return strings.NewReplacer("T", " ", "Z", " UTC").Replace(at)
	},
	"iso":  stamp,
	"told": func(all []report.Host) bool { return all != nil },
	"percent": func(used, size int64) string {
		if size == 0 {
			return "0 %"
		}
		return fmt.Sprintf("%d %%", 100*used/size)
	},
	"lower": strings.ToLower,
}
