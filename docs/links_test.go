package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	blocks  = regexp.MustCompile("(?s)\n```.*?\n```")
	links   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	linked  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	unsaid  = regexp.MustCompile(`[^\pL\pN_ -]`)
)

// TestLinks: what a page links to is there, with the heading that is meant.
func TestLinks(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"../*.md", "*.md", "*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	for _, page := range pages {
		for _, m := range links.FindAllStringSubmatch(prose(t, page), -1) {
			file, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(file, "://") {
				continue
			}
			to := page
			if file != "" {
				to = filepath.Join(filepath.Dir(page), file)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: %v", page, err)
			} else if anchor != "" && strings.HasSuffix(to, ".md") && !anchors(prose(t, to))[anchor] {
				t.Errorf("%s: %s has no heading #%s", page, to, anchor)
			}
		}
	}
	if len(pages) < 30 {
		t.Errorf("only %d pages: %q", len(pages), pages)
	}
}

// prose is a page without its blocks of code.
func prose(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return blocks.ReplaceAllString(string(text), "")
}

// anchors are the names of a page's headings, as forges make them.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		plain := linked.ReplaceAllString(m[1], "$1")
		all[strings.ReplaceAll(unsaid.ReplaceAllString(strings.ToLower(plain), ""), " ", "-")] = true
	}
	return all
}
