package schema

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	cueerrors "cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/mod/modconfig"
	"cuelang.org/go/mod/modregistrytest"
)

const (
	importing = `@experiment(explicitopen)

package lab

import "strata.io/schema"

schema.#Config
cluster: "lab"
volumes: [string]: replicas: _ | *2
nodes: {
	n1: {rpc: "unix:///n1", address: "10.0.0.1", pools: fast: malloc: 64Mi}
	n2: {rpc: "unix:///n2", address: "10.0.0.2", pools: fast: malloc: 64Mi}
}
volumes: db: {size: 1Gi, export: nvmf: hosts: "any"}
`
	labModule = "module: \"example.com/lab@v0\"\nlanguage: version: \"v0.15.0\"\n"
	dependent = labModule + "deps: \"strata.io/schema@v0\": v: \"v0.1.0\"\n"
)

func writeTree(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSchemaIsServed: a configuration that imports the schema is loaded with that of this
// program, without a registry, whether it is in a module, depends on the schema's, has an old
// copy, or none of that. It reads as it does without, and mistakes are told as they are then.
func TestSchemaIsServed(t *testing.T) {
	t.Setenv("CUE_CACHE_DIR", t.TempDir())
	t.Setenv("CUE_REGISTRY", "")
	plainly := strings.Replace(strings.Replace(importing, "import \"strata.io/schema\"\n\nschema.#Config\n", "", 1), "@experiment(explicitopen)\n\n", "", 1)
	mistakes := "package lab\n\nvolumes: db: {siez: 1, export: ublk: 1}\nvolumes: web: {size: 1Gi, export: nvmf: hots: \"any\"}\n"
	load := func(files map[string]string) (*Config, error) {
		dir := t.TempDir()
		writeTree(t, dir, files)
		t.Chdir(dir)
		return Load([]string{"."}, nil)
	}
	want, err := load(map[string]string{"lab.cue": plainly})
	if err != nil {
		t.Fatal(err)
	}
	_, wrong := load(map[string]string{"lab.cue": plainly, "more.cue": mistakes})
	if wrong == nil || !strings.Contains(wrong.Error(), `did you mean "size"?`) {
		t.Fatal(wrong)
	}
	for name, files := range map[string]map[string]string{
		"no module":  {},
		"module":     {"cue.mod/module.cue": labModule},
		"dependency": {"cue.mod/module.cue": dependent},
		"old copy":   {"cue.mod/module.cue": labModule, Vendored: "package schema\n\n#Config: {cluster!: string}\n"},
	} {
		files["lab.cue"] = importing
		if cfg, err := load(files); err != nil || !cfg.Same(want) {
			t.Errorf("%s: %v", name, err)
		}
		files["more.cue"] = mistakes
		_, err := load(files)
		if err == nil || len(strings.Split(err.Error(), "\n")) != len(strings.Split(wrong.Error(), "\n")) || strings.Contains(err.Error(), "schema.cue") {
			t.Errorf("%s: got %v\nwant %v", name, err, wrong)
		}
	}
}

// TestSchemaForCUE: with the schema as a module of a registry, or as a copy, CUE itself finds
// nothing wrong with a configuration, not with one that is unfinished either, adds nothing to
// it, and finds what is misspelt or excludes one another.
func TestSchemaForCUE(t *testing.T) {
	published := fstest.MapFS{}
	for name, text := range Module() {
		published["strata.io_schema_v0.1.0/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	registry, err := modregistrytest.New(published, "")
	if err != nil {
		t.Fatal(err)
	}
	defer registry.Close()
	cache := t.TempDir()
	t.Cleanup(func() { writable(t, cache) })
	for name, files := range map[string]map[string]string{
		"registry": {"cue.mod/module.cue": dependent},
		"copy":     {"cue.mod/module.cue": labModule, Vendored: Importable()},
	} {
		for _, c := range []struct{ more, wrong string }{
			{"", ""},
			{"volumes: web: size: 1Gi\nnodes: n1: fence: command: [\"fence_x\"]\nlinks: patience: \"3s\"\nauto: [\"serve\", \"fence\"]", ""},
			{"volumes: web: size: int\nvolumes: web: export: nvmf: hosts: [...string]\nvolumes: web: replicas: count: 1 | 2", "incomplete"},
			{"volumes: db: siez: 1Gi", "volumes.db.siez: field not allowed"},
			{"volumes: db: export: nvmf: hots: \"any\"", "volumes.db.export.nvmf.hots: field not allowed"},
			{"volumes: db: export: ublk: 1", "volumes.db.export: "},
			{"volumes: web: {size: 1Gi, every: \"1s\", keep: daily: 1}", "out of bound"},
			{"nodes: n3: address: \"10.0.0.3\"", "incomplete"},
		} {
			dir := t.TempDir()
			files["lab.cue"] = importing + c.more + "\n"
			writeTree(t, dir, files)
			env := []string{"CUE_REGISTRY=" + registry.Host() + "+insecure", "CUE_CACHE_DIR=" + cache}
			r, err := modconfig.NewRegistry(&modconfig.Config{Env: env})
			if err != nil {
				t.Fatal(err)
			}
			inst := load.Instances([]string{"."}, &load.Config{Dir: dir, Env: env, Registry: r})[0]
			if inst.Err != nil {
				t.Fatalf("%s: %v", name, inst.Err)
			}
			v := cuecontext.New().BuildInstance(inst)
			unfinished, whole := v.Validate(), v.Validate(cue.Concrete(true))
			switch {
			case c.wrong == "" && whole != nil, c.wrong == "incomplete" && (unfinished != nil || whole == nil):
				t.Errorf("%s: with %q: %v, concrete: %v", name, c.more, unfinished, whole)
			case c.wrong != "" && c.wrong != "incomplete" && (unfinished == nil || !strings.Contains(cueerrors.Details(unfinished, nil), c.wrong)):
				t.Errorf("%s: with %q: got %v, want %s", name, c.more, unfinished, c.wrong)
			}
			if c.more == "" {
				for _, left := range []string{"auto", "links", "archives", "volumes.db.snapshots", "volumes.db.protect", "nodes.n1.port"} {
					if v.LookupPath(cue.ParsePath(left)).Exists() {
						t.Errorf("%s: %s is given a value", name, left)
					}
				}
			}
		}
	}
}
