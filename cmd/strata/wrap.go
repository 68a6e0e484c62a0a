package main

import (
	"os"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
)

// wrapping breaks lines for people on words, at the width of a terminal. What follows a break
// stands below the second column of a line that has columns, else a little further in than the
// line; the branches of a tree go on.
type wrapping struct {
	width func() int // 0: lines are not broken
	at    int        // the column of the cursor
	hang  string     // what a line that goes on begins with
}

// widthOf is how wide a terminal is now.
func widthOf(terminal *os.File) func() int {
	if terminal == nil {
		return nil
	}
	return func() int {
		width, _, err := term.GetSize(terminal.Fd())
		if err != nil {
			return 0
		}
		return width
	}
}

// narrowest is the width below which lines are left to the terminal.
const narrowest = 20

// broken returns a text with line breaks where it would not fit.
func (w *wrapping) broken(text []byte) []byte {
	if w.width == nil || len(text) == 0 {
		return text
	}
	width := w.width()
	if width < narrowest {
		return text
	}
	var out strings.Builder
	for line := range strings.Lines(string(text)) {
		w.line(&out, line, width)
	}
	return []byte(out.String())
}

func (w *wrapping) line(out *strings.Builder, line string, width int) {
	body, ended := strings.CutSuffix(line, "\n")
	switch {
	case w.at == 0 && ansi.StringWidth(body) <= width:
		out.WriteString(body)
		w.at, w.hang = ansi.StringWidth(body), hanging(body, width)
	case w.at == 0 && typed(body):
		w.command(out, body, width)
	default:
		if w.at == 0 {
			w.hang = hanging(body, width)
		}
		w.words(out, body, width)
	}
	if ended {
		out.WriteByte('\n')
		w.at = 0
	}
}

// words writes a line, or the rest of one, word by word. The spaces before a word belong to
// it, and are left out where a line is broken.
func (w *wrapping) words(out *strings.Builder, text string, width int) {
	begun := w.at > 0
	for text != "" {
		spaces := len(text) - len(strings.TrimLeft(text, " "))
		end := spaces + len(text[spaces:])
		if i := strings.IndexByte(text[spaces:], ' '); i >= 0 {
			end = spaces + i
		}
		word := text[:end]
		text = text[end:]
		if wide := ansi.StringWidth(word); begun && w.at+wide > width && strings.TrimSpace(word) != "" {
			word = word[spaces:]
			hang := fitting(w.hang, ansi.StringWidth(word), width)
			out.WriteString("\n" + hang)
			w.at = ansi.StringWidth(hang)
		}
		begun = begun || strings.Trim(word, " │├└─") != ""
		out.WriteString(word)
		w.at += ansi.StringWidth(word)
	}
}

// command leaves a command that somebody copies to the terminal, which breaks it without a
// line break in it. What is said beside it goes on below.
func (w *wrapping) command(out *strings.Builder, line string, width int) {
	at := strings.Index(line, nvmeConnect)
	rest := ""
	if gap := strings.Index(line[at:], "  "); gap >= 0 {
		line, rest = line[:at+gap], strings.TrimLeft(line[at+gap:], " ")
	}
	out.WriteString(line)
	w.at, w.hang = ansi.StringWidth(line), hanging(line, width)
	if rest != "" {
		out.WriteString("\n" + w.hang)
		w.at = ansi.StringWidth(w.hang)
		w.words(out, rest, width)
	}
}

// fitting is a hang before a word that is so wide: where that fits no other way, less far in.
func fitting(hang string, wide, width int) string {
	in := len(hang) - len(strings.TrimRight(hang, " "))
	if over := ansi.StringWidth(hang) + wide - width; over > 0 && over <= in {
		return hang[:len(hang)-over]
	}
	return hang
}

// hanging is what a line that begins as text does goes on with below.
func hanging(text string, width int) string {
	plain := ansi.Strip(text)
	branches := plain[:len(plain)-len(strings.TrimLeft(plain, " │├└─"))]
	indent := strings.NewReplacer("├", "│", "└", " ", "─", " ").Replace(branches)
	rest, deep := plain[len(branches):], ansi.StringWidth(indent)
	if gap := strings.Index(rest, "  "); gap > 0 {
		after := strings.TrimLeft(rest[gap:], " ")
		if column := deep + ansi.StringWidth(rest[:len(rest)-len(after)]); after != "" && column <= width/2 {
			return indent + strings.Repeat(" ", column-deep)
		}
	}
	switch {
	case deep == 0:
		return "  "
	case deep+4 > width/2:
		return indent
	}
	return indent + "    "
}

// typed reports whether a line is a command that somebody copies.
func typed(line string) bool { return strings.Contains(line, nvmeConnect) }

const nvmeConnect = "nvme connect "

// forPrograms reports whether what a verb prints is read by programs, or drawn.
func forPrograms(cmd *cobra.Command) bool {
	for _, name := range []string{"json", "json-schema", "markdown", "watch"} {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed {
			return true
		}
	}
	switch cmd.Name() {
	case "schema", "import", "graph", "completion", "bash", "zsh", "fish", "powershell", "export", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd:
		return true
	}
	return false
}
