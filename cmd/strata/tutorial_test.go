package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCommandsOfPages runs the commands of pages that say what to type, all of a page one
// after the other, as a reader would.
func TestCommandsOfPages(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for i, page := range []struct {
		file, lab string // lab is where the page has its targets
		blocks    int    // from the first; 0: all
	}{
		{"README.md", "/tmp/lab", 1},
		{"docs/tutorial.md", "/tmp/tutorial", 0},
		{"docs/operations.md", "/tmp/operations", 0},
	} {
		t.Run(filepath.Base(page.file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join(root, page.file))
			if err != nil {
				t.Fatal(err)
			}
			blocks := strings.Split(string(text), "```sh\n")[1:]
			if page.blocks > 0 {
				blocks = blocks[:page.blocks]
			}
			lab, err := os.MkdirTemp("", "strata") // the path of a socket is short
			if err != nil {
				t.Fatal(err)
			}
			work := t.TempDir()
			t.Cleanup(func() {
				_ = exec.Command("strata", "sim", "--dir", lab, "--stop").Run() // where the page has not come to that
				os.RemoveAll(lab)
			})
			if err := os.Symlink(filepath.Join(root, "examples"), filepath.Join(work, "examples")); err != nil {
				t.Fatal(err)
			}
			script := "set -eux\n"
			for _, block := range blocks {
				block, _, _ = strings.Cut(block, "```")
				script += block
			}
			network := fmt.Sprintf("127.%d.%d.", 1+os.Getpid()%250, 1+i) // where nobody else listens
			script = strings.NewReplacer(page.lab, lab, "127.0.0.", network, "bin/strata ", "strata ", "make build\n", "").Replace(script)
			cmd := exec.Command("bash", "-c", script)
			cmd.Dir = work
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if strings.Count(script, "strata ") < 5 {
				t.Error("these are no commands:", script)
			}
		})
	}
}
