package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// TestLoad loads the files of each archive in testdata and compares what comes
// out with the archive's last file, "config" or "errors". A line "load: ..." in
// the archive's comment has the arguments: paths, and -t with a tag; without
// it, the directory is loaded.
func TestLoad(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives", err)
	}
	for _, name := range archives {
		name, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) { golden(t, name) })
	}
}

func golden(t *testing.T, name string) {
	ar, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	var inputs []txtar.File
	var want txtar.File
	for _, f := range ar.Files {
		if f.Name == "config" || f.Name == "errors" {
			want = f
			continue
		}
		inputs = append(inputs, f)
		if err := os.MkdirAll(filepath.Dir(f.Name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got := result(Load(arguments(string(ar.Comment))))
	if *update {
		ar.Files = append(inputs, got)
		if err := os.WriteFile(name, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got.Name != want.Name || !bytes.Equal(got.Data, want.Data) {
		t.Errorf("got %s:\n%s\nwant %s:\n%s", got.Name, got.Data, want.Name, want.Data)
	}
}

// result makes a golden file of what Load returned.
func result(cfg *Config, err error) txtar.File {
	if err != nil {
		var ps Problems
		if !errors.As(err, &ps) || len(ps) == 0 {
			return txtar.File{Name: "errors", Data: []byte("not Problems: " + err.Error() + "\n")}
		}
		return txtar.File{Name: "errors", Data: []byte(err.Error() + "\n")}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(cfg); err != nil {
		return txtar.File{Name: "errors", Data: []byte(err.Error() + "\n")}
	}
	return txtar.File{Name: "config", Data: b.Bytes()}
}

func arguments(comment string) (paths, tags []string) {
	paths = []string{"."}
	for line := range strings.Lines(comment) {
		rest, ok := strings.CutPrefix(line, "load:")
		if !ok {
			continue
		}
		paths = nil
		words := strings.Fields(rest)
		for i := 0; i < len(words); i++ {
			if words[i] == "-t" {
				i++
				tags = append(tags, words[i])
			} else {
				paths = append(paths, words[i])
			}
		}
	}
	return paths, tags
}
