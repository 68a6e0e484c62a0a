package draft

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"strata/plan"
	"strata/plan/recipe"
	"strata/schema"
	"strata/state/worldtest"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// TestGolden makes the draft of each archive in testdata: of "lab.cue", beside
// the cluster and nodes n1 to n3, and of "world". "want" is what is written, and
// "left" what could not be, and what is left to do on both together. A line
// "now: seconds" of the archive's comment is the time; with a line "ssh" nodes are
// reached so.
//
// What is written is deterministic, formatted, and loads; so does what is
// commented out in it, without the comment marks.
func TestGolden(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives", err)
	}
	for _, name := range archives {
		name, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Chdir(t.TempDir())
			golden(t, name)
		})
	}
}

const nodes = `package lab

cluster: "lab"
nodes: {
	n1: {rpc: "unix:///run/n1.sock", address: "10.0.0.1"}
	n2: {rpc: "unix:///run/n2.sock", address: "10.0.0.2"}
	n3: {rpc: "unix:///run/n3.sock", address: "10.0.0.3"}
}
`

func golden(t *testing.T, name string) {
	ar, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]string{}
	for _, f := range ar.Files {
		in[f.Name] = string(f.Data)
	}
	nodes := nodes
	if strings.Contains(string(ar.Comment), "\nssh\n") {
		nodes = strings.ReplaceAll(nodes, "unix:///", "ssh://root@node/")
	}
	for file, text := range map[string]string{"nodes.cue": nodes, "lab.cue": "package lab\n\n" + in["lab.cue"]} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := schema.Load([]string{"."}, nil)
	if err != nil {
		t.Fatal(err)
	}
	snap, err := worldtest.Read(cfg.Cluster, in["world"])
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(ar.Comment), "now: ")
	now, _ := strconv.ParseInt(strings.TrimSpace(after), 10, 64)
	accepts := func(text []byte) error {
		_, err := schema.LoadBeside([]string{"."}, nil, "found.cue", text)
		return err
	}
	d, err := Make(cfg, snap, "lab", now, accepts)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Make(cfg, snap, "lab", now, accepts); err != nil || string(again.Text) != string(d.Text) {
		t.Errorf("made again it is another: %v\n%s", err, again.Text)
	}
	all, err := schema.LoadBeside([]string{"."}, nil, "found.cue", d.Text)
	if err != nil {
		t.Fatalf("%v\n%s", err, d.Text)
	}
	uncommented(t, d)
	worldtest.Remind(all, snap)
	p, err := recipe.Build(all, snap, plan.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{"want": string(d.Text), "left": left(t, d, p)}
	if *update {
		ar.Files = append(ar.Files[:2], txtar.File{Name: "want", Data: []byte(got["want"])}, txtar.File{Name: "left", Data: []byte(got["left"])})
		if err := os.WriteFile(name, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got["want"] != in["want"] || got["left"] != in["left"] {
		t.Errorf("got\n%s\n%s\nwant\n%s\n%s", got["want"], got["left"], in["want"], in["left"])
	}
}

// left is what could not be written, and what a plan would do.
func left(t *testing.T, d *Draft, p *plan.Plan) string {
	var b strings.Builder
	for _, r := range d.Left {
		fmt.Fprintf(&b, "%s: %s\n", r.About, r.Text)
	}
	fmt.Fprintf(&b, "%s. Short: %v\n", d.Counts(), d.Short)
	if err := p.Outline("lab").Compact(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// uncommented loads the draft without the comment marks of what is offered.
func uncommented(t *testing.T, d *Draft) {
	text, offered, found := strings.Cut(string(d.Text), "// What follows")
	if !found {
		return
	}
	var b strings.Builder
	b.WriteString(text)
	for i, block := range strings.Split(offered, "\n\n") {
		if i > 0 && !strings.HasPrefix(block, "// There is also") {
			for line := range strings.Lines(block) {
				b.WriteString(strings.TrimPrefix(line, "// "))
			}
			b.WriteString("\n")
		}
	}
	if _, err := schema.LoadBeside([]string{"."}, nil, "found.cue", []byte(b.String())); err != nil {
		t.Errorf("without comment marks: %v\n%s", err, b.String())
	}
}
