package whatif

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strata/apply"
	"strata/lineage"
	"strata/plan"
	"strata/plan/recipe"
	"strata/schema"
	"strata/spdk"
	"strata/spdk/sim"
	"strata/state"
)

var seeds = flag.Int("seeds", 40, "how many random histories TestComesTrue has")
var seed = flag.Int64("seed", 0, "the only one that it has")

// TestComesTrue has random clusters with random histories lose nodes on the simulator. What
// plan says then is what was said that it would, and what a watch does without a person
// leaves volumes as was said.
func TestComesTrue(t *testing.T) {
	outcomes := map[Outcome]int{}
	for i := range int64(*seeds) {
		if *seed != 0 {
			i = *seed
		} else {
			i++
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			s := newStory(t, i)
			synctest.Test(t, func(t *testing.T) { s.run(t, outcomes) })
		})
		if *seed != 0 || t.Failed() {
			return
		}
	}
	t.Log(outcomes)
	for _, o := range []Outcome{Untouched, GoesOn, FailsOver, Stops} {
		if outcomes[o] == 0 && *seeds >= 40 {
			t.Errorf("no volume %s", o)
		}
	}
}

// story is a cluster, what happens to it, and what it then loses.
type story struct {
	*rand.Rand
	nodes  []string
	disks  int
	fails  bool // volumes may fail over
	config *schema.Config
	later  *schema.Config // the configuration after an edit
	events []event
	cases  []Case
}

// event is something that happens to a node before.
type event struct {
	node  string
	kind  string // restarted, or missed: an apply runs while it is away
	after bool   // and an apply runs once it is back
}

func newStory(t *testing.T, seed int64) *story {
	s := &story{Rand: rand.New(rand.NewSource(seed))}
	for i := range 2 + s.Intn(3) {
		s.nodes = append(s.nodes, fmt.Sprintf("n%d", i+1))
	}
	head := s.head()
	volumes := s.volumes()
	s.config = load(t, head+strings.Join(volumes, ""))
	s.later = load(t, head+strings.Join(volumes, "")+"volumes: late: {size: 8Mi, replicas: 2, snapshots: [\"s\"], export: nvmf: hosts: \"any\"}\n")
	for range s.Intn(3) {
		s.events = append(s.events, event{s.nodes[s.Intn(len(s.nodes))], []string{"restarted", "missed"}[s.Intn(2)], s.Intn(2) == 0})
	}
	if s.fails && s.Intn(2) == 0 {
		s.cases = []Case{{"n3", Losses[s.Intn(2)]}}
		return s
	}
	order := s.Perm(len(s.nodes))
	for _, i := range order[:1+s.Intn(min(2, len(order)-1))] {
		s.cases = append(s.cases, Case{lineage.Node(s.nodes[i]), Losses[s.Intn(len(Losses))]})
	}
	return s
}

