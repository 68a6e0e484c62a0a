// Package plantest is what tests of plans share: configurations, worlds, and the
// golden cases, each an archive with a configuration, a world, options and the
// plan that they make.
package plantest

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"strata/catalog"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
	"strata/state/worldtest"
)

// nodes are those of a configuration that has no cluster of its own.
//
//go:embed nodes.cue
var nodes []byte

// Config loads a configuration, as the file lab.cue of a new working directory.
// Where it names no cluster, nodes.cue stands beside it.
func Config(t testing.TB, lab string) *schema.Config {
	t.Helper()
	cfg, err := schema.Load(files(t, lab), nil)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// files writes a configuration to a directory that becomes the working one.
func files(t testing.TB, lab string) []string {
	t.Helper()
	t.Chdir(t.TempDir())
	paths := []string{"lab.cue"}
	write(t, "lab.cue", []byte(lab))
	if !strings.Contains(lab, "cluster:") {
		paths = append(paths, "nodes.cue")
		write(t, "nodes.cue", nodes)
	}
	return paths
}

// World reads what nodes have, in the words of worldtest.
func World(t testing.TB, c lineage.Cluster, text string) *state.Snapshot {
	t.Helper()
	s, err := worldtest.Read(c, text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TwoNodes are a configuration of nodes n1 and n2 with a pool "fast" each, and of
// these volumes, and what the nodes have.
func TwoNodes(t testing.TB, volumes, world string) (*schema.Config, *state.Snapshot) {
	t.Helper()
	cfg := Config(t, `
cluster: "lab"
nodes: {
	n1: {rpc: "unix:///run/n1.sock", address: "10.0.0.1", pools: fast: {aio: "/dev/n1", format: true}}
	n2: {rpc: "unix:///run/n2.sock", address: "10.0.0.2", pools: fast: {aio: "/dev/n2", format: true}}
}
`+volumes)
	return cfg, World(t, "lab", world)
}

// Text is a plan as it is printed with all its steps.
func Text(p *plan.Plan) string {
	var b strings.Builder
	o := p.Outline("")
	o.AllSteps = true
	if err := o.Print(&b); err != nil {
		return err.Error()
	}
	return b.String()
}

// Case is a golden case: a configuration ("lab.cue") and a world ("world"). Lines
// "key: value" of the archive's comment are options: allow-destroy, authority
// (db=n2), failover (db), scrub (db), off (n2 and how that is known), silent (n2), wish (db n1/lab.fast engine=n1), nonce, now (seconds), auto (words, "nothing" or "as configured"), away (nodes, or
// "none"), explain, gone (n2:n1 waits, or over, of a link), and counted (n2 100 160: suspended
// since then, by then). A file "archives" has what archives hold (catalog), "images" what raw images have (images). Nodes know of one another's pools
// (worldtest.Remind) unless a line says "reminders: none".
type Case struct {
	Name    string
	path    string
	archive *txtar.Archive
}

// Cases are those of a directory.
func Cases(t testing.TB, dir string) (all []Case) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no cases in", dir, err)
	}
	for _, path := range paths {
		if path, err = filepath.Abs(path); err != nil {
			t.Fatal(err)
		}
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, Case{strings.TrimSuffix(filepath.Base(path), ".txtar"), path, ar})
	}
	return all
}

