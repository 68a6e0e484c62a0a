package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"strata/apply"
	"strata/lineage"
	"strata/schema"
	"strata/spdk"
	"strata/spdk/rpclog"
	"strata/spdk/sim"
	"strata/state"
)

// world is one run of a scenario, in a bubble of virtual time.
type world struct {
	sc    *scenario
	c     *sim.Cluster
	hosts map[string]*host
	still map[lineage.Volume][]content // volumes that a host has left, with what they may have
	cuts  map[lineage.Layer]cut
	kept  []kept
	// decays are what disks have damaged.
	decays []decay
	// grouped has what the snapshots of the first of two volumes have, by the
	// name of the second's.
	grouped map[string]content
	theirs  map[string]string // somebody else's lvols: UUID by node
	start   time.Time
	nonce   byte
	rpcs    *rpclog.File // what every client says and is told; nil for nowhere

	// In the swept apply, or while there is a watch.
	trouble *trouble
	at      callID // where it happens
	who     *applier
	runs    int       // of watches
	until   time.Time // when it is over
	hit     bool

	net   *network // nil where no data goes between nodes and strata
	depot *depot   // the archive; nil for none
	files *files   // with keys of hosts

	mu sync.Mutex
	// hooked is set while hook looks at calls.
	hooked bool
	// machines are those that fence agents switch off, by node.
	machines map[string]*machine
	shared   map[string][]*host // who uses a volume
	turns    map[string][]turn  // which nodes acknowledged writes of it
	pids     map[int]bool       // of processes, whether they live
	seen     map[string]int
	calls    []callID
	log      []string
	err      error          // the first thing that was wrong
	cfg      *schema.Config // that a watch keeps
	hangup   chan<- struct{}
}

// callID tells a call from the others of the same scenario, whatever order
// calls of one moment are taken up in.
type callID struct {
	at     time.Duration
	call   string // node, method and parameters but for UUIDs
	nth    int    // of these
	writes bool
}

func (c callID) String() string { return fmt.Sprintf("%s (its %d.)", c.call, c.nth) }

func (c callID) same(d callID) bool { return c.call == d.call && c.nth == d.nth }

