package schema

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"cuelang.org/go/mod/modregistrytest"
)

// TestModules: a module that a configuration depends on comes from the registry that
// CUE_REGISTRY names, and after that from the cache. Where neither has it, it is said which is
// missing, and nothing is asked for that nobody has named.
func TestModules(t *testing.T) {
	registry, err := modregistrytest.New(fstest.MapFS{
		"example.com_storage_v0.1.0/cue.mod/module.cue": {Data: []byte("module: \"example.com/storage@v0\"\nlanguage: version: \"v0.9.0\"\n")},
		"example.com_storage_v0.1.0/storage.cue":        {Data: []byte("package storage\n\n#Database: {size: int, replicas: _ | *1, every: \"1h\", keep: hourly: 24}\n")},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer registry.Close()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"cue.mod/module.cue": "module: \"example.com/lab@v0\"\nlanguage: version: \"v0.9.0\"\ndeps: \"example.com/storage@v0\": v: \"v0.1.0\"\n",
		"lab.cue":            "package lab\n\nimport \"example.com/storage\"\n\ncluster: \"lab\"\nnodes: n1: {rpc: \"unix:///n1.sock\", address: \"10.0.0.1\", pools: fast: malloc: 64Mi}\nvolumes: db: storage.#Database & {size: 64Mi}\n",
	} {
		if err := os.MkdirAll(dir+"/cue.mod", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	load := func(cache, named string) (*Config, error) {
		t.Setenv("CUE_CACHE_DIR", cache)
		t.Setenv("CUE_REGISTRY", named)
		return Load([]string{dir}, nil)
	}
	cache := t.TempDir()
	t.Cleanup(func() { writable(t, cache) })
	for _, named := range []string{registry.Host() + "+insecure", ""} {
		cfg, err := load(cache, named)
		if err != nil {
			t.Fatalf("CUE_REGISTRY %q: %v", named, err)
		}
		if v := cfg.Volume("db"); v == nil || v.Keep.Hourly != 24 || v.Replicas.Count != 1 {
			t.Errorf("CUE_REGISTRY %q: %+v", named, v)
		}
	}
	empty := t.TempDir()
	t.Cleanup(func() { writable(t, empty) })
	_, err = load(empty, "")
	if err == nil || !strings.Contains(err.Error(), "module example.com/storage@v0.1.0: it is not in the cache of modules, and CUE_REGISTRY names no registry") {
		t.Errorf("without cache and registry: %v", err)
	}
	registry.Close()
	_, err = load(empty, registry.Host()+"+insecure")
	if err == nil || !strings.Contains(err.Error(), "example.com/storage@v0.1.0") {
		t.Errorf("of a registry that is gone: %v", err)
	}
}

// writable lets a cache, of which the files are read-only, be removed.
func writable(t *testing.T, dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	_ = os.Chmod(dir, 0o755)
	for _, e := range entries {
		if e.IsDir() {
			writable(t, dir+"/"+e.Name())
		}
	}
}
