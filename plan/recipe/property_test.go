package recipe

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/plan/plantest"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
	"strata/state/worldtest"
)

var (
	histories = flag.Duration("histories", 4*time.Second, "how long to make random histories")
	replay    = flag.Int64("seed", 0, "the random history to replay")
)

// fixedHistories are made in every run: what once went wrong, or is like it.
var fixedHistories = []int64{
	1, 2, 3, 4, 5, 6, 7, 8, 7947328, 429431671, 476763460, 521409406, 909629916, 909630895, 909631730, 909633460, 909636459, 909637543,
}

// TestRandomHistories makes random clusters live through random histories of
// plans carried out in part, restarts, lost peers, host writes and changes of
// the configuration. It checks at every step that no host is shown a stale
// copy and no current one is deleted, and in the end, when all nodes are back,
// that planning and carrying out comes to rest. Each run begins with a seed of
// its own if it is told for how long (-histories), else with always the same, and tells
// the one that failed.
func TestRandomHistories(t *testing.T) {
	if *replay != 0 {
		live(t, *replay, nil)
		return
	}
	ends := map[string]int{}
	for _, seed := range fixedHistories {
		live(t, seed, ends)
	}
	first, end := firstSeed(), time.Now().Add(*histories)
	n := int64(0)
	for ; time.Now().Before(end); n++ {
		seed := first + n
		if n%3 == 2 {
			seed = -seed // on targets of Longhorn's fork
		}
		live(t, seed, ends)
	}
	ended(t, n, first, ends)
}

// firstSeed is where histories begin: whether a change passes is not to hang on the time of
// day. Who says for how long looks for what nobody has seen.
func firstSeed() int64 {
	searching := *patient > 0
	flag.Visit(func(f *flag.Flag) { searching = searching || f.Name == "histories" })
	if searching {
		return time.Now().UnixNano() % 1_000_000_000
	}
	return 1000
}

// many makes histories for so long, from firstSeed on, and tells how they ended.
func many(t *testing.T, long time.Duration, made func(seed int64) *history) {
	t.Helper()
	ends, n := map[string]int{}, int64(0)
	first, end := firstSeed(), time.Now().Add(long)
	for ; time.Now().Before(end); n++ {
		made(first+n).told(t, first+n, ends)
	}
	ended(t, n, first, ends)
}

// ended tells what was not done as histories ended.
func ended(t *testing.T, n, first int64, ends map[string]int) {
	t.Helper()
	t.Logf("%d histories from seed %d", n, first)
	for _, b := range slices.Sorted(maps.Keys(ends)) {
		t.Logf("%6d ended with: %s", ends[b], b)
	}
}

// live makes one history, and counts what was not done when it ended.
func live(t *testing.T, seed int64, ends map[string]int) {
	t.Helper()
	newHistory(seed).told(t, seed, ends)
}

// told makes the history happen.
func (h *history) told(t *testing.T, seed int64, ends map[string]int) {
	t.Helper()
	if err := h.run(); err != nil {
		log := h.c.log
		if *replay == 0 {
			log = log[max(0, len(log)-60):]
		}
		t.Fatalf("…\n%s\n%v\nreplay with -run %s -seed %d", strings.Join(log, "\n"), err, t.Name(), seed)
	}
	for _, b := range h.blocked {
		if ends != nil { // one that is replayed is not counted
			ends[b]++
		}
	}
}

// history is a cluster and what happens to it.
type history struct {
	*rand.Rand
	c       *cluster
	cfg     *schema.Config
	opt     plan.Options
	blocked []string
	foreign map[lineage.Node][]string
	word    map[lineage.Volume]lineage.Node // what the operator said
	alone   bool                            // nobody looks at most plans
	patient bool                            // links wait
	keyed   bool                            // the ends of links may have to prove themselves
	pools   bool                            // every node has two, between which volumes move
	rests   bool                            // nothing more happens
	kinds   int                             // of events; disks stay where they are in histories that are fixed
}

func newHistory(seed int64) *history {
	h := &history{Rand: rand.New(rand.NewSource(seed)), word: map[lineage.Volume]lineage.Node{}, kinds: 14}
	if slices.Contains(fixedHistories, seed) {
		h.kinds = 12
	}
	h.cfg = h.config()
	h.c = newCluster(h.Rand, h.cfg, seed < 0)
	h.foreigners()
	return h
}

