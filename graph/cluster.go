package graph

import (
	"fmt"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/report"
	"strata/schema"
	"strata/state"
)

// Columns of a cluster's picture, from hosts to disks.
const (
	exportColumn = iota
	volumeColumn
	linkColumn
	replicaColumn
)

// Cluster draws what there is: how hosts reach volumes, which nodes serve them,
// over which links, and where the replicas are. With volumes it draws only
// those, and the nodes and links that have to do with them.
func Cluster(cfg *schema.Config, snap *state.Snapshot, volumes []string) *Graph {
	snap = snap.Within(cfg.Cluster, cfg.Lvstores, cfg.Disk)
	c := &cluster{cfg: cfg, snap: snap, only: volumes, links: map[lineage.Link]*Box{}, joined: map[[2]string]bool{}, exports: map[string]bool{}}
	r := report.Build(cfg, snap)
	over := r.Over()
	for _, v := range r.Volumes {
		if w := over[v.Name]; c.wants(v.Name) || w != nil && c.wants(w.Name) {
			c.volume(v, w)
		}
	}
	for _, n := range r.Nodes {
		c.node(n)
	}
	c.idle()
	slices.SortStableFunc(c.band.Groups, func(a, b *Group) int { return strings.Compare(a.ID, b.ID) })
	return &Graph{
		Title: "cluster " + string(cfg.Cluster), Bands: []Band{c.band},
		Legend: []Key{{Good, "current"}, {Worry, "not current, or not as it should be"}, {Bad, "not served, or not known"}},
	}
}

type cluster struct {
	cfg    *schema.Config
	snap   *state.Snapshot
	only   []string
	band   Band
	links  map[lineage.Link]*Box
	joined map[[2]string]bool // lines that are there
	groups map[string]bool
	// exports are those that are drawn.
	exports map[string]bool
}

func (c *cluster) wants(volume string) bool {
	return len(c.only) == 0 || slices.Contains(c.only, volume)
}

// group makes a group, once, and returns its id.
func (c *cluster) group(g Group) string {
	if !c.groups[g.ID] {
		if c.groups == nil {
			c.groups = map[string]bool{}
		}
		c.groups[g.ID] = true
		c.band.Groups = append(c.band.Groups, &g)
	}
	return g.ID
}

func (c *cluster) box(b Box) *Box {
	c.band.Boxes = append(c.band.Boxes, &b)
	return &b
}

// join draws a line; of several between two boxes the worst is drawn.
func (c *cluster) join(from, to string, tone Tone, level bool) {
	if !c.joined[[2]string{from, to}] {
		c.joined[[2]string{from, to}] = true
		c.band.Lines = append(c.band.Lines, Line{from, to, tone, level})
		return
	}
	for i := range c.band.Lines {
		if l := &c.band.Lines[i]; l.From == from && l.To == to && worse(tone, l.Tone) {
			l.Tone = tone
		}
	}
}

func worse(a, b Tone) bool {
	order := []Tone{Good, Plain, Info, Worry, Bad}
	return slices.Index(order, a) > slices.Index(order, b)
}

// volume draws a volume, and how hosts reach it: a part is in the frame of its whole, if it has one,
// and reached by that one's exports.
func (c *cluster) volume(v report.Volume, whole *report.Whole) {
	id := "volume " + v.Name
	if v.ID != "" {
		id += "." + string(v.ID)
	}
	box := c.box(Box{ID: id, Column: volumeColumn, Title: v.Name, Tone: healthTone(v.Health)})
	box.Text = []string{
		fmt.Sprintf("%s, %s", amount.About(v.Size), v.Health),
		v.Copies(),
	}
	if v.Why != "" {
		box.Text = append(box.Text, wrap(v.Why)...)
	}
	box.In = c.group(Group{ID: "engine", Title: "not served", Tone: Bad})
	if v.Engine != "" {
		box.In = c.group(Group{ID: "engine " + string(v.Engine), Title: "served by " + string(v.Engine)})
	} else if v.Health != report.Down && v.Health != report.Unknown && v.Health != report.Absent && v.Health != report.Following {
		box.In = ""
	}
	exported, exports := v.Name, v.Exports
	if whole != nil {
		exported, exports = whole.Name, whole.Exports
		box.In = c.group(Group{ID: box.In + " whole " + whole.Name, In: box.In, Title: fmt.Sprintf("%s, %s, %s", whole.Name, whole.Layout, amount.About(whole.Size))})
	}
	for _, e := range exports {
		c.join(c.export(exported, e), id, healthTone(v.Health), e.Path != report.Standby && e.Path != report.Former)
	}
	for _, r := range v.Replicas {
		c.replica(id, v, r)
	}
	c.unread(id, v)
}

