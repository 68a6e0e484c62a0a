package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"strata/explain"
	"strata/schema"
)

// TestEveryFieldHasAnExample: what strata explain shows is valid, and lacks no field
// of the schema.
func TestEveryFieldHasAnExample(t *testing.T) {
	files, err := fs.Glob(explain.Examples(), "examples/*.cue")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := fs.ReadFile(explain.Examples(), name)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), filepath.Base(name))
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := schema.Load([]string{file}, nil); err != nil {
			t.Errorf("explain/%s: %v", name, err)
		}
	}
	paths, err := explain.Paths()
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 100 {
		t.Errorf("only %d fields: %v", len(paths), paths)
	}
	for _, path := range paths {
		if shows, err := explain.Shows(path); err != nil || !shows {
			t.Errorf("no file in explain/examples has the field %s, which strata explain is to show: add it there (%v)", path, err)
		}
	}
}