// config makes up a configuration without volumes, and adds some.
func (h *history) config() *schema.Config {
	cfg := &schema.Config{Cluster: "lab", PauseLimitMs: 2000, Links: schema.Links{TransportAckTimeout: 10}}
	nodes := 1 + h.Intn(5)
	if h.patient {
		nodes = max(3, nodes)
	}
	for i := range nodes {
		n := &schema.Node{Name: lineage.Node(fmt.Sprintf("n%d", i+1)), RPC: "unix:///x", Addresses: []string{fmt.Sprintf("10.0.0.%d", i+1)}, Port: 4420}
		n.Labels = map[string]string{"zone": string(rune('a' + i%3))}
		for j, name := range []string{"fast", "slow"} {
			if j == 0 || h.pools || h.Intn(4) == 0 {
				n.Pools = append(n.Pools, &schema.Pool{
					Name: name, Kind: schema.AIO, Path: fmt.Sprintf("/dev/%s/%s", n.Name, name), Format: true,
					Lvstore: "lab." + name, ClusterSize: 1 << 20,
				})
			}
		}
		cfg.Nodes = append(cfg.Nodes, n)
	}
	if h.patient {
		cfg.Links.PatienceMs = 5000
		for _, n := range cfg.Nodes {
			n.Fence = &schema.Fence{Command: []string{"fence_x"}}
		}
	}
	h.cfg = cfg
	edits := h.Intn(4)
	if h.patient {
		h.mirrored()
		edits = h.Intn(8) / 7
	}
	for range edits {
		h.editConfig()
	}
	return cfg
}

// editConfig adds, changes or removes a volume.
func (h *history) editConfig() {
	if h.pools && h.Intn(2) == 0 {
		h.editPools()
		return
	}
	name := fmt.Sprintf("v%d", h.Intn(6))
	i := slices.IndexFunc(h.cfg.Volumes, func(v *schema.Volume) bool { return v.Name == name })
	switch {
	case i < 0:
		v := &schema.Volume{Name: name, Size: int64(1+h.Intn(3)) << 20}
		v.Replicas.Count = h.count()
		h.editVolume(v)
		h.cfg.Volumes = append(h.cfg.Volumes, v)
		slices.SortFunc(h.cfg.Volumes, func(a, b *schema.Volume) int { return strings.Compare(a.Name, b.Name) })
	case h.Intn(4) == 0 && len(h.clones(name)) == 0:
		h.cfg.Volumes = slices.Delete(h.cfg.Volumes, i, i+1)
	case h.Intn(2) == 0:
		v := *h.cfg.Volumes[i]
		h.cfg.Volumes[i] = &v
		h.editSnapshots(&v)
	default:
		v := *h.cfg.Volumes[i]
		h.editVolume(&v)
		h.cfg.Volumes[i] = &v
	}
	h.reconcile()
}

// clones are the volumes that are cloned from another.
func (h *history) clones(of string) (out []*schema.Volume) {
	for _, v := range h.cfg.Volumes {
		if v.From != nil && v.From.Volume == of {
			out = append(out, v)
		}
	}
	return out
}

// editSnapshots adds a snapshot, removes one, reverts to one, or makes a clone.
func (h *history) editSnapshots(v *schema.Volume) {
	v.Snapshots = slices.Clone(v.Snapshots)
	switch h.Intn(6) {
	case 0, 1, 2:
		if name := fmt.Sprintf("s%d", h.Intn(5)); !slices.Contains(v.Snapshots, name) {
			v.Snapshots = append(v.Snapshots, name)
		}
	case 3:
		if n := len(v.Snapshots); n > 0 {
			i := h.Intn(n)
			used := slices.ContainsFunc(h.clones(v.Name), func(c *schema.Volume) bool { return c.From.Snapshot == v.Snapshots[i] })
			if !used && v.Head != v.Snapshots[i] {
				v.Snapshots = slices.Delete(v.Snapshots, i, i+1)
			}
		}
	case 4:
		if v.Head != "" {
			v.Head = ""
		} else if len(v.Snapshots) > 0 {
			v.Head = v.Snapshots[h.Intn(len(v.Snapshots))]
		}
	case 5:
		name := fmt.Sprintf("v%d", h.Intn(6))
		if h.cfg.Volume(name) == nil && len(v.Snapshots) > 0 {
			c := &schema.Volume{Name: name, Size: v.Size, Export: schema.Export{Kind: schema.ExportNVMf, AnyHost: true}}
			c.Replicas.Count = 1 + h.Intn(v.Replicas.Count)
			c.From = &schema.From{Volume: v.Name, Snapshot: v.Snapshots[h.Intn(len(v.Snapshots))], Detach: h.Intn(2) == 0}
			h.cfg.Volumes = append(h.cfg.Volumes, c)
			slices.SortFunc(h.cfg.Volumes, func(a, b *schema.Volume) int { return strings.Compare(a.Name, b.Name) })
		}
	}
}