// unread draws the legs of a volume that are on nodes which could not be read.
func (c *cluster) unread(id string, v report.Volume) {
	if v.Engine == "" {
		return
	}
	inc := c.snap.Incarnation(c.cfg.Cluster, lineage.Volume{Name: v.Name, ID: v.ID})
	for _, leg := range c.snap.Judge(inc, state.Question{Cluster: c.cfg.Cluster, Replicas: v.Wanted}).Legs {
		if leg.Head == nil && leg.Node != "" {
			link := c.link(c.cfg.Link(leg.Node, v.Engine))
			c.join(id, link, Worry, false)
			c.join(link, unknownID(leg.Node), Worry, false)
		}
	}
}

func unknownID(n lineage.Node) string { return "node " + string(n) + " unknown" }

func healthTone(h report.Health) Tone {
	switch h {
	case report.Healthy:
		return Good
	case report.Degraded, report.Orphaned, report.Following:
		return Worry
	}
	return Bad
}

// export draws a way to a volume, once, and returns its id.
func (c *cluster) export(volume string, e report.Export) string {
	id := fmt.Sprintf("export %s %s %s", e.Node, e.Kind, e.Where)
	if c.exports[id] {
		return id
	}
	c.exports[id] = true
	box := c.box(Box{ID: id, Column: exportColumn, Title: e.Where, Tone: Good, Text: []string{"on " + string(e.Node)}})
	if e.Paused {
		box.Tone = Bad
		box.Text = append(box.Text, "hosts wait")
	}
	if e.Kind != string(schema.ExportNVMf) {
		return id
	}
	box.Title = "NVMe/TCP " + volume
	box.Text = nil
	sub := c.snap.Nodes[e.Node].Subsystems[lineage.NQN(e.Where)]
	if sub == nil {
		return id
	}
	for _, l := range sub.Listeners {
		if l.RDMA {
			box.Title = "NVMe/RDMA " + volume
		}
		box.Text = append(box.Text, l.Address+":"+l.Port)
	}
	if len(sub.Listeners) == 0 {
		box.Tone = Bad
		box.Text = append(box.Text, "no listener")
	}
	switch {
	case sub.AnyHost:
		box.Text = append(box.Text, "any host")
	case len(sub.Hosts) == 1:
		box.Text = append(box.Text, shorten(string(sub.Hosts[0])))
	default:
		box.Text = append(box.Text, amount.Of(len(sub.Hosts), "host"))
	}
	return id
}

// replica draws a replica, and how the volume reaches it.
func (c *cluster) replica(volume string, v report.Volume, r report.Replica) {
	id := fmt.Sprintf("replica %s %s/%s", r.Node, r.Lvstore, r.Head)
	tone := Worry
	switch r.Leg {
	case report.Current:
		tone = Good
	case report.Undecided:
		tone = Bad
	}
	text := fmt.Sprintf("%s written", amount.About(r.Allocated))
	if n := layers(r.Stack) - 1; n > 0 {
		text += ", on " + amount.Of(n, "layer")
	}
	c.box(Box{
		ID: id, In: c.pool(r.Node, r.Lvstore), Column: replicaColumn, Tone: tone,
		Title: string(r.Head), Text: []string{r.Leg, text},
	})
	if v.Engine == "" || v.Engine == r.Node {
		c.join(volume, id, tone, true)
		return
	}
	link := c.link(c.cfg.Link(r.Node, v.Engine))
	c.join(volume, link, tone, false)
	c.join(link, id, tone, false)
}

