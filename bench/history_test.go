package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHistoryHasTheLastOfEachFigure(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history.tsv")
	if last, err := latest(file); err != nil || len(last) > 0 {
		t.Fatalf("no file: %v, %v", last, err)
	}
	for _, e := range []entry{
		{"2026-01-01", "a1", "reading / decoding", 1.5},
		{"2026-01-01", "a1", "planning / CUE", 0.8},
		{"2026-01-02", "b2", "reading / decoding", 1.25},
	} {
		if err := e.add(file); err != nil {
			t.Fatal(err)
		}
	}
	last, err := latest(file)
	if err != nil || len(last) != 2 || last["reading / decoding"] != (entry{"2026-01-02", "b2", "reading / decoding", 1.25}) {
		t.Errorf("%v, %v", last, err)
	}
	now := entry{figure: "reading / decoding", ratio: 1.0}
	if got := now.since(last[now.figure]); got != "0.80 times the 1.25 of 2026-01-02, b2" {
		t.Error(got)
	}
	if got := now.since(last["another"]); got != "not measured before" {
		t.Error(got)
	}
}

func TestHistoryThatCannotBeReadIsNotIgnored(t *testing.T) {
	for text, want := range map[string]string{
		"2026-01-01\ta1\treading\n":      "history.tsv:1: 3 columns",
		"# x\n2026-01-01\ta1\tr\tfast\n": "history.tsv:2: the ratio",
	} {
		file := filepath.Join(t.TempDir(), "history.tsv")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := latest(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