// File is a file of the archive; "" when there is none.
func (c Case) File(name string) string {
	for _, f := range c.archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

// Load makes what a plan is made of.
func (c Case) Load(t testing.TB) (*schema.Config, *state.Snapshot, plan.Options) {
	t.Helper()
	cfg := Config(t, c.File("lab.cue"))
	snap := World(t, cfg.Cluster, c.File("world"))
	if !strings.Contains(string(c.archive.Comment), "reminders: none") {
		worldtest.Remind(cfg, snap)
	}
	return c.counted(t, cfg), snap, c.options(t, cfg)
}

// Document is the case's configuration as a saved plan keeps it. It is called
// after Load.
func (c Case) Document(t testing.TB) []byte {
	t.Helper()
	paths := []string{"lab.cue"}
	if !strings.Contains(c.File("lab.cue"), "cluster:") {
		paths = append(paths, "nodes.cue")
	}
	document, err := schema.Document(paths, nil)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// Grants are those of these names, which must be right.
func Grants(names ...string) plan.Grants {
	all := plan.Grants{}
	for _, name := range names {
		g, ok := plan.ParseGrant(name)
		if !ok {
			panic(name + " releases nothing")
		}
		all[g] = true
	}
	return all
}

// Watched reports whether the case is of a watch that counts how long a node has been
// suspended. None saves its plans.
func (c Case) Watched() bool { return strings.Contains(string(c.archive.Comment), "counted: ") }

// counted is the configuration as who counts how long a node has been suspended has it:
// since when, and what time it is, in seconds since 1970.
func (c Case) counted(t testing.TB, cfg *schema.Config) *schema.Config {
	for line := range strings.Lines(string(c.archive.Comment)) {
		if rest, ok := strings.CutPrefix(line, "counted: "); ok {
			var node lineage.Node
			var since, now int64
			if _, err := fmt.Sscan(rest, &node, &since, &now); err != nil {
				t.Fatal(err)
			}
			cfg = cfg.Counted(map[lineage.Node]int64{node: since}, now)
		}
	}
	return cfg
}

func (c Case) options(t testing.TB, cfg *schema.Config) plan.Options {
	opt := plan.Options{Authority: map[string]lineage.Node{}}
	for line := range strings.Lines(string(c.archive.Comment)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "allow-destroy":
			opt.AllowDestroy = Grants(strings.Fields(value)...)
		case "authority":
			volume, node, _ := strings.Cut(value, "=")
			opt.Authority[volume] = lineage.Node(node)
		case "nonce":
			opt.Nonce = []byte(value)
		case "now":
			opt.Now, _ = strconv.ParseInt(value, 10, 64)
		case "auto":
			opt.Auto = c.auto(t, cfg, value)
		case "away":
			opt.Away = map[lineage.Node]bool{}
			for _, n := range strings.Fields(value) {
				opt.Away[lineage.Node(n)] = n != "none"
			}
		case "failover":
			opt.Failover = map[string]bool{value: true}
		case "scrub": // db
			opt.Scrub = map[string]int64{value: 1_700_000_000}
		case "trim": // db
			opt.Trim.Volumes = map[string]bool{value: true}
		case "discards-read-zero":
			opt.Trim.Zeroes = true
		case "off": // n4 and how that is known
			node, how, _ := strings.Cut(value, " ")
			opt.Off = map[lineage.Node]string{lineage.Node(node): how}
		case "silent":
			opt.Silent = map[lineage.Node]bool{lineage.Node(value): true}
		case "wish": // db n1/lab.fast n3/lab.fast, or db engine=n2, or both
			if opt.Wishes == nil {
				opt.Wishes = plan.Wishes{}
			}
			words := strings.Fields(value)
			opt.Wishes[words[0]] = wish(words[1:])
		case "explain":
			opt.Explain = true
		case "gone": // n2:n1 over, a link whose peer is gone
			if opt.Peers == nil {
				opt.Peers = map[lineage.Link]plan.Peer{}
			}
			link, is, _ := strings.Cut(value, " ")
			from, to, _ := strings.Cut(link, ":")
			for _, wait := range []bool{true, false} {
				opt.Peers[lineage.Link{From: lineage.Node(from), To: lineage.Node(to), Wait: wait}] = map[string]plan.Peer{"over": plan.PeerOver, "waits": plan.PeerWaits}[is]
			}
		}
	}
	opt.Catalog, opt.Images, opt.Keys = c.catalog(t), c.images(t), c.keys(t)
	return opt
}

// catalog is what archives hold, by lines "main db.k3f7@2.base [over=…] [block=64Ki] [cluster=other]", the
// oldest record first, "main empty" or "main unread why"; nil where the file "archives" says
// nothing.
func (c Case) catalog(t testing.TB) catalog.Catalog {
	t.Helper()
	var all catalog.Catalog
	for line := range strings.Lines(c.File("archives")) {
		f := strings.Fields(line)
		if len(f) < 2 {
			t.Fatalf("%q says nothing of an archive", line)
		}
		if all == nil {
			all = catalog.Catalog{}
		}
		if all[f[0]] == nil {
			all[f[0]] = &catalog.Archive{}
		}
		switch f[1] {
		case "empty":
		case "unread":
			all[f[0]].Unread = strings.Join(f[2:], " ")
		default:
			r := catalog.Record{ID: fmt.Sprint(len(all[f[0]].Records) + 1), Cluster: "lab", Layer: lineage.LvolName(f[1]), Block: 1 << 20, Size: 64 << 20, Bytes: 5 << 20, Time: int64(len(all[f[0]].Records) + 1)}
			for _, o := range f[2:] {
				switch k, v, _ := strings.Cut(o, "="); k {
				case "over":
					r.Over = lineage.LvolName(v)
				case "cluster":
					r.Cluster = lineage.Cluster(v)
				case "block":
					kib, err := strconv.Atoi(strings.TrimSuffix(v, "Ki"))
					if err != nil {
						t.Fatal(err)
					}
					r.Block = int64(kib) << 10
				default:
					t.Fatalf("unknown word %s", o)
				}
			}
			all[f[0]].Records = append(all[f[0]].Records, r)
		}
	}
	return all
}

// images are the files that volumes are to start as, by lines "/path size=64Mi data=3Mi" or
// "/path unread why".
func (c Case) images(t testing.TB) catalog.Images {
	t.Helper()
	all := catalog.Images{}
	for line := range strings.Lines(c.File("images")) {
		path, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		i := &catalog.Image{}
		if why, is := strings.CutPrefix(rest, "unread "); is {
			i.Unread = why
		} else if _, err := fmt.Sscanf(rest, "size=%dMi data=%dMi", &i.Size, &i.Data); err != nil {
			t.Fatalf("%q says nothing of an image: %v", line, err)
		}
		i.Size, i.Data = i.Size<<20, i.Data<<20
		all[path] = i
	}
	return all
}

// keys are what was found of keys that strata puts on nodes, by lines "db NQN CHECK" for a host,
// "db target:NQN CHECK" for the target, "db psk:NQN CHECK" for TLS, or any with "unread why" in place of the check.
func (c Case) keys(t testing.TB) plan.KeysFound {
	t.Helper()
	all := plan.KeysFound{}
	for line := range strings.Lines(c.File("keys")) {
		f := strings.Fields(line)
		if len(f) < 3 {
			t.Fatalf("%q says nothing of a key", line)
		}
		role, host := lineage.RoleHost, f[1]
		for _, r := range lineage.KeyRoles {
			if rest, is := strings.CutPrefix(host, string(r)+":"); is {
				role, host = r, rest
			}
		}
		found := plan.KeyFound{Check: f[2]}
		if f[2] == "unread" {
			found = plan.KeyFound{Unread: strings.Join(f[3:], " ")}
		}
		all[plan.KeyOf{Volume: f[0], Host: lineage.NQN(host), Role: role}] = found
	}
	return all
}

// wish is where a volume is to be.
func wish(words []string) (w plan.Wish) {
	for _, word := range words {
		if engine, is := strings.CutPrefix(word, "engine="); is {
			w.Engine, w.ServeWhy = lineage.Node(engine), "others serve more"
			continue
		}
		if w.Replicas == nil {
			w.Replicas, w.Why = map[lineage.Node]string{}, map[lineage.Node]string{}
		}
		node, lvstore, _ := strings.Cut(word, "/")
		w.Replicas[lineage.Node(node)], w.Why[lineage.Node(node)] = lvstore, "others are fuller"
	}
	return w
}

// auto is what may be done without a person.
func (c Case) auto(t testing.TB, cfg *schema.Config, value string) map[string]schema.Auto {
	t.Helper()
	words := strings.Fields(value)
	switch value {
	case "as configured":
		return cfg.Autos(nil)
	case "nothing":
		words = nil
	}
	auto, err := schema.ParseAuto(words)
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Autos(&auto)
}

// Update writes the archive anew with these files, in place of those that it has
// of these names. A file without content is left out.
func (c Case) Update(t testing.TB, files ...txtar.File) {
	t.Helper()
	var kept []txtar.File
	for _, f := range c.archive.Files {
		if !has(files, f.Name) {
			kept = append(kept, f)
		}
	}
	for _, f := range files {
		if len(f.Data) > 0 {
			kept = append(kept, f)
		}
	}
	write(t, c.path, txtar.Format(&txtar.Archive{Comment: c.archive.Comment, Files: kept}))
}

func has(files []txtar.File, name string) bool {
	for _, f := range files {
		if f.Name == name {
			return true
		}
	}
	return false
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
