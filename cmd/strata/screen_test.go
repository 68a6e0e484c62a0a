package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"strata/plan"
	"strata/spdk"
)

func TestScreen(t *testing.T) {
	for text, want := range map[string]string{
		"plain ├── ✓\tüber\n":               "plain ├── ✓\tüber\n",
		"\x1b[2Kgone\r\a":                   `\u001b[2Kgone\u000d\u0007`,
		"\u009b2J \u202e\u2066 \u200b":      `\u009b2J \u202e\u2066 \u200b`,
		"line\u2028separator":               `line\u2028separator`,
		"\x9b2J \xff":                       `\x9b2J \xff`,
		"tag \U000e0041":                    `tag \udb40\udc41`,
		"no break\u00a0here":                "no break\u00a0here",
		string(ours[:len(ours)-1]) + "z":    `\u001b` + string(ours[1:len(ours)-1]) + "z",
		"replacement \ufffd":                "replacement \ufffd",
		"{\"name\":\"\u009b\u007f\"}\n":     `{"name":"\u009b\u007f"}` + "\n",
		style{}.Render("x\x1b[8mhidden"):    `x\u001b[8mhidden`,
		style{}.Render("two\nlines"):        `two\nlines`,
		inLine("a\nvolume db  healthy\x1b"): `a\nvolume db  healthy\u001b`,
	} {
		var whole, split bytes.Buffer
		if _, err := (&screen{out: &whole}).Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if whole.String() != want {
			t.Errorf("%q is shown as %q, not %q", text, whole.String(), want)
		}
		s := &screen{out: &split}
		for i := range len(text) {
			if n, err := s.Write([]byte{text[i]}); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		if split.String() != want {
			t.Errorf("%q, a byte at a time, is shown as %q, not %q", text, split.String(), want)
		}
	}
}

// TestScreenStyles has strata's own colours, and no other, reach the terminal.
func TestScreenStyles(t *testing.T) {
	lipgloss.SetColorProfile(termenv.ANSI)
	defer lipgloss.SetColorProfile(termenv.Ascii)
	var out bytes.Buffer
	fmt.Fprint(&screen{out: &out}, bad.Render("unknown: \x1b[32mfine")+"\x1b[32m")
	if want := "\x1b[31munknown: \\u001b[32mfine\x1b[0m\\u001b[32m"; out.String() != want {
		t.Errorf("shown is %q, not %q", out.String(), want)
	}
}

// TestScreenKeepsJSON: what a program reads is the same text.
func TestScreenKeepsJSON(t *testing.T) {
	const name = "x\x1b\u009b\u007f\u202e\U000e0041\n"
	var out bytes.Buffer
	if err := printJSON(&screen{out: &out}, []string{name}); err != nil {
		t.Fatal(err)
	}
	var back []string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || len(back) != 1 || back[0] != name {
		t.Errorf("%q, %v", back, err)
	}
}

func TestInLines(t *testing.T) {
	name := "x\ny"
	o := &plan.Outline{
		Summary: name, Labels: plan.Labels{Volumes: map[string]map[string]string{name: {name: name}}},
		Passes: []plan.OutlinePass{{Sections: []plan.OutlineSection{{Stages: [][]plan.OutlineStep{{{Text: name}}}}}}},
	}
	b, err := json.Marshal(inLines(o))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), `x\ny`) || strings.Count(string(b), `x\\ny`) != 5 {
		t.Errorf("%s", b)
	}
	if o.Passes[0].Sections[0].Stages[0][0].Text != name || o.Labels.Volumes[name][name] != name {
		t.Error("it has changed what it copies")
	}
}

func TestMessageStaysInLine(t *testing.T) {
	answer := &spdk.Error{Method: "bdev_get_bdevs", Message: "no\nConverged"}
	err := errors.Join(fmt.Errorf("node n1: %w", answer), errors.New("one\ntwo"))
	if got, want := message(err), "node n1: bdev_get_bdevs: no\\nConverged\none\ntwo"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
}

// TestOneScreen holds the command to its screens: nothing else writes to the
// terminal. The guard's pipe to its apply is none.
func TestOneScreen(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	raw := regexp.MustCompile(`os\.Std(out|err)|fmt\.Print|\bprintln?\(|lipgloss\.NewStyle|tree\.[A-Z]\w*Style`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || file == "guard.go" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			ofScreen := file == "screen.go" && strings.Contains(line, "&screen{out: os.Std") || file == "output.go" && strings.Contains(line, "style{lipgloss.NewStyle()")
			if raw.MatchString(line) && !ofScreen {
				t.Errorf("%s:%d writes past the screen: %s", file, i+1, strings.TrimSpace(line))
			}
		}
	}
}
