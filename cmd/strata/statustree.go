package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss/tree"

	"strata/amount"
	"strata/lineage"
	"strata/report"
)

// statusText is a report as a tree. going says of a copy how fast it is; nil: nobody
// knows.
func statusText(r *report.Report, going func(report.Copy) string) string {
	r = inLines(r)
	root := tree.Root("cluster " + string(r.Cluster))
	if r.Discover != "" {
		root.Child(r.Discover)
	}
	for _, watch := range r.Watches {
		var nodes []string
		for _, n := range watch.Nodes {
			nodes = append(nodes, string(n))
		}
		root.Child(fmt.Sprintf("watched by %s  %s", watch.By, faint.Render("seat on "+strings.Join(nodes, ", "))))
	}
	for _, n := range r.Nodes {
		root.Child(nodeTree(n))
	}
	for _, w := range r.Wholes {
		root.Child(wholeTree(w))
	}
	for _, v := range r.Volumes {
		root.Child(volumeTree(v))
	}
	for _, c := range r.Copies {
		root.Child(copyLine(c, going))
	}
	if len(r.Unmanaged) > 0 {
		t := tree.Root(faint.Render("not strata's, never touched"))
		for _, u := range r.Unmanaged {
			t.Child(faint.Render(fmt.Sprintf("%s %s %s", u.Node, u.Kind, u.Name)))
		}
		root.Child(t)
	}
	return root.String()
}

func nodeTree(n report.Node) any {
	title := "node " + string(n.Name)
	if n.Maintenance != "" {
		title += "  " + worry.Render(n.Maintenance)
	}
	if n.Unknown != "" {
		return title + "  " + bad.Render("unknown: "+n.Unknown)
	}
	title += "  " + faint.Render(n.Version)
	if n.Locked != "" {
		title += "  " + worry.Render("locked by "+n.By)
	}
	t := tree.Root(title)
	for _, p := range n.Pools {
		if p.Disk == "" {
			t.Child(fmt.Sprintf("pool %s  %s", p.Name, worry.Render("no lvstore "+p.Lvstore+" was found; strata plan says what is to be done")))
			continue
		}
		t.Child(fmt.Sprintf("pool %s  %s free of %s on %s%s", p.Name, amount.About(p.Free), amount.About(p.Size), p.Disk, promised(p)+leaving(p)))
	}
	return t
}

// leaving says how far a pool is that another replaces; "" for every other.
func leaving(p report.Pool) string {
	if p.Leaving == "" {
		return ""
	}
	return "  " + worry.Render(p.Leaving)
}

// promised says what a pool will have in it if every volume there is written whole, where
// that is more than it has now.
func promised(p report.Pool) string {
	if p.Promised <= p.Size-p.Free {
		return ""
	}
	text := fmt.Sprintf(", %s promised", amount.About(p.Promised))
	if p.Promised > p.Limit {
		return worry.Render(text)
	}
	return text
}

func volumeTree(v report.Volume) any {
	title := fmt.Sprintf("volume %s  %s  %s, %s", v.Name, healthStyle(v.Health).Render(string(v.Health)), amount.About(v.Size), v.Copies())
	if v.Engine != "" {
		title += ", engine " + string(v.Engine)
	}
	if v.Why != "" {
		title += "  " + worry.Render(v.Why)
	}
	if v.Since != "" {
		title += "  " + faint.Render("since "+v.Since)
	}
	t := tree.Root(title)
	exportsUnder(t, v.Exports)
	if v.Failover != nil {
		t.Child(faint.Render("failover " + v.Failover.Words()))
	}
	if v.Migration != "" {
		t.Child(worry.Render(v.Migration))
	}
	if v.Limits != nil {
		t.Child("hosts get at most " + v.Limits.String())
	}
	if v.Encryption != nil {
		t.Child(v.Encryption.String())
	}
	for _, n := range v.Unread {
		t.Child(fmt.Sprintf("%s  could not be read; %s has its replica in use  %s", n, v.Engine, good.Render(report.Current)))
	}
	if v.Next != "" {
		t.Child(nextLine(v.Next))
	}
	if v.Backup != nil {
		t.Child("backup " + backupLine(v.Backup))
	}
	if v.Follow != nil {
		t.Child("follows " + followLine(v.Follow))
	}
	if v.Scrub != nil {
		t.Child("scrub: " + scrubLine(v.Scrub))
	}
	for _, r := range v.Replicas {
		rt := tree.Root(fmt.Sprintf("%s  %s/%s  %s, %s written  %s", r.Node, r.Lvstore, r.Head, amount.About(r.Size), amount.About(r.Written()), legStyle(r.Leg).Render(r.Leg)))
		if len(r.Stack) > 0 && (len(r.Stack[0].Above) > 0 || r.Stack[0].Name != r.Head) {
			rt.Child(stackTree(r.Stack[0], r.Head))
		}
		t.Child(rt)
	}
	return t
}

