package schema

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestSources tells what a configuration was read from: what was named, packages that
// it imports and the module they are in, also where loading ends with an error.
func TestSources(t *testing.T) {
	write := func(dir string, files map[string]string) {
		for name, text := range files {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	module := map[string]string{
		"cue.mod/module.cue": "module: \"example.com/lab\"\nlanguage: version: \"v0.9.0\"\n",
		"lab/lab.cue":        "package lab\n\nimport \"example.com/lab/sizes\"\n\ncluster: \"lab\"\nnodes: n1: {rpc: \"unix:///tmp/n1\", address: \"10.0.0.1\", pools: fast: aio: \"/dev/a\"}\nvolumes: db: {size: sizes.Small, replicas: 1}\n",
		"lab/more.json":      `{"volumes": {"logs": {"size": 1073741824, "replicas": 1}}}`,
		"sizes/sizes.cue":    "package sizes\n\nSmall: 1Gi\n",
	}
	tests := []struct {
		name        string
		change      map[string]string
		paths       []string
		files, dirs []string
		globs       []string // of sizes
		fails       bool
	}{
		{
			name: "a directory", paths: []string{"lab"},
			files: []string{"cue.mod/module.cue", "lab/lab.cue", "sizes/sizes.cue"}, dirs: []string{"lab", "sizes"},
		},
		{
			name: "files", paths: []string{"lab/lab.cue", "lab/more.json"},
			files: []string{"cue.mod/module.cue", "lab/lab.cue", "lab/more.json", "sizes/sizes.cue"}, dirs: []string{"sizes"},
		},
		{
			name: "files that are embedded", paths: []string{"lab/lab.cue"},
			change: map[string]string{
				"sizes/sizes.cue":     "@extern(embed)\n\npackage sizes\n\nSmall: _size[\"of/small.json\"]\n_size: _ @embed(glob=*/small.json)\n_odd: _ @embed(glob=none/*.json,allowEmptyGlob)\n",
				"sizes/of/small.json": "1073741824",
			},
			files: []string{"cue.mod/module.cue", "lab/lab.cue", "sizes/of/small.json", "sizes/sizes.cue"}, dirs: []string{"sizes"}, globs: []string{"*/small.json", "none/*.json"},
		},
		{
			name: "what is imported cannot be parsed", paths: []string{"lab"}, fails: true,
			change: map[string]string{"sizes/sizes.cue": "package sizes\n\nSmall: {\n"},
			files:  []string{"cue.mod/module.cue", "lab/lab.cue", "sizes/sizes.cue"}, dirs: []string{"lab", "sizes"},
		},
		{
			name: "what is imported is not there", paths: []string{"lab"}, fails: true,
			change: map[string]string{"lab/lab.cue": "package lab\n\nimport \"example.com/lab/other\"\n\ncluster: other.Name\n"},
			files:  []string{"cue.mod/module.cue", "lab/lab.cue"}, dirs: []string{"lab", "other"},
		},
		{
			name: "what is named is not there", paths: []string{"lab", "gone.json"}, fails: true,
			files: []string{"gone.json", "lab/lab.cue"}, dirs: []string{"lab"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			write(dir, module)
			write(dir, test.change)
			t.Chdir(dir)
			at := func(names []string) (all []string) {
				for _, n := range names {
					all = append(all, filepath.Join(dir, n))
				}
				return all
			}
			_, src, err := LoadSources(at(test.paths), nil)
			if (err != nil) != test.fails {
				t.Errorf("error: %v", err)
			}
			if want := at(test.files); !slices.Equal(src.Files, want) {
				t.Errorf("files %q, want %q", src.Files, want)
			}
			var globs []Glob
			for _, pattern := range test.globs {
				globs = append(globs, Glob{Dir: filepath.Join(dir, "sizes"), Pattern: pattern})
			}
			if !slices.Equal(src.Globs, globs) {
				t.Errorf("globs %q, want %q", src.Globs, globs)
			}
			for _, d := range at(test.dirs) {
				if !slices.Contains(src.Dirs, d) {
					t.Errorf("directories %q, without %s", src.Dirs, d)
				}
			}
		})
	}
}