// reconcile makes the configuration one that the schema would accept.
func (h *history) reconcile() {
	for i, v := range h.cfg.Volumes {
		c := *v
		kernel := v.Export.Kind == schema.ExportUblk || v.Export.Kind == schema.ExportNBD
		if kernel && len(v.Snapshots) > 0 {
			c.Consistency = schema.ConsistencyNone
		}
		if v.From != nil {
			if of := h.cfg.Volume(v.From.Volume); of.Replicas.Count < v.Replicas.Count {
				c.From = nil
			}
		}
		h.failsOver(&c)
		h.cfg.Volumes[i] = &c
	}
}

func (h *history) editVolume(v *schema.Volume) {
	node := func() lineage.Node { return h.cfg.Nodes[h.Intn(len(h.cfg.Nodes))].Name }
	switch h.Intn(8) {
	case 0:
		v.Size += 1 << 20
	case 1:
		v.Size = max(1<<20, v.Size-1<<20)
	case 2:
		v.Engine = node()
	case 3:
		v.Engine = ""
	case 4:
		v.Replicas.On = nil
		for _, i := range h.Perm(len(h.cfg.Nodes))[:1+h.Intn(len(h.cfg.Nodes))] {
			v.Replicas.On = append(v.Replicas.On, h.cfg.Nodes[i].Name)
		}
		slices.Sort(v.Replicas.On)
		v.Replicas.Count = len(v.Replicas.On)
	case 5:
		v.Protect = !v.Protect
	case 6:
		v.Replicas.Spread = "zone"
	default:
		if v.Replicas.On == nil {
			v.Replicas.Count = h.count()
		}
	}
	v.Consistency = []schema.Consistency{schema.ConsistencyBarrier, schema.ConsistencyNone}[h.Intn(2)]
	switch h.Intn(8) {
	case 0:
		v.Export = schema.Export{Kind: schema.ExportNone}
	case 1:
		v.Export = schema.Export{Kind: schema.ExportUblk, UblkID: h.Intn(20)}
	case 2:
		v.Export = schema.Export{Kind: schema.ExportNBD, NBD: fmt.Sprintf("/dev/nbd%d", h.Intn(20))}
	case 3, 4:
		v.Export = schema.Export{Kind: schema.ExportNVMf, AnyHost: true, Standby: h.Intn(min(3, len(h.cfg.Nodes)))}
	default:
		v.Export = schema.Export{Kind: schema.ExportNVMf, Hosts: []lineage.NQN{lineage.NQN(fmt.Sprintf("nqn.host%d", h.Intn(3)))}}
	}
}

// count draws a number of replicas, small ones more often.
func (h *history) count() int { return 1 + h.Intn(1+h.Intn(max(3, len(h.cfg.Nodes)))) }

// foreigners puts somebody else's things beside ours.
func (h *history) foreigners() {
	h.foreign = map[lineage.Node][]string{}
	for _, n := range h.cfg.Nodes {
		m := h.c.machines[n.Name]
		if h.Intn(2) == 0 {
			continue
		}
		path := n.Pools[0].Path
		m.shelf[path] = &shelf{
			lvstore: &state.Lvstore{Name: "lab.fast", UUID: h.c.newStoreUUID(), ClusterSize: 1 << 20, TotalClusters: 1024, FreeClusters: 1024},
			lvols: []*state.Lvol{
				{Lvstore: "lab.fast", Name: "theirs", UUID: lineage.UUID("f-" + string(n.Name)), Size: 1 << 20, Allocated: 1},
				{Lvstore: "lab.fast", Name: "v0#1.2p", UUID: lineage.UUID("g-" + string(n.Name)), Size: 1 << 20, Allocated: 1},
			},
		}
		h.foreign[n.Name] = []string{"lab.fast/theirs", "lab.fast/v0#1.2p"}
	}
}

