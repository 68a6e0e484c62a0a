package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestIndex: the list of pages has each, and none that is not there.
func TestIndex(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if page != "README.md" && !strings.Contains(string(text), "]("+page+")") {
			t.Errorf("docs/README.md does not list %s", page)
		}
	}
	for _, link := range strings.Split(string(text), "](")[1:] {
		file, _, _ := strings.Cut(link, ")")
		file, _, _ = strings.Cut(file, "#")
		if _, err := os.Stat(file); err != nil {
			t.Errorf("docs/README.md: %v", err)
		}
	}
}