// wholeTree is a volume that is laid out over parts, with where each begins, how long it
// is and where it is.
func wholeTree(w report.Whole) any {
	how := "linear"
	if w.Strip > 0 {
		how = "striped, " + amount.About(w.Strip) + " at a time"
	}
	title := fmt.Sprintf("volume %s  %s  %s, %s, %s", w.Name, healthStyle(w.Health).Render(string(w.Health)), amount.About(w.Size), how, amount.Of(len(w.Parts), "part"))
	if w.Engine != "" {
		title += ", engine " + string(w.Engine)
	}
	if w.Why != "" {
		title += "  " + worry.Render(w.Why)
	}
	t := tree.Root(title)
	exportsUnder(t, w.Exports)
	if w.Failover != nil {
		t.Child(faint.Render("failover " + w.Failover.Words()))
	}
	if w.Limits != nil {
		t.Child("hosts get at most " + w.Limits.String())
	}
	for _, p := range w.Parts {
		var nodes []string
		for _, n := range p.Nodes {
			nodes = append(nodes, string(n))
		}
		t.Child(fmt.Sprintf("part %s  start %s  size %s  on %s", p.Name, amount.Bytes(p.Start), amount.Bytes(p.Size), cmp.Or(strings.Join(nodes, ", "), "no node")))
	}
	return t
}

func exportsUnder(t *tree.Tree, exports []report.Export) {
	for _, e := range exports {
		text := fmt.Sprintf("%s on %s: %s", e.Kind, e.Node, e.Where)
		switch {
		case e.Connect != "":
			text = e.Connect
		case e.Kind == "nvmf" && e.Path != report.Former:
			text += "  " + worry.Render("does not listen")
		}
		if e.Paused {
			text += "  " + bad.Render("paused")
		}
		switch e.Path {
		case report.Optimized:
			text += "  " + good.Render(e.Path)
		case report.Standby:
			text += "  " + faint.Render(e.Path)
		case report.Former:
			text += "  " + worry.Render(fmt.Sprintf("of a former engine: hosts are not to use it, and it ends once %s stays", e.Node))
		}
		t.Child(text + hostsOf(e))
		for _, line := range e.ConnectAlso {
			t.Child(line + "  " + faint.Render("the same, by another address"))
		}
	}
}

// stackTree draws a stack from its bottom.
func stackTree(l report.Layer, head lineage.LvolName) any {
	title := fmt.Sprintf("%s  %s of its own", l.Name, amount.About(l.Allocated))
	switch {
	case l.Name == head:
		title += "  " + good.Render("head")
	case l.Partial:
		title += "  " + worry.Render("left by an interrupted cut")
	case l.Kind != "snapshot":
		title += "  " + faint.Render(l.Kind)
	}
	t := tree.Root(title)
	for _, above := range l.Above {
		t.Child(stackTree(above, head))
	}
	return t
}

func healthStyle(h report.Health) style {
	switch h {
	case report.Healthy:
		return good
	case report.Degraded, report.Orphaned, report.Following:
		return worry
	}
	return bad
}

func legStyle(leg string) style {
	switch leg {
	case report.Current:
		return good
	case report.Undecided:
		return bad
	}
	return worry
}

// hostsOf says who is connected to an export; "" where that is not known.
func hostsOf(e report.Export) string {
	if e.Hosts == nil {
		return ""
	}
	if len(e.Hosts) == 0 {
		return "  " + faint.Render("no host is connected")
	}
	var all []string
	for _, h := range e.Hosts {
		text := string(h.NQN)
		if h.Address != "" {
			text += " at " + h.Address
		}
		all = append(all, text)
	}
	return "  " + faint.Render("connected: "+strings.Join(all, ", "))
}