var errLost = errors.New("its reply is lost")

func (h *history) run() (err error) {
	defer func() {
		if r := recover(); r != nil && err == nil {
			err = fmt.Errorf("panic: %v", r)
			panic(fmt.Sprintf("%s\n%v", strings.Join(h.c.log, "\n"), r))
		}
	}()
	if h.patient {
		if err := h.made(); err != nil {
			return err
		}
	}
	for range 3 + h.Intn(25) {
		if err := h.round(); err != nil {
			return err
		}
		for range h.Intn(3) {
			h.event()
			h.c.hosts(true)
		}
		if len(h.c.wrong) > 0 {
			return errors.New(strings.Join(h.c.wrong, "\n"))
		}
	}
	return h.settle()
}

// round plans, and carries the first pass out as far as it gets.
func (h *history) round() error {
	h.release()
	p, snap, err := h.plan()
	if err != nil {
		return err
	}
	if len(p.Passes) == 0 {
		return nil
	}
	cut := -1
	if h.Intn(2) == 0 {
		cut = h.Intn(1 + len(p.Passes[0].Sections)*4)
	}
	return h.carryOut(p, snap, cut, h.Intn(2) == 0)
}

// release draws what the operator allows to be destroyed, and an authority for
// a volume that needs one.
func (h *history) release() {
	h.opt = plan.Options{Nonce: []byte(fmt.Sprint(h.Int63())), AllowDestroy: plan.Grants{}, Authority: map[string]lineage.Node{}}
	h.c.released = forGood(h.c.released)
	if h.alone && h.Intn(3) > 0 {
		h.opt.Away = map[lineage.Node]bool{}
		for _, n := range h.cfg.Nodes {
			h.opt.Away[n.Name] = h.Intn(2) == 0
		}
	}
	if h.alone && h.Intn(5) > 0 {
		h.opt.Auto = h.allowed()
		if h.patient && h.Intn(6) > 0 {
			h.opt.Auto = everywhere(h.cfg, schema.AllDuties)
		}
		return
	}
	if h.Intn(4) == 0 {
		h.giveUp()
	}
	if h.Intn(6) > 0 {
		return
	}
	name := fmt.Sprintf("v%d", h.Intn(6))
	switch h.Intn(6) {
	case 0, 1:
		h.allow(name)
	case 2:
		h.allow(name + "@head")
	case 3:
		h.allow(fmt.Sprintf("%s@s%d", name, h.Intn(5)))
	default:
		h.allow(name + ":" + string(h.cfg.Nodes[h.Intn(len(h.cfg.Nodes))].Name))
	}
}

// forGood keeps what was released for good: incarnations.
func forGood(m map[string]bool) map[string]bool {
	out := map[string]bool{}
	for k := range m {
		if strings.Contains(k, ".") {
			out[k] = true
		}
	}
	return out
}

func (h *history) allow(name string) {
	maps.Copy(h.opt.AllowDestroy, plantest.Grants(name))
	h.c.released[name] = true
	h.c.note("the operator allows %s to be destroyed", name)
	if h.cfg.Volume(name) == nil && !strings.ContainsAny(name, ":@") {
		for v := range h.c.truth {
			if v.Name == name {
				h.c.released[v.String()] = true
			}
		}
	}
}

// plan builds twice, from looks that differ in nothing, and looks at the plan.
func (h *history) plan() (*plan.Plan, *state.Snapshot, error) {
	h.c.cfg = h.cfg
	snap := h.c.look()
	before := worldtest.Write(snap)
	if h.patient {
		h.clocks(snap)
	}
	p, err := Build(h.cfg, snap, h.opt)
	if err != nil {
		return nil, nil, fmt.Errorf("%w\n%s\n%s", err, h.volumes(), before)
	}
	for _, b := range p.Blocked {
		if b.Hint == defect && !(h.patient && strings.Contains(b.Text, " cannot stand on ")) {
			return nil, nil, fmt.Errorf("%s: %s\n%s\n%s", b.About, b.Text, h.volumes(), before)
		}
	}
	if after := worldtest.Write(snap); after != before {
		return nil, nil, fmt.Errorf("Build changed the snapshot:\n%s\nnow\n%s", before, after)
	}
	if err := sameSlowly(h.cfg, h.c.look(), h.opt, p); err != nil || h.opt.Auto == nil || h.patient {
		return p, snap, err
	}
	if err := overreach(h.cfg, h.c.look(), h.opt, p); err != nil {
		return nil, nil, fmt.Errorf("%w\n%s\n%s\n%s", err, h.volumes(), before, plantest.Text(p))
	}
	return p, snap, nil
}

