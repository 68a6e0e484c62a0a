package main

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
)

// helpWidth is how wide help is where no terminal says.
const helpWidth = 80

// layHelp has the help of every verb laid out for the width of the terminal: paragraphs are
// filled, and what stands in two columns is put below one another where there is no room beside.
func layHelp(root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		width := helpWidth
		if s, ok := cmd.OutOrStdout().(*screen); ok && s.width != nil {
			if of := s.width(); of >= narrowest {
				width = of
			}
		}
		_ = writeHelp(cmd.OutOrStdout(), cmd, width) // a closed pipe ends it
	})
}

func writeHelp(w io.Writer, cmd *cobra.Command, width int) error {
	p := &leaflet{width: width}
	p.prose(cmp.Or(cmd.Long, cmd.Short))
	p.out.WriteString("\nUsage:\n")
	if cmd.Runnable() {
		p.hung("  ", "      ", cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() && !cmd.DisableFlagsInUseLine {
		p.hung("  ", "      ", cmd.CommandPath()+" COMMAND")
	}
	if cmd.HasExample() {
		p.out.WriteString("\nExamples:\n")
		p.examples(cmd.Example)
	}
	if cmd.HasAvailableSubCommands() {
		var verbs []entry
		for _, below := range cmd.Commands() {
			if below.IsAvailableCommand() || below.Name() == "help" {
				verbs = append(verbs, entry{below.Name(), below.Short})
			}
		}
		p.out.WriteString("\nAvailable Commands:\n")
		p.rows(verbs)
	}
	if cmd.HasAvailableLocalFlags() {
		p.out.WriteString("\nFlags:\n")
		p.rows(flagRows(cmd.LocalFlags().FlagUsages()))
	}
	if cmd.HasAvailableInheritedFlags() {
		p.out.WriteString("\nGlobal Flags:\n")
		p.rows(flagRows(cmd.InheritedFlags().FlagUsages()))
	}
	if cmd.HasAvailableSubCommands() {
		p.out.WriteByte('\n')
		p.hung("", "", fmt.Sprintf("%s COMMAND --help says more about a command.", cmd.CommandPath()))
	}
	_, err := io.WriteString(w, p.out.String())
	return err
}

// leaflet is a text of a width.
type leaflet struct {
	out   strings.Builder
	width int
}

// entry is a line of two columns.
type entry struct{ term, text string }

// prose fills paragraphs, and lays out what is set in as rows; what a tab sets in stays as it is.
func (p *leaflet) prose(text string) {
	var paragraph []string
	var table []entry
	end := func() {
		if len(paragraph) > 0 {
			p.hung("", "", strings.Join(paragraph, " "))
		}
		p.rows(table)
		paragraph, table = nil, nil
	}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		in := len(line) - len(strings.TrimLeft(line, " "))
		switch {
		case line == "" || line[0] == '\t':
			end()
			p.out.WriteString(line + "\n")
		case in >= 8 && len(table) > 0: // the text of the row above goes on
			last := &table[len(table)-1]
			last.text = strings.TrimSpace(last.text + " " + line[in:])
		case in > 0:
			if len(paragraph) > 0 {
				end()
			}
			term, text, _ := strings.Cut(line[in:], "  ")
			table = append(table, entry{term, strings.TrimSpace(text)})
		default:
			if len(table) > 0 {
				end()
			}
			paragraph = append(paragraph, line)
		}
	}
	end()
}

// flagRows takes apart what pflag has put in two columns.
func flagRows(usages string) (rows []entry) {
	for line := range strings.Lines(usages) {
		flag := strings.TrimRight(line, "\n")
		in := len(flag) - len(strings.TrimLeft(flag, " "))
		at := strings.Index(flag[in:], "   ")
		if at < 0 {
			rows = append(rows, entry{term: flag[2:]})
			continue
		}
		rows = append(rows, entry{flag[2 : in+at], strings.TrimSpace(flag[in+at:])})
	}
	return rows
}

// rows writes two columns, or, where the second would have too little room, each text below
// its term.
func (p *leaflet) rows(rows []entry) {
	column := 0
	for _, r := range rows {
		column = max(column, 2+ansi.StringWidth(r.term)+2)
	}
	for _, r := range rows {
		switch {
		case r.text == "":
			p.hung("  ", "      ", r.term)
		case column > p.width*3/5:
			p.hung("  ", "      ", strings.TrimLeft(r.term, " "))
			p.hung("      ", "      ", r.text)
		default:
			first := "  " + r.term
			p.hung(first+strings.Repeat(" ", column-ansi.StringWidth(first)), strings.Repeat(" ", column), r.text)
		}
	}
}

// remark begins what is said of an example.
var remark = regexp.MustCompile(` +# `)

// examples writes commands as they can be copied: where one does not fit, what is said of
// each stands above it, and a long one goes on in another line as a shell has it.
func (p *leaflet) examples(text string) {
	fits := true
	for line := range strings.SplitSeq(text, "\n") {
		fits = fits && ansi.StringWidth(line) <= p.width
	}
	for line := range strings.SplitSeq(text, "\n") {
		at := remark.FindStringIndex(line)
		if fits || at == nil && ansi.StringWidth(line) <= p.width {
			p.out.WriteString(line + "\n")
			continue
		}
		if at != nil {
			p.hung("  # ", "  # ", line[at[1]:])
			line = line[:at[0]]
		}
		p.command(strings.TrimSpace(line))
	}
}

// command writes a command, with a backslash where a line is broken, which is nowhere within
// quotes.
func (p *leaflet) command(text string) {
	part := leaflet{width: p.width}
	if ansi.StringWidth("  "+text) > p.width {
		part.width -= len(` \`)
	}
	const space = "\u00a0" // stands for one within quotes, of which no word is the end
	part.hung("  ", "      ", quoted.ReplaceAllStringFunc(text, func(q string) string { return strings.ReplaceAll(q, " ", space) }))
	lines := strings.TrimSuffix(strings.ReplaceAll(part.out.String(), space, " "), "\n")
	p.out.WriteString(strings.ReplaceAll(lines, "\n", " \\\n") + "\n")
}

var quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)

// hung writes a text from behind first on, and what does not fit there behind then.
func (p *leaflet) hung(first, then, text string) {
	w := wrapping{at: ansi.StringWidth(first), hang: then}
	p.out.WriteString(first)
	w.words(&p.out, text, p.width)
	p.out.WriteByte('\n')
}