// backupLine says what an archive has of a volume.
func backupLine(b *report.Backup) string {
	if b.Unread != "" {
		return fmt.Sprintf("in %s: %s", b.Archive, worry.Render("not known: "+b.Unread))
	}
	text := fmt.Sprintf("in %s: %s", b.Archive, worry.Render("nothing yet"))
	if b.Snapshot != "" {
		verified := "never read back"
		if b.Verified != "" {
			verified = "read back and whole at " + b.Verified
		}
		text = fmt.Sprintf("in %s: %s, the latest %s of %s%s, %s, for which %s were sent, %s", b.Archive, amount.Of(b.Records, "record"), b.Snapshot, b.Time, age(b.Time), amount.About(b.Size), amount.About(b.Copied), verified)
	}
	if len(b.Lacks) > 0 {
		text += "  " + worry.Render("lacks "+strings.Join(b.Lacks, ", "))
	}
	return text
}

// scrubLine says when the layers of a volume were compared, and what came of it.
func scrubLine(s *report.Scrub) string {
	text := worry.Render("layers were never compared")
	switch {
	case s.Others != "":
		var newer []string
		for _, n := range s.Newer {
			newer = append(newer, string(n))
		}
		text = "layers compared " + s.Others + age(s.Others) + "  " + worry.Render("not yet the newer copy on "+amount.List(newer))
	case s.Time != "":
		text = "layers compared " + s.Time + age(s.Time)
		if t, err := time.Parse(time.RFC3339, s.Time); err == nil && s.Every > 0 && s.Began == "" {
			if due := t.Add(time.Duration(s.Every) * time.Second); due.Before(time.Now()) {
				text += "  " + worry.Render("due again since "+due.UTC().Format(time.RFC3339))
			}
		}
	}
	if s.Began != "" {
		text += ", and being compared since " + s.Began
	}
	for _, c := range s.Copies {
		if c.Damaged != "" {
			text += "  " + worry.Render(fmt.Sprintf("the copy of %s on %s is damaged", c.Damaged, c.Node))
		}
		if c.Differs {
			text += "  " + worry.Render(fmt.Sprintf("a copy on %s differs", c.Node))
		}
	}
	return text
}

// nextLine says when the next snapshot on schedule is due.
func nextLine(at string) string {
	if t, err := time.Parse(time.RFC3339, at); err == nil && t.After(time.Now()) {
		return fmt.Sprintf("next snapshot due %s (in %v)", at, time.Until(t).Round(time.Second))
	}
	return worry.Render("a snapshot has been due since " + at)
}

// followLine says how far a volume has come that follows another.
func followLine(f *report.Follow) string {
	of := fmt.Sprintf("%s of %s in %s", f.Volume, f.Cluster, f.Archive)
	has := worry.Render("nothing yet")
	switch {
	case f.Snapshot != "" && f.Time != "":
		has = fmt.Sprintf("has %s of %s%s, on %s", f.Snapshot, f.Time, age(f.Time), f.Node)
	case f.Snapshot != "":
		has = fmt.Sprintf("has %s, on %s", f.Snapshot, f.Node)
	}
	switch {
	case f.Unread != "":
		return of + ": " + has + "  " + worry.Render("whether that is the latest is not known: "+f.Unread)
	case f.Lacks > 0:
		return of + ": " + has + "  " + worry.Render(fmt.Sprintf("lacks %s, the first of %s%s", amount.Of(f.Lacks, "younger one"), f.Since, age(f.Since)))
	}
	return of + ": " + has + ", the latest"
}

// age says how long ago a time is.
func age(at string) string {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (%v ago)", max(0, time.Since(t).Round(time.Second)))
}

// copyLine says how far a copy is.
func copyLine(c report.Copy, going func(report.Copy) string) string {
	what := "a layer"
	if c.Layer != "" {
		what = string(c.Layer)
	}
	text := fmt.Sprintf("copy of %s  %s → %s  %s", what, cmp.Or(string(c.From), "archive "+c.Archive), cmp.Or(string(c.To), "archive "+c.Archive), amount.About(c.Copied))
	if c.Total > 0 {
		text += fmt.Sprintf(" of %s, %d %%", amount.About(c.Total), c.Percent())
	}
	if going != nil {
		text += ", " + going(c)
	}
	return text
}