func (h *history) volumes() string {
	var b strings.Builder
	for _, v := range h.cfg.Volumes {
		fmt.Fprintf(&b, "%+v\n", *v)
	}
	return b.String()
}

// carryOut does the sections of the first pass side by side, in a random order
// that respects what they wait for, until cut steps are done. With events,
// other things happen meanwhile.
func (h *history) carryOut(p *plan.Plan, snap *state.Snapshot, cut int, events bool) error {
	pass := p.Passes[0]
	if *replay != 0 {
		h.c.note("the world:\n%s", worldtest.Write(snap))
		h.c.note("the plan:\n%s", plantest.Text(p))
	}
	h.c.note("%s", "plan:")
	h.c.events = events
	made := map[lineage.UUID]lineage.UUID{}
	type progress struct {
		stage int
		order []int // what is left of the stage
		done  bool
		bad   bool
	}
	at := map[plan.Key]*progress{}
	for i := range pass.Sections {
		at[pass.Sections[i].Key()] = &progress{order: h.Perm(len(pass.Sections[i].Stages[0]))}
	}
	whole := true
	for cut != 0 && len(h.c.wrong) == 0 {
		cut--
		var ready []*plan.Section
		for i := range pass.Sections {
			s := &pass.Sections[i]
			if a := at[s.Key()]; a.done || a.bad {
				continue
			}
			waits := false
			for _, key := range s.After {
				if o := at[key]; o == nil {
					return fmt.Errorf("%s waits for %s, which the pass does not have", s.Key(), key)
				} else if o.bad {
					at[s.Key()].bad = true
				} else if !o.done {
					waits = true
				}
			}
			if !waits && !at[s.Key()].bad {
				ready = append(ready, s)
			}
		}
		if len(ready) == 0 {
			break
		}
		s := ready[h.Intn(len(ready))]
		a := at[s.Key()]
		step := s.Stages[a.stage][a.order[0]]
		if events && h.Intn(12) == 0 {
			h.event()
			h.c.hosts(true)
		} else {
			h.c.hosts(events && h.Intn(3) == 0)
		}
		err := h.c.do(step.Op, made)
		if err != nil {
			if !h.c.disturbed {
				return fmt.Errorf("step %d of %s, %s on %s: %w\n%s", step.Number, s.Key(), step.Op.Words(), step.Op.On(), err, plantest.Text(p))
			}
			h.c.note("      failed: %v", err)
		} else if events && h.Intn(30) == 0 {
			err = errLost
			h.c.note("      its reply is lost")
		}
		if err != nil {
			a.bad, whole = true, false
			continue
		}
		h.c.hosts(false)
		h.c.agree()
		if a.order = a.order[1:]; len(a.order) == 0 {
			if a.stage++; a.stage == len(s.Stages) {
				a.done = true
			} else {
				a.order = h.Perm(len(s.Stages[a.stage]))
			}
		}
	}
	if len(h.c.wrong) > 0 {
		return fmt.Errorf("%s\n%s", strings.Join(h.c.wrong, "\n"), plantest.Text(p))
	}
	if whole && cut != 0 && !h.c.disturbed {
		return h.compare(p, snap, made)
	}
	return nil
}

// compare checks the projection: a pass carried out in peace leaves what it
// said it would.
func (h *history) compare(p *plan.Plan, snap *state.Snapshot, made map[lineage.UUID]lineage.UUID) error {
	w := world.New(h.cfg.Cluster, snap)
	for _, s := range p.Passes[0].Sections {
		for _, stage := range s.Stages {
			for _, step := range stage {
				if _, ok := step.Op.(plan.DiskAttach); ok {
					return nil // what a disk holds cannot be projected
				}
				if err := w.Project(step.Op); err != nil {
					return err
				}
			}
		}
	}
	want := worldtest.Write(w.Snapshot)
	for token, u := range made {
		want = strings.ReplaceAll(want, string(token)+" ", string(u)+" ")
		want = strings.ReplaceAll(want, string(token)+"\n", string(u)+"\n")
	}
	for _, m := range h.c.machines {
		for _, ctrl := range m.Controllers {
			if ctrl.State != "enabled" {
				return nil // what a peer sees of a link that is broken depends on when it is back
			}
		}
	}
	got := worldtest.Write(h.c.look())
	if left, right := without(got, want), without(want, got); left+right != "" {
		return fmt.Errorf("the plan\n%s\nleaves\n%s\nand not, as projected,\n%s", plantest.Text(p), left, right)
	}
	return nil
}