// layers counts a stack's layers, without branches.
func layers(stack []report.Layer) int {
	n := 0
	for len(stack) > 0 {
		n++
		next := stack[0].Above
		for _, l := range stack[0].Above {
			if l.Kind == "head" {
				next = []report.Layer{l}
			}
		}
		stack = next
	}
	return n
}

// link draws a link, once, and returns its id.
func (c *cluster) link(l lineage.Link) string {
	id := fmt.Sprintf("link %s %s", l.From, l.To)
	if c.links[l] != nil {
		return id
	}
	box := c.box(Box{ID: id, Column: linkColumn, Title: fmt.Sprintf("link %s → %s", l.From, l.To), Tone: Bad})
	c.links[l] = box
	if n := c.snap.Nodes[l.From]; n != nil && n.Unknown == "" {
		if sub := n.Subsystems[c.cfg.Cluster.LinkNQN(l)]; sub != nil {
			box.Text = append(box.Text, amount.Of(len(sub.Namespaces), "namespace"))
		}
	}
	if n := c.snap.Nodes[l.To]; n != nil && n.Unknown == "" {
		is := "not attached"
		for _, ctrl := range n.Controllers {
			if ctrl.NQN == c.cfg.Cluster.LinkNQN(l) {
				is = ctrl.State
			}
		}
		if box.Text = append(box.Text, is); is == "enabled" {
			box.Tone = Plain
		}
	}
	return id
}

// idle draws links that no volume uses.
func (c *cluster) idle() {
	if len(c.only) > 0 {
		return
	}
	for _, from := range c.cfg.Nodes {
		n := c.snap.Nodes[from.Name]
		if n == nil {
			continue
		}
		for _, to := range c.cfg.Nodes {
			l := c.cfg.Link(from.Name, to.Name)
			if n.Subsystems[c.cfg.Cluster.LinkNQN(l)] != nil {
				c.link(l)
			}
		}
	}
}

// pool makes the groups of a node and its pool, and returns the latter's id.
func (c *cluster) pool(node lineage.Node, lvstore string) string {
	in := c.group(Group{ID: "node " + string(node), Title: "node " + string(node)})
	id := in + " " + lvstore
	title := lvstore
	if n := c.snap.Nodes[node]; n != nil {
		if lvs := n.Lvstores[lvstore]; lvs != nil {
			title = fmt.Sprintf("%s, %s free of %s", lvstore, amount.About(lvs.FreeClusters*lvs.ClusterSize), amount.About(lvs.TotalClusters*lvs.ClusterSize))
		}
	}
	return c.group(Group{ID: id, In: in, Title: title})
}

// node draws what a node has beside replicas.
func (c *cluster) node(n report.Node) {
	id := "node " + string(n.Name)
	if len(c.only) > 0 && !c.groups[id] && n.Unknown == "" {
		return
	}
	c.group(Group{ID: id, Title: id})
	if n.Unknown != "" {
		c.box(Box{ID: unknownID(n.Name), In: id, Column: replicaColumn, Title: "not known", Text: wrap(n.Unknown), Tone: Bad})
		return
	}
	for _, p := range n.Pools {
		switch pool := id + " " + p.Lvstore; {
		case len(c.only) > 0:
		case p.Disk == "":
			c.box(Box{ID: pool + " missing", In: id, Column: replicaColumn, Title: "pool " + p.Name, Text: []string{"no lvstore " + p.Lvstore}, Tone: Worry})
		case !c.groups[pool]:
			c.box(Box{ID: pool + " empty", In: c.pool(n.Name, p.Lvstore), Column: replicaColumn, Title: "no replica"})
		}
	}
	if len(n.Pools) == 0 {
		c.box(Box{ID: id + " none", In: id, Column: replicaColumn, Title: "no pool"})
	}
}

// shorten leaves out the middle of a long name: the end tells hosts apart.
func shorten(s string) string {
	const most, end = 34, 13
	if len(s) <= most {
		return s
	}
	return s[:most-end-1] + "…" + s[len(s)-end:]
}