// uuids also finds what a lock says of processes, and what of an lvstore's UUID is
// in a reminder's name.
var uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|pid=\d+ guard=\d+|~n\d\.\w+\.[0-9a-f]{8}\b`)

func newWorld(sc *scenario) (*world, error) {
	opts := sim.Options{Profile: sc.profile, Tick: 4 * time.Millisecond, DiskSize: 256 << 20, CopyRate: 8 << 20}
	w := &world{sc: sc, hosts: map[string]*host{},
		still: map[lineage.Volume][]content{}, cuts: map[lineage.Layer]cut{}, grouped: map[string]content{}, theirs: map[string]string{}, start: time.Now(), pids: map[int]bool{}, seen: map[string]int{},
		machines: map[string]*machine{}, shared: map[string][]*host{}, turns: map[string][]turn{}}
	archived := len(sc.final().Archives) > 0
	if archived || len(sc.last().trim) > 0 {
		w.net = &network{w: w, ways: map[string]*pipes{}}
		opts.Dial, opts.NVMe = w.net.dial, func(_, address string) (net.Listener, error) { return w.net.listen(address) }
	}
	if archived {
		var err error
		if w.depot, err = newDepot(w); err != nil {
			return nil, err
		}
	}
	w.files = &files{w: w, has: map[string][]byte{}}
	opts.Files = w.files
	w.c = sim.New(opts)
	for _, n := range nodes {
		if _, err := w.c.Start(n, ""); err != nil {
			return nil, err
		}
	}
	w.c.Watch(func(v *sim.View) { w.wrong(w.truth(v)) })
	return w, nil
}

// newPID is the number of a new process.
func (w *world) newPID() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pids[len(w.pids)+1] = true
	return len(w.pids)
}

func (w *world) ends(pid int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pids[pid] = false
}

func (w *world) lives(pid int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pids[pid]
}

func (w *world) close() {
	for _, h := range w.hosts {
		h.stop()
	}
	w.c.Close()
}

func (w *world) wrong(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = fmt.Errorf("%v in: %w", time.Since(w.start), err)
	}
}

func (w *world) logf(format string, args ...any) {
	if !*trace {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, fmt.Sprintf("%9.3fs ", time.Since(w.start).Seconds())+fmt.Sprintf(format, args...))
}

func (w *world) event(e apply.Event) {
	if !*trace {
		return
	}
	w.logf("pass %d %s: %s %s: %v", e.Pass, e.Section, e.Step.Op.On(), e.Step.Op.Words(), e.Err)
}

// story carries out what comes before the sweep.
func (w *world) story() error {
	for _, s := range w.sc.steps[:len(w.sc.steps)-1] {
		w.logf("%s %v", s.verb, s.args)
		if err := w.do(s); err != nil {
			return fmt.Errorf("%s %v: %w", s.verb, s.args, err)
		}
	}
	return w.err
}

func (w *world) do(s step) (err error) {
	switch s.verb {
	case "apply":
		for id := range w.still {
			if slices.Contains(s.args, id.Name) {
				delete(w.still, id)
			}
		}
		if _, err = w.apply(s, true); err == nil {
			err = w.strangers(s.cfg)
		}
	case "edit":
		w.edit(s.cfg)
	case "host":
		if w.hosts[s.args[0]], err = w.newHost(s.args[0], len(s.args) > 1); err == nil {
			time.Sleep(blocks * 2 * think)
		}
	case "paths":
		if w.hosts[s.args[0]], err = w.newMultipath(s.args[0], 0); err == nil {
			time.Sleep(blocks * 2 * think)
		}
	case "linux":
		if w.hosts[s.args[0]], err = w.newMultipath(s.args[0], kato); err == nil {
			time.Sleep(blocks * 2 * think)
		}
	case "sides":
		if err = w.newSides(s.args[0]); err == nil {
			time.Sleep(sideBlocks * 2 * sideThink)
		}
	case "agent":
		w.machines[s.args[0]] = &machine{does: s.args[1:]}
	case "on":
		w.switchOn(s.args[0])
	case "pair":
		if w.hosts[s.args[0]], w.hosts[s.args[1]], err = w.newPair(s.args[0], s.args[1]); err == nil {
			time.Sleep(blocks * 2 * think)
		}
	case "leave":
		h := w.hosts[s.args[0]]
		err = h.leave()
		w.still[h.id] = []content{h.has()}
		delete(w.hosts, s.args[0])
	case "zero":
		h := w.hosts[s.args[0]]
		err = h.zero(context.Background(), w.sc.first().Volume(h.volume).Size)
	case "discards":
		if w.hosts[s.args[0]+" discards"], err = w.newDiscarder(s.args[0]); err == nil {
			time.Sleep(discards * 2 * think)
		}
	case "replace":
		err = w.c.Target(s.args[0]).ReplaceDisk("/dev/disk")
		delete(w.theirs, s.args[0])
	case "decay":
		err = w.newDecay(s.args[0], s.args[1])
	case "legacy":
		err = w.legacy(s.args)
	case "fault":
		err = w.c.Play(s.rule)
	case "up":
		for _, n := range s.args {
			if err = nil; !w.c.Target(n).Running() {
				err = w.c.Target(n).Restart()
			}
		}
	case "wait":
		time.Sleep(s.wait)
	}
	return err
}

func (w *world) apply(s step, guarded bool) (*apply.Result, error) {
	w.nonce++
	return w.applier(s.cfg).step(s, w.nonce, guarded)
}

// legacy takes the ids out of the names of nodes' lvstores.
func (w *world) legacy(nodes []string) error {
	a := w.applier(w.sc.last().cfg)
	defer a.close()
	for _, n := range nodes {
		var stores []spdk.Lvstore
		t := a.targets[lineage.Node(n)]
		if err := t.Round(context.Background(), spdk.GetLvstores(&stores)); err != nil {
			return err
		}
		for _, lvs := range stores {
			s, _ := lineage.ParseStore(lvs.Name)
			if err := t.LvstoreRename(context.Background(), lvs.Name, s.Cluster.Lvstore(s.Pool)); err != nil {
				return err
			}
		}
	}
	return nil
}

// strangers puts somebody else's lvol into every lvstore, once there is one.
func (w *world) strangers(cfg *schema.Config) error {
	if len(w.theirs) > 0 {
		return nil
	}
	a := w.applier(cfg)
	defer a.close()
	for name, t := range a.targets {
		var uuid string
		var stores []spdk.Lvstore
		if err := t.Call(context.Background(), "bdev_lvol_get_lvstores", nil, &stores); err != nil {
			return err
		}
		params := map[string]any{"lvs_name": stores[0].Name, "lvol_name": theirs, "size_in_mib": 4, "thin_provision": true}
		if err := t.Call(context.Background(), "bdev_lvol_create", params, &uuid); err != nil {
			return err
		}
		if err := w.c.Target(string(name)).WriteBdev(context.Background(), uuid, []byte(theirs), 0); err != nil {
			return err
		}
		w.theirs[string(name)] = uuid
	}
	return nil
}

// hook notes every call of the swept apply, and makes the trouble at one.
func (w *world) hook(c sim.Call) sim.Fault {
	if *trace {
		w.logf("    %s %s %s", c.Node, c.Method, c.Params)
	}
	if c.Writes && strings.Contains(string(c.Params), theirs) {
		w.wrong(fmt.Errorf("somebody else's lvol: %s %s", c.Method, c.Params))
	}
	w.mu.Lock()
	key := c.Node + " " + c.Method + " " + canonical(c.Params)
	w.seen[key]++
	id := callID{time.Since(w.start), key, w.seen[key], c.Writes}
	if w.trouble == nil {
		w.calls = append(w.calls, id)
	}
	hit := w.trouble != nil && !w.hit && id.same(w.at)
	if hit {
		w.hit, w.until = true, time.Now().Add(w.trouble.lasts)
	}
	w.mu.Unlock()
	if !hit {
		return sim.Fault{}
	}
	w.logf("    ^ %s", w.trouble.name)
	time.AfterFunc(w.trouble.lasts+asks+soon, w.startAgain)
	return w.trouble.make(w, c)
}

func canonical(params json.RawMessage) string { return uuids.ReplaceAllString(string(params), "UUID") }

// sweep carries out the last step, or has a watch do so, with trouble, and then again
// until nothing is left to do. It returns the last result.
func (w *world) sweep() (*apply.Result, error) {
	s := w.sc.last()
	if err := w.keep(s.cfg); err != nil {
		return nil, err
	}
	for _, x := range w.sc.ends("same") {
		id, c, err := w.snapshot(x.args[0], x.args[1])
		if err != nil {
			return nil, err
		}
		if w.still[id] != nil {
			w.still[id] = append(w.still[id], c)
		}
	}
	if w.sc.watched() {
		return w.watched(s)
	}
	var reached map[string]bool
	if w.trouble != nil && (w.trouble.stops || w.trouble.guarded) {
		reached = w.reached()
	}
	guarded := w.trouble == nil || !w.trouble.alone
	w.inject(true)
	w.nonce++
	w.who = w.applier(s.cfg)
	r, err := w.who.step(s, w.nonce, guarded)
	w.logf("it ended: %v", err)
	if w.trouble == nil {
		w.inject(false)
		if err != nil || len(r.Failures) > 0 {
			return nil, fmt.Errorf("it failed without any trouble: %v %v", err, r.Failures)
		}
	}
	if guarded && w.who.guard != nil {
		<-w.who.guard
	}
	if err := w.reach(reached); err != nil {
		return nil, err
	}
	if err := w.happen(); err != nil {
		return nil, err
	}
	if len(s.trim) > 0 {
		return w.trimAgain(s)
	}
	s.word = nil // it was of what there was then
	return w.rest(s)
}

// rest has a step carried out until nothing is left to do.
func (w *world) rest(s step) (r *apply.Result, err error) {
	for left := 12; left > 0; {
		// Somebody runs it again.
		time.Sleep(5 * time.Second)
		if w.over() {
			left--
		}
		if r, err = w.apply(s, true); err != nil {
			return nil, fmt.Errorf("run again: %w", err)
		}
		w.logf("it ended with %d steps, %d failures, blocked: %v", r.Steps, len(r.Failures), r.Plan.Blocked)
		if r.Steps == 0 && len(r.Failures) == 0 && known(r.Snapshot) && w.over() {
			return r, nil
		}
	}
	return nil, fmt.Errorf("it does not come to rest: the last run had %d steps, failures %v, blocked %v", r.Steps, r.Failures, r.Plan.Blocked)
}

// over reports whether the trouble is.
func (w *world) over() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().After(w.until)
}

// reached are the volumes that hosts have.
func (w *world) reached() map[string]bool {
	all := map[string]bool{}
	for name, h := range w.hosts {
		if !h.side {
			all[name] = h.reaches()
		}
	}
	for name := range w.sc.last().trim {
		all[name] = w.reaches(name)
	}
	return all
}

// reach makes sure that hosts have their volumes who had them before.
func (w *world) reach(before map[string]bool) error {
	for name, had := range before {
		if had && !w.reaches(name) {
			return fmt.Errorf("the host of %s waits, although the run has ended and the guard, too", name)
		}
	}
	return nil
}

// reaches reports whether the host of a volume has it, or, if there is none, one would.
func (w *world) reaches(volume string) bool {
	h := w.hosts[volume]
	if h == nil {
		var err error
		if h, err = w.idle(volume, true); err != nil {
			return false
		}
	}
	return h.reaches()
}

func known(s *state.Snapshot) bool {
	for _, n := range s.Nodes {
		if n.Unknown != "" {
			return false
		}
	}
	return true
}

// finish lets hosts go on a little, and then looks whether they and every
// current replica have what was acknowledged.
func (w *world) finish(cfg *schema.Config) (ending, error) {
	w.inject(false) // trouble that did not come is not to come here
	time.Sleep(blocks * 2 * think)
	for _, name := range slices.Sorted(maps.Keys(w.hosts)) {
		h := w.hosts[name]
		err := h.err
		for b := 0; b < blocks && err == nil && !h.reads; b++ {
			err = func() error { time.Sleep(2 * think); return h.err }()
		}
		if err == nil && !h.side {
			err = h.sees(cfg)
		}
		if err == nil {
			err = h.stop()
		}
		if err != nil {
			return nil, err
		}
	}
	a := w.applier(cfg)
	defer a.close()
	snap := state.Read(context.Background(), cfg.Cluster, a.targets)
	err := w.regained(cfg)
	w.c.Look(func(v *sim.View) {
		if err == nil {
			err = w.replicas(cfg, snap, v)
		}
	})
	for _, s := range w.sc.ends("same") {
		if err == nil {
			err = w.same(s.args[0], s.args[1])
		}
	}
	if err == nil {
		err = w.keysLeft(snap)
	}
	end := describe(cfg, snap)
	if err == nil {
		err = w.records(cfg, end)
	}
	return end, err
}

// replicas reads every current replica of every volume.
func (w *world) replicas(cfg *schema.Config, snap *state.Snapshot, v *sim.View) error {
	lvols := v.Lvols()
	for _, vol := range cfg.Volumes {
		if vol.Restore != nil && vol.Restore.Follow {
			if err := followed(v, vol); err != nil {
				return err
			}
			continue
		}
		id, err := incarnation(lvols, vol.Name)
		if err != nil {
			return err
		}
		verdict := snap.Judge(snap.Incarnation(cfg.Cluster, id), state.Question{Cluster: cfg.Cluster, Replicas: 1})
		if verdict.Unknown != "" {
			return fmt.Errorf("in the end: %s", verdict.Unknown)
		}
		if h, s := w.of(vol.Name); h != nil {
			for _, leg := range verdict.Legs {
				l, ok := find(lvols, leg)
				if !ok {
					return fmt.Errorf("the current replica of %s on %s is on no disk", vol.Name, leg.Node)
				}
				if err := h.hasIn(v, l, s); err != nil {
					return fmt.Errorf("the current replica of %s on %s: %w", vol.Name, l.Node, err)
				}
			}
		}
		if err := w.trimmed(v, vol, verdict.Legs); err != nil {
			return err
		}
		if err := w.layers(v, vol, verdict.Legs); err != nil {
			return err
		}
	}
	if err := w.mended(v, cfg); err != nil {
		return err
	}
	return w.truth(v)
}