// without returns the lines of a that b does not have.
func without(a, b string) string {
	var out strings.Builder
	have := strings.Split(b, "\n")
	for line := range strings.Lines(a) {
		if !strings.Contains(line, " asked ") && !slices.Contains(have, strings.TrimSuffix(line, "\n")) {
			out.WriteString(line)
		}
	}
	return out.String()
}

// event is something that happens to the cluster.
func (h *history) event() {
	c := h.c
	m := c.machines[h.cfg.Nodes[h.Intn(len(h.cfg.Nodes))].Name]
	kind := h.Intn(h.kinds)
	if h.keyed && h.Intn(5) == 0 {
		h.keyEvent(m)
		return
	}
	if h.patient && h.Intn(4) > 0 {
		h.calamity(m)
		return
	}
	switch kind {
	case 12:
		h.swapDisks()
	case 13:
		h.copyDisk()
	case 0, 1, 2:
		if m.down {
			m.down, c.disturbed = false, true
			c.note("%s comes back", m.Name)
			return
		}
		c.note("%s goes down", m.Name)
		c.stop(m)
		m.down = h.Intn(2) == 0
	case 3, 4:
		m.hidden, c.disturbed = !m.hidden, true
		c.note("%s hidden: %v", m.Name, m.hidden)
	case 5, 6:
		for _, name := range slices.Sorted(maps.Keys(m.Controllers)) {
			if ctrl := m.Controllers[name]; ctrl.State == "reconnect_is_delayed" && !c.link(ctrl).Wait {
				c.giveUp(m, ctrl)
			}
		}
	case 7, 8:
		h.reconnect()
	case 9:
		for _, name := range slices.Sorted(maps.Keys(m.Controllers)) {
			if ctrl := m.Controllers[name]; h.Intn(2) == 0 && ctrl.State == "enabled" {
				if c.link(ctrl).Wait {
					ctrl.State, c.disturbed = "reconnect_is_delayed", true
					continue
				}
				ctrl.State, c.disturbed = []string{"reconnect_is_delayed", "failed", "deleting"}[h.Intn(3)], true
				c.note("controller %s on %s is %s", name, m.Name, ctrl.State)
			}
		}
	default:
		cfg := *h.cfg
		h.cfg = &cfg
		h.cfg.Volumes = slices.Clone(cfg.Volumes)
		h.editConfig()
		c.note("the configuration is edited: %s", strings.ReplaceAll(h.volumes(), "\n", "; "))
	}
}

// swapDisks lets two machines that have no other disk exchange theirs: none is to
// have two replicas of a volume.
func (h *history) swapDisks() {
	a, b := h.any(), h.any()
	one := func(m *machine) bool { return len(h.cfg.Node(m.Name).Pools) == 1 }
	if a == b || a.copy != nil || b.copy != nil || !one(a) || !one(b) {
		return
	}
	defer h.off(a, b)()
	at, bt := h.cfg.Node(a.Name).Pools[0].Path, h.cfg.Node(b.Name).Pools[0].Path
	x, y := a.shelf[at], b.shelf[bt]
	delete(a.shelf, at)
	delete(b.shelf, bt)
	if x != nil {
		b.shelf[bt] = x
	}
	if y != nil {
		a.shelf[at] = y
	}
	h.foreign[a.Name], h.foreign[b.Name] = h.foreign[b.Name], h.foreign[a.Name]
	h.c.note("the first disks of %s and %s change places", a.Name, b.Name)
}

