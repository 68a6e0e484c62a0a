package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strata/schema"
)

// TestReadme holds the README to what it shows: the first configuration is that
// of examples/lab, those that are whole are valid, and every example is named.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(readme), "```cue\n")[1:]
	whole := 0
	for i, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		lab, err := os.ReadFile("../../examples/lab/lab.cue")
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 && block != string(lab) {
			t.Error("the first configuration is not examples/lab/lab.cue")
		}
		if !strings.Contains(block, "\npackage ") && !strings.HasPrefix(block, "package ") {
			continue
		}
		whole++
		file := filepath.Join(t.TempDir(), "readme.cue")
		if err := os.WriteFile(file, []byte(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := schema.Load([]string{file}, nil); err != nil {
			t.Errorf("%v in\n%s", err, block)
		}
	}
	if whole < 2 {
		t.Errorf("%d whole configurations", whole)
	}
	examples, err := filepath.Glob("../../examples/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range examples {
		if name := "examples/" + filepath.Base(dir); !strings.Contains(string(readme), "("+name) {
			t.Errorf("%s is not named", name)
		}
	}
}
