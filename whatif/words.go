package whatif

import (
	"fmt"
	"io"
	"strings"

	"strata/amount"
	"strata/lineage"
)

// Title says what is supposed: "n2 is down, and n3 is lost".
func (a *Answer) Title() string {
	var all []string
	for _, c := range a.If {
		all = append(all, fmt.Sprintf("%s is %s", c.Node, c.Loss))
	}
	return strings.Join(all, ", and ")
}

// summary counts what becomes of volumes.
func (a *Answer) summary() string {
	n := map[Outcome]int{}
	for _, f := range a.Volumes {
		n[f.Outcome]++
	}
	parts := []string{amount.OutOf(n[Stops], len(a.Volumes), "volume", "would stop", "would stop")}
	for _, c := range []struct {
		of        Outcome
		one, many string
	}{
		{FailsOver, "would fail over by itself", "would fail over by themselves"}, {GoesOn, "would go on with fewer replicas", "would go on with fewer replicas"},
		{NotServed, "is not served now either", "are not served now either"}, {Untouched, "would not notice", "would not notice"},
	} {
		if n[c.of] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[c.of], amount.Verb(n[c.of], c.one, c.many)))
		}
	}
	text := strings.Join(parts, "; ")
	if b := a.Plan.Totals.CopyBytes; b > 0 {
		text += fmt.Sprintf("; at most %s would be copied", amount.Bytes(b))
	}
	return text + "."
}

// Print writes the answer as text, without the plan and the summary.
func (a *Answer) Print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "If %s:\n\n", a.Title())
	width := 0
	for _, f := range a.Volumes {
		width = max(width, len(f.Volume))
	}
	untouched := []string{}
	for i := range a.Volumes {
		f := &a.Volumes[i]
		if f.Outcome == Untouched {
			untouched = append(untouched, f.Volume)
			continue
		}
		fmt.Fprintf(&b, "%-*s  %s\n", width, f.Volume, f.Words(a.If))
		for _, line := range f.more() {
			fmt.Fprintf(&b, "    %s\n", line)
		}
	}
	if len(untouched) > 0 {
		fmt.Fprintf(&b, "%s: %s\n", amount.Verb(len(untouched), "This one would not notice", "These would not notice"), strings.Join(untouched, ", "))
	}
	for _, note := range a.Notes {
		fmt.Fprintf(&b, "\nNote: %s\n", note)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Words say what becomes of the volume.
func (f *Fate) Words(cases []Case) string {
	s := supposition(cases)
	switch f.Outcome {
	case Untouched:
		return "would not notice"
	case GoesOn:
		return "goes on, with " + f.replicas() + f.first()
	case FailsOver:
		return fmt.Sprintf("fails over to %s by itself, with %s; its hosts wait for %s at most, and for what they take to find the other path", f.To, f.replicas(), seconds(f.WaitSec))
	case NotServed:
		return "is not served now either, and has " + f.replicas() + " left"
	}
	who := "stops"
	if f.WritesOnly {
		who = "stops for hosts that write"
	}
	return who + s.until(f.WaitsFor) + ", and has " + f.replicas() + " left"
}

// replicas says how many are left.
func (f *Fate) replicas() string {
	if f.Left == 0 {
		return "no current replica"
	}
	return fmt.Sprintf("%d of %s", f.Left, amount.Of(f.Wanted, "replica"))
}

// first says how long hosts wait before they go on.
func (f *Fate) first() string {
	if f.WaitSec == 0 {
		return ""
	}
	return fmt.Sprintf("; hosts that write wait first, for %s at most", seconds(f.WaitSec))
}

func seconds(n int) string {
	if n >= 180 {
		return fmt.Sprintf("%dm", (n+59)/60)
	}
	return fmt.Sprintf("%ds", n)
}

// until says for which nodes a volume waits, and until when.
func (s supposition) until(nodes []lineage.Node) string {
	var back, over []string
	for _, n := range nodes {
		switch s.loss(n) {
		case Down:
			back = append(back, string(n))
		case Suspended:
			over = append(over, string(n))
		}
	}
	switch {
	case len(back) > 0:
		return fmt.Sprintf(" until %s %s back", strings.Join(back, ", "), amount.Verb(len(back), "is", "are"))
	case len(over) > 0:
		return fmt.Sprintf(" while %s %s suspended", strings.Join(over, ", "), amount.Verb(len(over), "is", "are"))
	}
	return ""
}

// more are the lines that say why, what helps, and what is copied.
func (f *Fate) more() (lines []string) {
	if f.DataLost {
		lines = append(lines, "every current replica would be gone for good: what it has would be lost, but for backups")
	}
	if f.Why != "" {
		lines = append(lines, f.Why)
	}
	switch {
	case f.ByPerson != "" && f.ByPerson == f.Engine:
		lines = append(lines, "strata apply lets it go on")
	case f.ByPerson != "":
		lines = append(lines, fmt.Sprintf("strata apply serves it on %s", f.ByPerson))
	case f.Hint != "":
		lines = append(lines, f.Hint)
	}
	switch {
	case len(f.CopiedTo) > 0:
		line := fmt.Sprintf("%s would be made on %s", amount.Verb(len(f.CopiedTo), "a replica", "replicas"), list(f.CopiedTo))
		if f.Copied > 0 {
			line += fmt.Sprintf(", at most %s copied", amount.Bytes(f.Copied))
		}
		lines = append(lines, line)
	case f.Copied > 0:
		lines = append(lines, fmt.Sprintf("at most %s would be copied", amount.Bytes(f.Copied)))
	}
	return lines
}

func list(nodes []lineage.Node) string {
	var all []string
	for _, n := range nodes {
		all = append(all, string(n))
	}
	return strings.Join(all, ", ")
}