// copyDisk puts a copy of one machine's disk into another, or takes it away again.
func (h *history) copyDisk() {
	from, to := h.any(), h.any()
	if to.copy != nil {
		defer h.off(to)()
		h.c.takeCopy(to)
		return
	}
	if from == to || from.copy != nil {
		return
	}
	defer h.off(from, to)()
	if path := h.cfg.Node(from.Name).Pools[0].Path; from.shelf[path] != nil {
		h.c.cloneDisk(from, path, to, h.cfg.Node(to.Name).Pools[0].Path)
	}
}

func (h *history) any() *machine {
	return h.c.machines[h.cfg.Nodes[h.Intn(len(h.cfg.Nodes))].Name]
}

// off takes machines down, and returns what has some of them come back.
func (h *history) off(machines ...*machine) func() {
	for _, m := range machines {
		if !m.down {
			h.c.stop(m)
		}
	}
	return func() {
		for _, m := range machines {
			m.down, h.c.disturbed = h.Intn(3) == 0, true
		}
	}
}

func (h *history) reconnect() {
	for _, n := range h.cfg.Nodes {
		m := h.c.machines[n.Name]
		for _, name := range slices.Sorted(maps.Keys(m.Controllers)) {
			before := m.Controllers[name].State
			h.c.reconnect(m, m.Controllers[name])
			h.c.disturbed = h.c.disturbed || m.Controllers[name].State != before
		}
	}
}

// settle brings all nodes back and plans until nothing is left to do.
func (h *history) settle() error {
	h.c.note("all nodes are back")
	h.rests = true
	for _, n := range h.cfg.Nodes {
		m := h.c.machines[n.Name]
		if m.copy != nil {
			if !m.down {
				h.c.stop(m)
			}
			h.c.takeCopy(m)
		}
		m.down, m.hidden, m.apart, m.unlisted = false, false, false, false
	}
	watched := h.alone
	for i := 0; ; i++ {
		h.reconnect()
		h.release()
		h.opt.AllowDestroy, h.opt.Auto = plan.Grants{}, nil
		if watched {
			h.opt.Auto = everywhere(h.cfg, schema.AllDuties)
		}
		h.operator()
		p, snap, err := h.plan()
		if err != nil {
			return err
		}
		if len(p.Passes) == 0 && h.kinds > 12 && h.giveUpWaiting() {
			continue // what a link has brought is not where it was
		}
		if len(p.Passes) == 0 && watched {
			watched, i = false, -1
			continue
		}
		if len(p.Passes) == 0 && (i > 0 || len(h.opt.Authority) == 0) {
			return h.end(p)
		}
		if i == 150 {
			return fmt.Errorf("it does not come to rest:\n%s\n%s\n%s", h.volumes(), worldtest.Write(snap), plantest.Text(p))
		}
		if len(p.Passes) == 0 {
			continue
		}
		if err := h.carryOut(p, snap, -1, false); err != nil {
			return err
		}
		h.c.hosts(true)
		if len(h.c.wrong) > 0 {
			return errors.New(strings.Join(h.c.wrong, "\n"))
		}
	}
}

// giveUpWaiting ends the controllers that wait for their peers, as they do by
// themselves after a time, and reports whether there were any.
func (h *history) giveUpWaiting() (any bool) {
	for _, n := range h.cfg.Nodes {
		m := h.c.machines[n.Name]
		for _, name := range slices.Sorted(maps.Keys(m.Controllers)) {
			if ctrl := m.Controllers[name]; ctrl.State == "reconnect_is_delayed" && !h.c.link(ctrl).Wait {
				h.c.giveUp(m, ctrl)
				any = true
			}
		}
	}
	return any
}

// operator names an authority for the volumes whose current copy is not known,
// and names the right one.
func (h *history) operator() {
	for _, v := range h.cfg.Volumes {
		snap := h.c.look()
		for _, id := range snap.Incarnations(v.Name) {
			inc := snap.Incarnation(h.cfg.Cluster, id)
			if verdict := snap.Judge(inc, state.Question{Cluster: h.cfg.Cluster, Replicas: v.Replicas.Count}); verdict.Unknown == "" || len(inc.Heads) == 0 {
				continue
			}
			for _, c := range h.c.copies(id) {
				node, _, _ := strings.Cut(c, "/")
				h.opt.Authority[v.Name] = lineage.Node(node)
				h.c.note("the operator says that %s has the authority of %s", node, id)
			}
		}
	}
}

