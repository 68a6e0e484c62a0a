package plan

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// TestGolden builds the plan of each archive in testdata: of "lab.cue", beside
// testdata/nodes.cue unless it has a cluster of its own, and of "world". "want"
// is the plan as printed, and "after" is the world it leaves. Lines "key: value"
// of the archive's comment are options: allow-destroy, authority (db=n2), nonce,
// now (seconds) and explain. Nodes know of one another's pools (worldtest.Remind)
// unless a line says "reminders: none".
//
// Of every plan it checks beside that, that it leaves nothing to do, and that
// one cut off after any step is continued to the same end.
func TestGolden(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives", err)
	}
	nodes, err := os.ReadFile("testdata/nodes.cue")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range archives {
		name, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Chdir(t.TempDir())
			golden(t, name, string(nodes))
		})
	}
}

func golden(t *testing.T, name, nodes string) {
	ar, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]string{}
	for _, f := range ar.Files {
		in[f.Name] = string(f.Data)
	}
	cfg := loadConfig(t, in["lab.cue"], nodes)
	snap, err := readWorld(cfg.Cluster, in["world"])
	if err != nil {
		t.Fatal(err)
	}
	opt := options(string(ar.Comment))
	if !strings.Contains(string(ar.Comment), "reminders: none") {
		remind(cfg, snap)
	}
	p, err := Build(cfg, snap, opt)
	if err != nil {
		t.Fatal(err)
	}
	after, steps := carriedOut(t, cfg, snap, p, len(p.Steps())), len(p.Steps())
	got := map[string]string{"want": strings.TrimLeft(text(p), "\n"), "after": writeWorld(after)}
	if steps == 0 {
		delete(got, "after")
	}
	if *update {
		write(t, name, ar, got)
	} else if got["want"] != in["want"] || got["after"] != in["after"] {
		t.Errorf("got plan\n%s\nwant\n%s\nafter it\n%s\nwant\n%s", got["want"], in["want"], got["after"], in["after"])
	}
	for n := range steps {
		continued(t, cfg, carriedOut(t, cfg, snap, p, n), opt, fmt.Sprintf("cut off after %d of %d steps", n, steps))
	}
	atRest(t, cfg, after, opt, "carried out")
}

// loadConfig is the one place that knows how a test's configuration is written.
func loadConfig(t testing.TB, lab, nodes string) *schema.Config {
	paths := []string{"lab.cue"}
	if !strings.Contains(lab, "cluster:") {
		paths = append(paths, "nodes.cue")
		if err := os.WriteFile("nodes.cue", []byte(nodes), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("lab.cue", []byte(lab), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, err := schema.Load(paths, nil)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func options(comment string) Options {
	opt := Options{AllowDestroy: map[string]bool{}, Authority: map[string]lineage.Node{}}
	for line := range strings.Lines(comment) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "allow-destroy":
			for _, name := range strings.Fields(value) {
				opt.AllowDestroy[name] = true
			}
		case "authority":
			volume, node, _ := strings.Cut(value, "=")
			opt.Authority[volume] = lineage.Node(node)
		case "nonce":
			opt.Nonce = []byte(value)
		case "now":
			opt.Now, _ = strconv.ParseInt(value, 10, 64)
		case "explain":
			opt.Explain = true
		}
	}
	return opt
}

// carriedOut is the world after the first n steps of a plan.
func carriedOut(t *testing.T, cfg *schema.Config, snap *state.Snapshot, p *Plan, n int) *state.Snapshot {
	w := newWorld(cfg.Cluster, within(cfg, snap))
	for _, step := range p.Steps()[:n] {
		if err := w.project(step.Op); err != nil {
			t.Fatalf("step %d: %v", step.Number, err)
		}
	}
	return w.Snapshot
}

// continued checks that planning anew from snap comes to rest.
func continued(t *testing.T, cfg *schema.Config, snap *state.Snapshot, opt Options, when string) {
	p, err := Build(cfg, snap, opt)
	if err != nil {
		t.Errorf("%s: %v\n%s", when, err, writeWorld(snap))
		return
	}
	atRest(t, cfg, carriedOut(t, cfg, snap, p, len(p.Steps())), opt, when+", and continued")
}

func atRest(t *testing.T, cfg *schema.Config, snap *state.Snapshot, opt Options, when string) {
	p, err := Build(cfg, snap, opt)
	if err != nil {
		t.Errorf("%s: %v\n%s", when, err, writeWorld(snap))
	} else if !p.Empty() {
		t.Errorf("%s, something is left to do:\n%s\n%s", when, text(p), writeWorld(snap))
	}
}

func write(t *testing.T, name string, ar *txtar.Archive, got map[string]string) {
	var files []txtar.File
	for _, f := range ar.Files {
		if f.Name != "want" && f.Name != "after" {
			files = append(files, f)
		}
	}
	for _, n := range []string{"want", "after"} {
		if data, ok := got[n]; ok {
			files = append(files, txtar.File{Name: n, Data: []byte(strings.TrimLeft(data, "\n"))})
		}
	}
	ar.Files = files
	if err := os.WriteFile(name, txtar.Format(ar), 0o644); err != nil {
		t.Fatal(err)
	}
}