func load(t *testing.T, text string) *schema.Config {
	file := filepath.Join(t.TempDir(), "lab.cue")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, err := schema.Load([]string{file}, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return cfg
}

// head is what a configuration says of the cluster and its nodes.
func (s *story) head() string {
	var b strings.Builder
	auto := s.Intn(4)
	fmt.Fprintf(&b, "package lab\ncluster: \"lab\"\nauto: [%s]\n", []string{`"serve", "fence", "rebuild"`, `"serve", "fence"`, `"serve"`, ``}[auto])
	loss := []string{"", "wait", "drop"}[s.Intn(3)]
	if loss != "" {
		fmt.Fprintf(&b, "links: loss: %q\n", loss)
	}
	s.fails = auto < 2 && loss != "drop" && len(s.nodes) > 2
	for i, n := range s.nodes {
		fmt.Fprintf(&b, "nodes: %s: {rpc: \"unix:///%[1]s\", address: \"10.0.0.%d\"", n, i+1)
		if i < 2 || s.Intn(4) > 0 {
			s.disks++
			b.WriteString(", pools: fast: {aio: \"/dev/disk\", format: true}")
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func (s *story) volumes() (all []string) {
	for i := range 1 + s.Intn(5) {
		all = append(all, s.volume(fmt.Sprintf("v%d", i)))
	}
	return all
}

func (s *story) volume(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "volumes: %s: {", name)
	if s.fails && s.Intn(2) == 0 {
		b.WriteString("size: 8Mi, replicas: on: [\"n1\", \"n2\"], engine: \"n3\", failover: \"auto\", export: nvmf: {hosts: \"any\", standby: 1}}\n")
		return b.String()
	}
	fmt.Fprintf(&b, "replicas: %d", 1+s.Intn(min(3, s.disks)))
	if s.Intn(2) == 0 {
		fmt.Fprintf(&b, ", engine: %q", s.nodes[s.Intn(len(s.nodes))])
	}
	whole := s.Intn(6) == 0
	if whole {
		b.WriteString(", layout: linear: [{size: 8Mi}, {size: 8Mi}]")
	} else {
		b.WriteString(", size: 8Mi")
	}
	switch kind := s.Intn(6); {
	case kind == 0:
	case kind == 1 && !whole:
		fmt.Fprintf(&b, ", export: ublk: %d", 1+s.Intn(100))
	default:
		b.WriteString(", export: nvmf: {hosts: \"any\"")
		if s.Intn(2) == 0 && len(s.nodes) > 2 {
			b.WriteString(", standby: 1")
		}
		b.WriteString("}")
	}
	b.WriteString("}\n")
	return b.String()
}

// lab is the cluster of a story while it happens.
type lab struct {
	*story
	t       *testing.T
	c       *sim.Cluster
	targets map[lineage.Node]*spdk.Client
}

func (s *story) run(t *testing.T, outcomes map[Outcome]int) {
	l := &lab{story: s, t: t, c: sim.New(sim.Options{Tick: 4 * time.Millisecond, DiskSize: 256 << 20}), targets: map[lineage.Node]*spdk.Client{}}
	defer l.c.Close()
	for _, n := range s.config.Nodes {
		if _, err := l.c.Start(string(n.Name), ""); err != nil {
			t.Fatal(err)
		}
		l.connect(n)
	}
	defer func() {
		for _, x := range l.targets {
			x.Close()
		}
	}()
	l.apply(s.config, plan.Options{})
	cfg := s.config
	if s.Intn(3) == 0 {
		cfg = s.later
		l.apply(cfg, plan.Options{})
	}
	for _, e := range s.events {
		l.c.Target(e.node).Stop()
		if time.Sleep(20 * time.Second); e.kind == "missed" {
			l.apply(cfg, plan.Options{})
		}
		if err := l.c.Target(e.node).Restart(); err != nil {
			t.Fatal(err)
		}
		if time.Sleep(20 * time.Second); e.after {
			l.apply(cfg, plan.Options{})
		}
	}
	l.lose(cfg, outcomes)
}

func (l *lab) connect(n *schema.Node) {
	client, err := spdk.New(n.RPC, spdk.Options{Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		t := l.c.Target(path.Base(address))
		if !t.Running() {
			return nil, errors.New("connection refused")
		}
		near, far := net.Pipe()
		go t.Serve(far)
		return near, nil
	}})
	if err != nil {
		l.t.Fatal(err)
	}
	l.targets[n.Name] = client
}

func (l *lab) apply(cfg *schema.Config, opt plan.Options) {
	opt.Nonce = []byte{byte(l.Intn(256))}
	if _, err := apply.Run(l.t.Context(), cfg, l.targets, apply.Options{Plan: opt, Parallelism: 4}); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) look(cfg *schema.Config, gone map[lineage.Node]string) *state.Snapshot {
	snap := state.Read(l.t.Context(), cfg.Cluster, l.targets)
	for n, why := range gone {
		if snap.Nodes[n].Unknown == "" {
			l.t.Fatalf("%s was read", n)
		}
		snap.Nodes[n].Unknown = why
	}
	return snap
}

// lose says what would become of the cluster, has it happen, and compares.
func (l *lab) lose(cfg *schema.Config, outcomes map[Outcome]int) {
	t, s := l.t, supposition(l.cases)
	snap := l.look(cfg, nil)
	opt := plan.Options{Nonce: []byte("x")}
	_, err := Ask(cfg, snap, opt, l.cases)
	if p, _ := recipe.Build(cfg, snap, opt); (err != nil) != (len(unattached(p)) > 0) {
		t.Fatalf("it answers with %v", err)
	}
	if err != nil {
		l.apply(cfg, plan.Options{})
		snap = l.look(cfg, nil)
	}
	foreseen, err := foresee(cfg, snap, opt, s)
	if err != nil {
		t.Fatal(err)
	}
	suspended := s.config(cfg)
	if len(s.of(Suspended)) > 0 {
		l.apply(suspended, plan.Options{})
	}
	for _, c := range l.cases {
		l.c.Target(string(c.Node)).Stop()
	}
	time.Sleep(30 * time.Second)
	then := l.look(suspended, s.gone())
	opt.Away = s.waited(snap)
	p, err := recipe.Build(suspended, then, opt)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := asText(foreseen.person, cfg.Cluster), asText(p, cfg.Cluster); got != want {
		t.Errorf("%v, %v: the plan foreseen is\n%s\nand it came to\n%s", l.cases, l.events, got, want)
	}
	l.unattended(suspended, foreseen, s, outcomes)
}

// unattended has done what is without a person, and compares what that leaves.
func (l *lab) unattended(cfg *schema.Config, foreseen *course, s supposition, outcomes map[Outcome]int) {
	away := s.waited(foreseen.now.snap)
	if away == nil {
		away = map[lineage.Node]bool{}
		for _, c := range l.cases {
			away[c.Node] = true
		}
	}
	l.apply(cfg, plan.Options{Auto: cfg.Autos(nil), Away: away})
	after := newMoment(cfg, l.look(cfg, s.gone()))
	for _, name := range shownVolumes(cfg) {
		got, want := foreseen.alone.standing(name), after.standing(name)
		outcomes[foreseen.fate(s, name).Outcome]++
		if got.served != want.served || got.engine != want.engine || got.copies != want.copies || !slices.Equal(got.held, want.held) {
			l.t.Errorf("%v, %v: of %s it is foreseen %+v, and it came to %+v", l.cases, l.events, name, got, want)
		}
	}
}

func asText(p *plan.Plan, c lineage.Cluster) string {
	b, err := json.MarshalIndent(p.Outline(c), "", " ")
	if err != nil {
		return err.Error()
	}
	return string(b)
}
