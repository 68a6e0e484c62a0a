package schema

import (
	"os"
	"strings"
	"testing"
)

// TestLoadBeside loads a directory, and data, with a file that is not written.
func TestLoadBeside(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"lab/nodes.cue": "package lab\n\ncluster: \"lab\"\nnodes: n1: {rpc: \"unix:///n1\", address: \"10.0.0.1\"}\n",
		"plain.cue":     "cluster: \"lab\"\nnodes: n1: {rpc: \"unix:///n1\", address: \"10.0.0.1\"}\n",
		"site.json":     `{"cluster": "lab", "nodes": {"n1": {"rpc": "unix:///n1", "address": "10.0.0.1"}}}`,
	} {
		if err := os.MkdirAll("lab", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const pools = "nodes: n1: pools: fast: aio: \"/dev/sdb\"\nvolumes: db: {size: 1Gi, replicas: 1}\n"
	for paths, pkg := range map[string]string{"lab": "lab", "plain.cue": "", "site.json": ""} {
		for _, name := range []string{"more.cue", "lab/more.cue", "elsewhere/more.cue"} {
			got, err := Package([]string{paths})
			if err != nil || got != pkg {
				t.Errorf("%s: package %q, %v", paths, got, err)
			}
			text := pools
			if pkg != "" {
				text = "package " + pkg + "\n\n" + pools
			}
			cfg, err := LoadBeside([]string{paths}, nil, name, []byte(text))
			if err != nil {
				t.Errorf("%s beside %s: %v", name, paths, err)
				continue
			}
			if len(cfg.Nodes[0].Pools) != 1 || cfg.Volumes[0].Pos.File != name {
				t.Errorf("%s beside %s: %+v, at %v", name, paths, cfg.Nodes[0], cfg.Volumes[0].Pos)
			}
		}
	}
	_, err := LoadBeside([]string{"lab"}, nil, "more.cue", []byte("package lab\n\nvolumes: db: size: 7\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "more.cue:3:14: volumes.db: size") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat("more.cue"); err == nil {
		t.Error("the file was written")
	}
}
