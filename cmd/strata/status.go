package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss/tree"
	"github.com/spf13/cobra"

	"strata/amount"
	"strata/lineage"
	"strata/report"
	"strata/state"
)

func newStatus() *cobra.Command {
	var src source
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status [DIR | FILE...]",
		Short: "Show volumes, replicas, layers, health, and how hosts connect",
		Example: `  strata status examples/lab
  strata status --json . | jq '.volumes[] | select(.health != "healthy")'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := src.load(args)
			if err != nil {
				return err
			}
			targets, closeAll, err := src.connect(cfg)
			if err != nil {
				return err
			}
			defer closeAll()
			r := report.Build(cfg, state.Read(cmd.Context(), cfg.Cluster, targets))
			if asJSON {
				return printJSON(cmd.OutOrStdout(), r)
			}
			printStatus(cmd.OutOrStdout(), inLines(r))
			return nil
		},
	}
	src.targetFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

func printStatus(w io.Writer, r *report.Report) {
	root := tree.Root("cluster " + string(r.Cluster))
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
	for _, v := range r.Volumes {
		root.Child(volumeTree(v))
	}
	if len(r.Unmanaged) > 0 {
		t := tree.Root(faint.Render("not strata's, never touched"))
		for _, u := range r.Unmanaged {
			t.Child(faint.Render(fmt.Sprintf("%s %s %s", u.Node, u.Kind, u.Name)))
		}
		root.Child(t)
	}
	fmt.Fprintln(w, root.String())
}

func nodeTree(n report.Node) any {
	if n.Unknown != "" {
		return fmt.Sprintf("node %s  %s", n.Name, bad.Render("unknown: "+n.Unknown))
	}
	title := fmt.Sprintf("node %s  %s", n.Name, faint.Render(n.Version))
	if n.Locked != "" {
		title += "  " + worry.Render("locked by "+n.By)
	}
	t := tree.Root(title)
	for _, p := range n.Pools {
		if p.Disk == "" {
			t.Child(fmt.Sprintf("pool %s  %s", p.Name, worry.Render("no lvstore "+p.Lvstore+" was found")))
			continue
		}
		t.Child(fmt.Sprintf("pool %s  %s free of %s on %s", p.Name, amount.About(p.Free), amount.About(p.Size), p.Disk))
	}
	return t
}

func volumeTree(v report.Volume) any {
	title := fmt.Sprintf("volume %s  %s  %s, %s", v.Name, healthStyle(v.Health).Render(string(v.Health)), amount.About(v.Size), v.Copies())
	if v.Engine != "" {
		title += ", engine " + string(v.Engine)
	}
	if v.Why != "" {
		title += "  " + worry.Render(v.Why)
	}
	t := tree.Root(title)
	for _, e := range v.Exports {
		text := fmt.Sprintf("%s on %s: %s", e.Kind, e.Node, e.Where)
		if e.Connect != "" {
			text = e.Connect
		}
		if e.Paused {
			text += "  " + bad.Render("paused")
		}
		t.Child(text)
	}
	for _, r := range v.Replicas {
		rt := tree.Root(fmt.Sprintf("%s  %s/%s  %s, %s written  %s", r.Node, r.Lvstore, r.Head, amount.About(r.Size), amount.About(r.Allocated), legStyle(r.Leg).Render(r.Leg)))
		if len(r.Stack) > 0 && (len(r.Stack[0].Above) > 0 || r.Stack[0].Name != r.Head) {
			rt.Child(stackTree(r.Stack[0], r.Head))
		}
		t.Child(rt)
	}
	return t
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
	case report.Degraded, report.Orphaned:
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
