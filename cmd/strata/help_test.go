package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
)

// goesOn is where a command goes on in the next line.
var goesOn = regexp.MustCompile(` \\\n +`)

// TestHelpFits: of every command's help each line fits a terminal of 80 columns and of 40,
// unless it is one word, no word is lost, and an example that is broken is one that a shell
// puts together again.
func TestHelpFits(t *testing.T) {
	seen := 0
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		seen++
		cmd.InitDefaultHelpFlag()
		for _, width := range []int{80, 40} {
			var b strings.Builder
			if err := writeHelp(&b, cmd, width); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(b.String()) {
				line = strings.TrimRight(line, "\n")
				words := strings.Fields(quoted.ReplaceAllString(strings.TrimSuffix(line, ` \`), "quoted"))
				if ansi.StringWidth(line) > width && len(words) > 1 && line[0] != '\t' {
					t.Errorf("%s: %d columns: %q", cmd.CommandPath(), width, line)
				}
			}
			got := strings.Join(strings.Fields(b.String()), " ")
			for paragraph := range strings.SplitSeq(cmd.Long, "\n\n") {
				if want := strings.Join(strings.Fields(paragraph), " "); !strings.Contains(got, want) {
					t.Errorf("%s: %d columns: lacks %q", cmd.CommandPath(), width, want)
				}
			}
			whole := goesOn.ReplaceAllString(b.String(), " ")
			for line := range strings.SplitSeq(cmd.Example, "\n") {
				if command, _, _ := strings.Cut(line, " # "); !strings.Contains(whole, strings.TrimSpace(command)) {
					t.Errorf("%s: %d columns: lacks the example %q", cmd.CommandPath(), width, command)
				}
			}
		}
		for _, below := range cmd.Commands() {
			visit(below)
		}
	}
	visit(newRoot())
	if seen < 30 {
		t.Errorf("%d commands", seen)
	}
}

// TestHelpIsLaidOut: paragraphs are filled, what is in two columns stands below one another
// where there is no room, and what is said of an example above it.
func TestHelpIsLaidOut(t *testing.T) {
	cmd := &cobra.Command{
		Use: "do THING",
		Long: `do does a thing
to a thing.

  one        the first of
             them
  another    the next`,
		Example: `  do one --with "two words" --and another   # what is done
  do one`,
		Run: func(*cobra.Command, []string) {},
	}
	cmd.Flags().String("with", "", "do it with `WHAT` there is")
	const wide = `do does a thing to a thing.

  one      the first of them
  another  the next

Usage:
  do THING [flags]

Examples:
  do one --with "two words" --and another   # what is done
  do one

Flags:
      --with WHAT  do it with WHAT there is
`
	const narrow = `do does a thing to a thing.

  one      the first of them
  another  the next

Usage:
  do THING [flags]

Examples:
  # what is done
  do one --with \
      "two words" --and \
      another
  do one

Flags:
  --with WHAT
      do it with WHAT there
      is
`
	for width, want := range map[int]string{60: wide, 28: narrow} {
		var b strings.Builder
		if err := writeHelp(&b, cmd, width); err != nil || b.String() != want {
			t.Errorf("%d columns: %v\n%s", width, err, b.String())
		}
	}
}
