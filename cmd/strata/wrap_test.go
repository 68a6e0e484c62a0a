package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func onScreen(width int, chunks ...string) string {
	var b bytes.Buffer
	s := &screen{out: &b}
	s.width = func() int { return width }
	for _, c := range chunks {
		if _, err := s.Write([]byte(c)); err != nil {
			panic(err)
		}
	}
	return b.String()
}

func TestLinesAreBroken(t *testing.T) {
	for _, test := range []struct {
		name, want string
		width      int
		chunks     []string
	}{
		{"fits", "  one two\n", 20, []string{"  one two\n"}},
		{"on words", "  one two three four\n      five\n", 20, []string{"  one two three four five\n"}},
		{"below a branch", "cluster lab\n├── volume db\n│       healthy and\n│       well\n│   └── n1 current,\n│       open\n", 20,
			[]string{"cluster lab\n├── volume db healthy and well\n│   └── n1 current, open\n"}},
		{"columns", "│   ├── n1  one two\n│   │       three\n", 24, []string{"│   ├── n1  one two three\n"}},
		{"wide columns", "  --a-long-flag  one\n      two three\n", 20, []string{"  --a-long-flag  one two three\n"}},
		{"a long word", "see\n  https://example.com/a/b/c\n  there\n", 20, []string{"see https://example.com/a/b/c there\n"}},
		{"in pieces", "a line that is\n  written in pieces\n", 20, []string{"a line that ", "is written ", "in pieces", "\n"}},
		{"a question", "one two three four\n  five six? ", 20, []string{"one two three four five six? "}},
		{"a command", "  nvme connect -t tcp -n nqn.2026-01.io.strata:lab:db\n", 20, []string{"  nvme connect -t tcp -n nqn.2026-01.io.strata:lab:db\n"}},
		{"what is said beside a command", "├── nvme connect -t tcp -n nqn.2026-01.io.strata:lab:db\n│       no host is\n│       connected\n", 20,
			[]string{"├── nvme connect -t tcp -n nqn.2026-01.io.strata:lab:db  no host is connected\n"}},
		{"a word that is wide", "  n1       create subsystem\n       nqn.2026-01.io.strata:lab\n           as db\n", 32,
			[]string{"  n1       create subsystem nqn.2026-01.io.strata:lab as db\n"}},
		{"too narrow", "one two three\n", 8, []string{"one two three\n"}},
	} {
		if got := onScreen(test.width, test.chunks...); got != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, got, test.want)
		}
	}
}

// TestPlansFitTerminals: of all golden plans every line fits, at 80 columns and at 40, unless
// it is one word, and no word is lost.
func TestPlansFitTerminals(t *testing.T) {
	files, err := filepath.Glob("../../plan/recipe/testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files[:min(len(files), 40)] {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, width := range []int{80, 40} {
			got := onScreen(width, strings.ReplaceAll(string(text), "\t", "    "))
			if a, b := strings.Fields(got), strings.Fields(string(text)); strings.Join(a, " ") != strings.Join(b, " ") {
				t.Fatalf("%s: at %d columns other words", file, width)
			}
			for line := range strings.Lines(got) {
				line = strings.TrimRight(line, "\n")
				if ansi.StringWidth(line) > width && len(strings.Fields(line)) > 1 && !typed(line) {
					t.Errorf("%s: %d columns: %q", file, width, line)
				}
			}
		}
	}
}

// TestStylesHaveNoWidth: a line that is coloured is broken where one is that is not.
func TestStylesHaveNoWidth(t *testing.T) {
	coloured := onScreen(20, "one "+string(ours)+"[32mtwo"+string(ours)+"[0m three four five\n")
	if got, want := ansi.Strip(coloured), onScreen(20, "one two three four five\n"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRowsOfANarrowerTerminal(t *testing.T) {
	if got := rows([]int{0, 10, 40, 41, 80}, 40); got != 1+1+1+2+2 {
		t.Error(got)
	}
}