// giveUp names authorities at random for volumes whose current copy is not
// known, as an operator does who cannot wait: what the replica holds counts
// from then on. An engine that may be serving is never given up.
func (h *history) giveUp() {
	snap := h.c.look()
	for _, v := range h.cfg.Volumes {
		for _, id := range snap.Incarnations(v.Name) {
			inc := snap.Incarnation(h.cfg.Cluster, id)
			hidden := false
			for _, m := range h.c.machines {
				hidden = hidden || m.hidden && !m.down
			}
			q := state.Question{Cluster: h.cfg.Cluster, Replicas: v.Replicas.Count, Hidden: len(h.cfg.Nodes)}
			if len(inc.Heads) == 0 || hidden || len(inc.Raids)+len(inc.Exports) > 0 || snap.Judge(inc, q).Unknown == "" {
				continue
			}
			node := inc.Heads[h.Intn(len(inc.Heads))].Node
			if before := h.word[id]; before != "" && before != node && !nodesOf(inc)[before] {
				continue // it would contradict what is known of nowhere else
			}
			h.word[id] = node
			h.opt.Authority[v.Name] = node
			h.c.note("the operator makes %s the authority of %s", node, id)
		}
	}
}

// end checks what a cluster at rest serves.
func (h *history) end(p *plan.Plan) error {
	about, links := map[string]bool{}, false
	for _, b := range p.Blocked {
		about[b.About] = true
		links = links || strings.HasPrefix(b.About, "link ")
		if h.patient && (strings.Contains(b.Text, "hosts wait for") || strings.Contains(b.Text, "hosts that write wait") || strings.Contains(b.Text, "two engines")) {
			return fmt.Errorf("all nodes are there, and %s: %s\n%s\n%s", b.About, b.Text, worldtest.Write(h.c.look()), plantest.Text(p))
		}
		h.blocked = append(h.blocked, generic(b.Text))
	}
	snap := h.c.look()
	for _, v := range h.cfg.Volumes {
		if why := pending(p, v.Name); why != "" {
			return fmt.Errorf("%s: %s, and nothing says what it waits for:\n%s\n%s\n%s", v.Name, why, h.volumes(), worldtest.Write(snap), plantest.Text(p))
		}
		if about["volume "+v.Name] || links {
			continue
		}
		legs := 0
		for _, id := range snap.Incarnations(v.Name) {
			inc := snap.Incarnation(h.cfg.Cluster, id)
			verdict := snap.Judge(inc, state.Question{Cluster: h.cfg.Cluster, Replicas: v.Replicas.Count})
			if v.Export.Kind != schema.ExportNone && len(inc.Exports) == 0 {
				continue
			}
			legs = max(legs, len(verdict.Legs))
			if n := state.Spread(verdict.Legs); n != len(verdict.Legs) {
				return fmt.Errorf("%s has %d current replicas on %d nodes, and nothing is left to do:\n%s\n%s", v.Name, len(verdict.Legs), n, worldtest.Write(snap), plantest.Text(p))
			}
			if why := h.misplaced(v, verdict); why != "" {
				return fmt.Errorf("%s, and nothing is left to do:\n%s\n%s\n%s", why, h.volumes(), worldtest.Write(snap), plantest.Text(p))
			}
		}
		if legs != v.Replicas.Count {
			return fmt.Errorf("%s has %d current replicas of %d and is not blocked:\n%s\n%s", v.Name, legs, v.Replicas.Count, worldtest.Write(snap), plantest.Text(p))
		}
	}
	for n, aliases := range h.foreign {
		for _, alias := range aliases {
			if h.c.machines[n].Lvols[alias] == nil {
				return fmt.Errorf("%s on %s is gone", alias, n)
			}
		}
	}
	return nil
}

// pending is what a plan says of a rebuild that is to be done, unless it says
// beside it why it is not: all nodes are there, so nothing comes by waiting.
func pending(p *plan.Plan, volume string) string {
	text := ""
	for _, b := range p.Blocked {
		if b.About != "volume "+volume {
			continue
		}
		if strings.Contains(b.Text, " waits: ") || strings.HasPrefix(b.Hint, "choose another") {
			return ""
		}
		if strings.Contains(b.Text, "is pending") {
			text = b.Text
		}
	}
	return text
}

// generic takes the particulars out of a text.
func generic(s string) string {
	var out []string
	for _, w := range strings.Fields(s) {
		if strings.ContainsAny(w, "0123456789") {
			w = "…"
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}
