package schema

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestDocument: a configuration survives being written as plain JSON, and what is
// changed in it shows.
func TestDocument(t *testing.T) {
	dirs, err := filepath.Glob("../examples/*")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, dir := range dirs {
		paths := []string{dir}
		if filepath.Base(dir) == "data" {
			paths = []string{dir + "/site.cue", dir + "/tenants.json", dir + "/volumes.yaml"}
		}
		cfg, err := Load(paths, nil)
		if err != nil {
			continue // no configuration, or one that needs tags
		}
		n++
		text, err := Document(paths, nil)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("plan", text)
		if err != nil {
			t.Errorf("%s: %v\n%s", dir, err, text)
		} else if !cfg.Same(again) || !again.Same(cfg) {
			t.Errorf("%s: it is another when it is read again\n%s", dir, text)
		}
		cfg.Nodes[0].Addresses = []string{"192.0.2.1"}
		if again != nil && cfg.Same(again) {
			t.Errorf("%s: a change goes unnoticed", dir)
		}
	}
	if n < 7 {
		t.Errorf("only %d examples were looked at", n)
	}
	for _, text := range []string{``, `null`, `[]`, `{"cluster": "lab"`, `{"cluster": "Lab!"}`, `{"cluster": "lab", "volumes": {"db": null}}`, `{"cluster": "lab", "volumes": {"db": {"size": 1, "sizes": 2}}}`} {
		if _, err := Parse("plan", []byte(text)); err == nil || !strings.Contains(err.Error(), "plan:") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
