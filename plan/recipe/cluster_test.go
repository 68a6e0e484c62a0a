package recipe

import (
	"errors"
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"strings"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// cluster is a slow, obvious model of the targets a plan is carried out on, of
// the data on them, and of the hosts that use it. It knows what a plan cannot
// see: which copy has what hosts were told is written.
type cluster struct {
	rng       *rand.Rand
	cfg       *schema.Config
	machines  map[lineage.Node]*machine
	blobs     map[lineage.UUID]*blob             // what lvols hold
	cut       map[lineage.LvolName]uint64        // what layers show, since they count
	truth     map[lineage.Volume]map[uint64]bool // what hosts may find: one content unless a write is under way
	queued    map[waiting]hostWrite              // what a leg is sent once its engine reaches it again
	released  map[string]bool                    // incarnations and replicas the operator has given up
	wrong     []string                           // invariants that were broken
	log       []string
	uuids     int
	writes    uint64
	events    bool                  // other things happen while a plan is carried out
	disturbed bool                  // something other than the plan's steps has happened since the last look
	failed    map[waiting]bool      // by node and lvol: I/O of it has failed there since the target was started
	off       map[lineage.Node]bool // switched off by agents, and not read since
	proofs    map[proving]proof     // by what controllers prove themselves
}

// hostWrite is what a host wrote.
type hostWrite struct {
	block int
	value uint64
}

// waiting is a leg as an engine sees it that cannot reach it.
type waiting struct {
	engine lineage.Node
	leg    lineage.UUID
}

// machine is a host with one target.
type machine struct {
	*state.Node
	shelf  map[string]*shelf // by path: what disks hold that are not attached
	hidden bool              // it serves, but strata cannot reach it
	down   bool
	apart  bool // its peers do not reach it
	fork   bool // its RAIDs take legs while they are in use
	copy   *copied
	files  map[string]int // of keys of links, and which these are
	// unlisted: nobody can see which files there are.
	unlisted bool
}

// shelf is what a disk holds across restarts.
type shelf struct {
	lvstore *state.Lvstore
	lvols   []*state.Lvol
}

func newCluster(rng *rand.Rand, cfg *schema.Config, fork bool) *cluster {
	c := &cluster{
		rng: rng, cfg: cfg, machines: map[lineage.Node]*machine{}, blobs: map[lineage.UUID]*blob{}, cut: map[lineage.LvolName]uint64{}, queued: map[waiting]hostWrite{},
		truth: map[lineage.Volume]map[uint64]bool{}, released: map[string]bool{}, failed: map[waiting]bool{}, off: map[lineage.Node]bool{}, proofs: map[proving]proof{},
	}
	for _, n := range cfg.Nodes {
		c.machines[n.Name] = &machine{Node: freshTarget(n.Name, fork), fork: fork, shelf: map[string]*shelf{}}
	}
	return c
}

func freshTarget(n lineage.Node, fork bool) *state.Node {
	t := state.NewNode(n)
	if fork {
		t.Methods["bdev_raid_grow_base_bdev"] = struct{}{}
	}
	t.Methods["ublk_start_disk"] = struct{}{}
	t.Methods["nbd_start_disk"] = struct{}{}
	t.Methods["bdev_crypto_create"] = struct{}{}
	return t
}

func (c *cluster) note(format string, args ...any) {
	c.log = append(c.log, fmt.Sprintf(format, args...))
}

func (c *cluster) broken(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	c.note("BROKEN: "+format, args...)
}

// look is what strata reads.
func (c *cluster) look() *state.Snapshot {
	var nodes []*state.Node
	for _, name := range slices.Sorted(maps.Keys(c.machines)) {
		m := c.machines[name]
		switch {
		case m.down:
			nodes = append(nodes, state.Unread(name, "connection refused"))
		case m.hidden:
			nodes = append(nodes, state.Unread(name, "i/o timeout"))
		case m.copy != nil && !c.telling(m):
			nodes = append(nodes, state.Unread(name, "no route to host"))
		default:
			nodes = append(nodes, m.withFiles(m.read()))
			delete(c.off, name)
		}
	}
	c.evidence(nodes)
	c.disturbed = false
	return state.New(c.cfg.Cluster, nodes...)
}

func (c *cluster) newUUID() lineage.UUID {
	c.uuids++
	return lineage.UUID(fmt.Sprintf("u%03d", c.uuids))
}

// resolve replaces the plan's tokens by UUIDs of lvols that were made.
func (c *cluster) resolve(made map[lineage.UUID]lineage.UUID, u string) string {
	if real, ok := made[lineage.UUID(u)]; ok {
		return string(real)
	}
	return u
}

var errUnreachable = errors.New("unreachable")

// do carries out one step as a target would. It is strict: what a target
// would refuse is an error.
func (c *cluster) do(op plan.Op, made map[lineage.UUID]lineage.UUID) error {
	m := c.machines[op.On()]
	if _, off := op.(plan.NodeOff); m == nil || !off && (m.down || m.hidden) {
		return errUnreachable
	}
	c.note("    %s: %s", op.On(), op.Words())
	c.sparing(m, op, made)
	switch op := op.(type) {
	case plan.DiskAttach:
		return c.attachDisk(m, op)
	case plan.LvstoreCreate:
		return c.createLvstore(m, op)
	case plan.DiskDetach, plan.ExpectBlank, plan.LvstoreRename, plan.Remind, plan.Forget, plan.TrialDelete:
		return c.store(m, op)
	case plan.LvolCreate, plan.LvolResize, plan.LvolRename, plan.LvolDelete, plan.ExpectEmpty:
		return c.lvol(m, op, made)
	case plan.LvolSnapshot, plan.LvolClone, plan.LvolDecouple, plan.LvolCloneBdev, plan.LvolSetParent, plan.ShallowCopy, plan.WriteLimit:
		return c.layer(m, op, made)
	case plan.InitiatorOptions:
		if len(m.Controllers) > 0 {
			return errors.New("RPC not permitted with nvme controllers attached")
		}
	case plan.TransportCreate:
		if m.TCP {
			return errors.New("transport exists")
		}
		m.TCP = true
	case plan.SubsystemCreate:
		if m.Subsystems[op.NQN] != nil || !m.TCP {
			return errors.New("subsystem exists, or no transport")
		}
		m.Subsystems[op.NQN] = &state.Subsystem{NQN: op.NQN, AnyHost: op.AnyHost, Namespaces: map[int]*state.Namespace{}, IDs: op.IDs}
	case plan.SubsystemDelete:
		sub := m.Subsystems[op.NQN]
		if sub == nil {
			return errors.New("no such subsystem")
		}
		delete(m.Subsystems, op.NQN)
		c.peerLost(m, op.NQN)
	case plan.DiscoveryListen:
		if slices.Contains(m.Discovery.Listeners, op.Portal()) || !m.TCP {
			return errors.New("listener exists, or no transport")
		}
		m.Discovery.Listen(op.Portal())
	case plan.Refer:
		m.Discovery.Refer(op.Portal())
	case plan.KeyAdd:
		return c.addKey(m, op)
	case plan.KeyRemove:
		return c.removeKey(m, op)
	case plan.KeySend:
		m.AddKeyFile(op.Name)
	case plan.LinkKeysMake:
		return c.linkKeysMake(op)
	case plan.ControllerKeysSet:
		return c.setKeys(m, op)
	case plan.KeyErase:
		if m.Keyring[op.Name] != "" {
			c.broken("the file of key %s is erased on %s while its target has it", op.Name, m.Name)
		}
		delete(m.files, op.Name)
		m.RemoveKeyFile(op.Name)
	case plan.HostAllow, plan.HostExchange, plan.HostKeysSet, plan.HostRefuse, plan.Fence, plan.AnyHost, plan.ListenerAdd, plan.ListenerRemove, plan.NamespaceAdd, plan.NamespaceRemove, plan.Drain, plan.Pause, plan.Resume:
		return c.subsystem(m, op, made)
	case plan.ControllerAttach:
		return c.attach(m, op)
	case plan.AlternateAdd, plan.AlternateRemove:
		return c.alternate(m, op)
	case plan.ControllerDisable:
		ctrl := m.Controllers[op.Controller]
		if ctrl == nil {
			return errors.New("no such controller")
		}
		ctrl.State = "disabled"
		c.dropRemotes(m, ctrl.Name)
	case plan.ControllerDetach:
		if m.Controllers[op.Controller] == nil {
			return errors.New("no such controller")
		}
		c.dropRemotes(m, op.Controller)
		delete(m.Controllers, op.Controller)
	case plan.ExpectPaths: // every host of the model has all paths
	case plan.ExpectUnused, plan.Trim:
		return fmt.Errorf("nobody asks for %T here", op)
	case plan.ExpectAddress, plan.AddressMove: // and every program works
	case plan.LegWait:
		u := lineage.UUID(c.resolve(made, string(op.Leg)))
		for _, name := range slices.Sorted(maps.Keys(m.Controllers)) {
			before := m.Controllers[name].State
			c.reconnect(m, m.Controllers[name])
			c.disturbed = c.disturbed || m.Controllers[name].State != before
		}
		if r := m.Remotes[u]; r == nil || m.Controllers[r.Controller].State != "enabled" {
			c.disturbed = c.disturbed || c.parted()
			return fmt.Errorf("%s does not come", u)
		}
	case plan.LegGone:
		if u := lineage.UUID(c.resolve(made, string(op.Leg))); m.Remotes[u] != nil {
			return fmt.Errorf("%s does not go", u)
		}
	case plan.ControllerWait:
		ctrl := m.Controllers[op.Controller]
		if ctrl == nil {
			return errors.New("no such controller")
		}
		before := ctrl.State
		c.reconnect(m, ctrl)
		c.disturbed = c.disturbed || ctrl.State != before
		if ctrl.State != "enabled" {
			c.disturbed = c.disturbed || c.parted()
			return errors.New("it does not reconnect")
		}
	case plan.LayOut:
		return c.layOut(m, op, made)
	case plan.KeyCheck, plan.KeyExpect, plan.CipherCreate, plan.CipherDelete, plan.KeyForget:
		return c.encrypt(m, op, made)
	case plan.KeyedCreate, plan.MirrorApart, plan.LegFill:
		return c.rekey(m, op, made)
	case plan.RaidCreate, plan.RaidDelete, plan.RaidGrow, plan.RaidRemoveLeg, plan.ExpectLegs:
		return c.raid(m, op, made)
	case plan.UblkTarget:
	case plan.HostLimit:
		bdev := c.resolve(made, op.Bdev)
		if !c.bdev(m, bdev) {
			return fmt.Errorf("no bdev %s", bdev)
		}
		m.SetLimits(bdev, state.Limits{IOPS: op.Limits.IOPS, Read: op.Limits.Read, Write: op.Limits.Write})
	case plan.UblkStart:
		dev := c.resolve(made, op.Bdev)
		if m.Ublk[op.ID] != "" || !c.bdev(m, dev) {
			return errors.New("ublk id taken, or no bdev")
		}
		m.Ublk[op.ID] = dev
	case plan.UblkStop:
		if m.Ublk[op.ID] == "" {
			return errors.New("no such ublk device")
		}
		delete(m.Ublk, op.ID)
	case plan.NBDStart:
		dev := c.resolve(made, op.Bdev)
		if m.NBD[op.Path] != "" || !c.bdev(m, dev) {
			return errors.New("nbd taken, or no bdev")
		}
		m.NBD[op.Path] = dev
	case plan.NBDStop:
		if m.NBD[op.Path] == "" {
			return errors.New("no such nbd device")
		}
		delete(m.NBD, op.Path)
	case plan.Backup:
		for _, name := range append(slices.Clone(op.Below), op.Layer) {
			if m.Lvols[op.Lvstore+"/"+string(name)] == nil {
				return fmt.Errorf("no layer %s", name)
			}
		}
	case plan.Compare:
		if m.Lvols[op.Lvstore+"/"+string(op.Layer)] == nil {
			return fmt.Errorf("no layer %s", op.Layer)
		}
		return c.lvol(m, plan.LvolRename{At: op.At, Lvstore: op.Lvstore, From: op.From, To: op.To}, made)
	case plan.Scrub:
		if m.Lvols[op.Lvstore+"/"+string(op.Layer)] == nil {
			return fmt.Errorf("no layer %s", op.Layer)
		}
	case plan.Fill:
		l := m.Lvols[op.Lvstore+"/"+string(op.Name)]
		if l == nil || l.Allocated > 0 {
			return fmt.Errorf("%s is not there, or not empty", op.Name)
		}
		l.Allocated = 1
	case plan.ImageAttach, plan.ImageDetach: // no history has an archive
		return unmodelled(op)
	case plan.RecordForget, plan.ArchivePrune: // is done to no node
	case plan.NodeOff:
		if !m.down {
			c.stop(m)
		}
		c.off[op.Node] = true
	default:
		return unmodelled(op)
	}
	return nil
}

func unmodelled(op plan.Op) error { return fmt.Errorf("the model does not know %T", op) }

func (c *cluster) attachDisk(m *machine, op plan.DiskAttach) error {
	for _, d := range m.Disks {
		if d.Path == op.Path || d.Bdev == op.Bdev {
			return errors.New("file exists")
		}
	}
	m.Disks[op.Bdev] = &state.Disk{Bdev: op.Bdev, Kind: string(op.Kind), Path: op.Path, Size: 1 << 30}
	if m.copy != nil && op.Path == m.copy.path {
		m.Disks[op.Bdev].Claimed = true
		return nil
	}
	if s := m.shelf[op.Path]; s != nil {
		m.Disks[op.Bdev].Claimed = true
		s.lvstore.Base = op.Bdev
		m.Lvstores[s.lvstore.Name] = s.lvstore
		for _, l := range s.lvols {
			if b := c.blobs[l.UUID]; b != nil && b.esnap {
				l.Degraded, l.External, l.Size = true, "", 0
			}
			m.AddLvol(l)
		}
		for _, at := range slices.Sorted(maps.Keys(m.Lvols)) { // what is in another pool of the machine, too
			if b := c.blobs[m.Lvols[at].UUID]; b != nil && b.esnap && m.LvolByUUID(b.below) != nil {
				c.revive(m, b.below)
			}
		}
		delete(m.shelf, op.Path)
	}
	return nil
}

func (c *cluster) createLvstore(m *machine, op plan.LvstoreCreate) error {
	d := m.Disks[op.Bdev]
	if d == nil || m.Lvstores[op.Lvstore] != nil {
		return errors.New("no such disk, or lvstore exists")
	}
	if d.Claimed {
		c.broken("lvstore %s written over what %s on %s holds", op.Lvstore, op.Bdev, m.Name)
	}
	d.Claimed = true
	for _, o := range c.machines {
		for _, lvs := range o.Lvstores {
			if lvs.Called() == op.OnTarget {
				c.broken("lvstore %s of %s has the name of one on %s", op.OnTarget, m.Name, o.Name)
			}
		}
	}
	m.Lvstores[op.Lvstore] = &state.Lvstore{Name: op.Lvstore, OnTarget: op.OnTarget, UUID: c.newStoreUUID(), Base: op.Bdev, ClusterSize: op.ClusterSize, TotalClusters: 1024, FreeClusters: 1024}
	return nil
}

// newStoreUUID is that of a new lvstore: it differs from others' at the start.
func (c *cluster) newStoreUUID() lineage.UUID {
	c.uuids++
	return lineage.UUID(fmt.Sprintf("%08x-0000-4000-8000-000000000000", c.uuids))
}

// store does what is done to disks and lvstores.
func (c *cluster) store(m *machine, op plan.Op) error {
	switch op := op.(type) {
	case plan.DiskDetach:
		d := m.Disks[op.Bdev]
		if d == nil {
			return errors.New("no such disk")
		}
		if d.Claimed {
			c.broken("disk %s of %s is taken away, and something stands on it", op.Bdev, m.Name)
		}
		delete(m.Disks, op.Bdev)
	case plan.ExpectBlank:
		if d := m.Disks[op.Bdev]; d == nil || d.Claimed {
			return errors.New("something stands on the disk, or it is not there")
		}
	case plan.LvstoreRename:
		lvs := m.Lvstores[op.Lvstore]
		if lvs == nil || lvs.Called() != op.From {
			return errors.New("no such lvstore")
		}
		for _, l := range m.Lvols {
			if l.Lvstore == op.Lvstore && l.Degraded {
				c.broken("lvstore %s of %s is renamed, and %s has no bdev", op.From, m.Name, l.Name)
			}
		}
		lvs.OnTarget = op.To
	case plan.Remind:
		name := op.Member.Lvol()
		if m.Lvstores[op.Lvstore] == nil || m.Lvols[op.Lvstore+"/"+string(name)] != nil {
			return errors.New("no such lvstore, or lvol exists")
		}
		m.AddLvol(&state.Lvol{Lvstore: op.Lvstore, Name: name, UUID: c.newUUID(), Size: op.Size})
	case plan.TrialDelete:
		l := m.Lvols[op.Lvstore+"/"+string(lineage.Trial)]
		if l == nil {
			return errors.New("no such lvol")
		}
		m.RemoveLvol(l)
	case plan.Forget:
		l := m.Lvols[op.Lvstore+"/"+string(op.Member.Lvol())]
		if l == nil {
			return errors.New("no such lvol")
		}
		m.RemoveLvol(l)
	default:
		return unmodelled(op)
	}
	return nil
}

func (c *cluster) lvol(m *machine, op plan.Op, made map[lineage.UUID]lineage.UUID) error {
	find := func(lvstore string, name lineage.LvolName) (*state.Lvol, error) {
		if l := m.Lvols[lvstore+"/"+string(name)]; l != nil {
			return l, nil
		}
		return nil, fmt.Errorf("no lvol %s/%s", lvstore, name)
	}
	switch op := op.(type) {
	case plan.LvolCreate:
		if m.Lvstores[op.Lvstore] == nil || m.Lvols[op.Lvstore+"/"+string(op.Name)] != nil {
			return errors.New("no such lvstore, or lvol exists")
		}
		u := c.newUUID()
		made[plan.Token(op.Node, op.Lvstore, op.Name)] = u
		m.AddLvol(&state.Lvol{Lvstore: op.Lvstore, Name: op.Name, UUID: u, Size: op.Size})
		c.blobs[u] = &blob{}
		if n, ok := lineage.Parse(op.Name); ok {
			c.newReplica(n.Of(), 0)
		}
	case plan.LvolResize:
		l, err := find(op.Lvstore, op.Name)
		if err != nil {
			return err
		}
		if op.To < l.Size {
			c.broken("%s on %s shrinks from %d to %d", l.Alias(), m.Name, l.Size, op.To)
		}
		l.Size = op.To
		for _, o := range c.machines {
			if r := o.Remotes[l.UUID]; r != nil {
				r.Size = op.To
			}
		}
	case plan.LvolRename:
		l, err := find(op.Lvstore, op.From)
		if err != nil {
			return err
		}
		if m.Lvols[op.Lvstore+"/"+string(op.To)] != nil {
			return errors.New("file exists")
		}
		from, _ := l.Parsed.(lineage.Head)
		_, staged := l.Parsed.(lineage.Staging)
		m.RenameLvol(l, op.To)
		to, ok := l.Parsed.(lineage.Head)
		if ok && staged && l.Parent != "" {
			if !c.released[to.Volume.Name+"@head"] {
				c.broken("%s is reverted, and nobody allowed that", to.Volume)
			}
			c.truth[to.Volume][c.view(l.UUID)] = true
		} else if ok && to.Mark != lineage.Fenced && to.Epoch >= from.Epoch+lineage.Forced {
			c.note("      what it holds is %s now, by the operator's word", to.Volume)
			c.truth[to.Volume][c.view(l.UUID)] = true
		}
	case plan.LvolDelete:
		l, err := find(op.Lvstore, op.Name)
		if err != nil {
			return err
		}
		if len(l.Children) > 1 {
			return errors.New("operation not permitted")
		}
		c.deleting(m, l)
		c.hide(m, l)
		c.dropLeg(m, l.UUID)
		c.merge(m, l)
		m.RemoveLvol(l)
	case plan.ExpectEmpty:
		l, err := find(op.Lvstore, op.Name)
		if err != nil {
			return err
		}
		if !l.Empty() {
			return fmt.Errorf("%s is not empty", l.Alias())
		}
	default:
		return unmodelled(op)
	}
	return nil
}

// newReplica notices a volume that is made although it exists.
func (c *cluster) newReplica(v lineage.Volume, view uint64) {
	if c.truth[v] != nil {
		return
	}
	c.truth[v] = map[uint64]bool{view: true}
	for o, truth := range c.truth {
		if o.Name == v.Name && o != v && !truth[0] && !c.released[o.String()] && len(c.copies(o)) > 0 {
			c.broken("%s is made anew although %s has data", v, o)
		}
	}
}

// copies are the heads of v, anywhere, that hold what hosts may find.
func (c *cluster) copies(v lineage.Volume) (alias []string) {
	each := func(m *machine, l *state.Lvol) {
		if h, ok := l.Parsed.(lineage.Head); ok && h.Volume == v && c.whole(l.UUID) && c.truth[v][c.view(l.UUID)] {
			alias = append(alias, string(m.Name)+"/"+l.Alias())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.machines)) {
		m := c.machines[name]
		for _, k := range slices.Sorted(maps.Keys(m.Lvols)) {
			each(m, m.Lvols[k])
		}
		for _, path := range slices.Sorted(maps.Keys(m.shelf)) {
			for _, l := range m.shelf[path].lvols {
				each(m, l)
			}
		}
	}
	return alias
}

// deleting notices the loss of a copy that is not known to be stale.
func (c *cluster) deleting(m *machine, l *state.Lvol) {
	if l.Parsed == nil {
		c.broken("foreign lvol %s on %s is deleted", l.Alias(), m.Name)
		return
	}
	v := l.Parsed.Of()
	if layer, ok := l.Parsed.(lineage.Layer); ok {
		c.unlayering(m, l.Lvstore, layer)
	}
	h, ok := l.Parsed.(lineage.Head)
	if !ok || c.released[v.String()] || c.released[v.Name] && c.cfg.Volume(v.Name) == nil || !c.whole(l.UUID) || !c.truth[v][c.view(l.UUID)] {
		return
	}
	copies := c.copies(v)
	if len(copies) < 2 && !c.truth[v][0] {
		c.broken("the last copy of %s, %s on %s, is deleted", v, h.Lvol(), m.Name)
	}
	conf := c.cfg.Volume(v.Name)
	left := map[string]bool{} // nodes: of two copies on one, one counts
	for _, other := range copies {
		if n, _, _ := strings.Cut(other, "/"); other != string(m.Name)+"/"+l.Alias() {
			left[n] = true
		}
	}
	if !c.released[v.Name+":"+string(m.Name)] && (conf == nil || len(left) < conf.Replicas.Count) && !c.truth[v][0] {
		c.broken("%s on %s is deleted, it is current and only %d of %v would be left", h.Lvol(), m.Name, len(left), copies)
	}
}

func (c *cluster) subsystem(m *machine, op plan.Op, made map[lineage.UUID]lineage.UUID) error {
	var nqn lineage.NQN
	switch op := op.(type) {
	case plan.HostAllow:
		nqn = op.NQN
	case plan.HostExchange:
		nqn = op.NQN
	case plan.HostKeysSet:
		nqn = op.NQN
	case plan.HostRefuse:
		nqn = op.NQN
	case plan.Fence:
		nqn = op.NQN
	case plan.AnyHost:
		nqn = op.NQN
	case plan.ListenerAdd:
		nqn = op.NQN
	case plan.ListenerRemove:
		nqn = op.NQN
	case plan.NamespaceAdd:
		nqn = op.NQN
	case plan.NamespaceRemove:
		nqn = op.NQN
	case plan.Drain:
		nqn = op.NQN
	case plan.Pause:
		nqn = op.NQN
	case plan.Resume:
		nqn = op.NQN
	default:
		return unmodelled(op)
	}
	sub := m.Subsystems[nqn]
	if sub == nil {
		return errors.New("no such subsystem")
	}
	listener := func(address, port string) int {
		return slices.IndexFunc(sub.Listeners, func(l state.Listener) bool { return l.Address == address && l.Port == port })
	}
	switch op := op.(type) {
	case plan.HostAllow:
		i, found := slices.BinarySearch(sub.Hosts, op.Host)
		if found {
			return errors.New("host is allowed already")
		}
		sub.Hosts = slices.Insert(sub.Hosts, i, op.Host)
		return c.keyed(m, sub, op.Host, op.Keys)
	case plan.HostExchange:
		if !slices.Contains(sub.Hosts, op.Host) {
			return errors.New("host is not allowed")
		}
		return c.keyed(m, sub, op.Host, op.Keys)
	case plan.HostKeysSet:
		if !slices.Contains(sub.Hosts, op.Host) {
			return errors.New("host is not allowed")
		}
		keys := op.Keys
		keys.PSK = sub.Keys[op.Host].PSK
		return c.keyed(m, sub, op.Host, keys)
	case plan.HostRefuse:
		i, found := slices.BinarySearch(sub.Hosts, op.Host)
		if !found {
			return errors.New("host is not allowed")
		}
		sub.Hosts = slices.Delete(sub.Hosts, i, i+1)
		sub.SetKeys(op.Host, lineage.HostKeys{})
	case plan.Fence:
		sub.Hosts = slices.DeleteFunc(sub.Hosts, func(h lineage.NQN) bool { return h == op.Host })
		c.peerLost(m, op.NQN)
		if e := sub.Evidence; e != nil {
			sub.Evidence = &state.Evidence{Connected: slices.DeleteFunc(slices.Clone(e.Connected), func(h lineage.NQN) bool { return h == op.Host }), Failed: e.Failed}
		}
	case plan.AnyHost:
		sub.AnyHost = op.Allow
	case plan.ListenerAdd:
		if listener(op.Address, op.Port) >= 0 {
			return errors.New("listener exists")
		}
		sub.Listeners = append(sub.Listeners, state.Listener{Address: op.Address, Port: op.Port, Paused: op.Standby, TLS: op.TLS, RDMA: op.RDMA})
	case plan.ListenerRemove:
		i := listener(op.Address, op.Port)
		if i < 0 {
			return errors.New("no such listener")
		}
		sub.Listeners = slices.Delete(sub.Listeners, i, i+1)
	case plan.NamespaceAdd:
		dev := c.resolve(made, op.Bdev)
		if sub.Namespaces[op.NSID] != nil || !c.bdev(m, dev) || c.used(m, lineage.UUID(dev)) {
			return fmt.Errorf("invalid parameters: nsid %d taken, or no bdev %s, or it is claimed", op.NSID, dev)
		}
		sub.Namespaces[op.NSID] = &state.Namespace{NSID: op.NSID, Bdev: dev, UUID: op.UUID, NGUID: op.UUID.NGUID(), ANAGroup: op.NSID}
		c.announce(m, sub)
	case plan.NamespaceRemove:
		if sub.Namespaces[op.NSID] == nil {
			return errors.New("no such namespace")
		}
		c.reading(m, sub, op.NSID)
		if err := c.drain(m, sub, op.NSID); err != nil {
			return err
		}
		c.removeNamespace(m, sub, op.NSID)
	case plan.Drain:
		if sub.Namespaces[op.NSID] == nil {
			return errors.New("no such namespace")
		}
		return c.drain(m, sub, op.NSID)
	case plan.Pause:
		for _, p := range op.Portals {
			i := listener(p.Address, p.Port)
			if i < 0 || sub.Namespaces[op.NSID] == nil {
				return errors.New("no such listener or namespace")
			}
			sub.Listeners[i].Paused = true
		}
		return c.drain(m, sub, op.NSID)
	case plan.Resume:
		for _, p := range op.Portals {
			i := listener(p.Address, p.Port)
			if i < 0 {
				return errors.New("no such listener")
			}
			sub.Listeners[i].Paused = false
		}
	default:
		return unmodelled(op)
	}
	return nil
}

// keyed gives a host the keys that it has to use.
func (c *cluster) keyed(m *machine, sub *state.Subsystem, host lineage.NQN, keys lineage.HostKeys) error {
	for _, k := range []string{keys.Key, keys.CtrlKey, keys.PSK} {
		if k != "" && m.Keyring[k] == "" {
			return errors.New("no such key")
		}
	}
	sub.SetKeys(host, keys)
	return nil
}

// bdev reports whether the machine has a bdev of that name.
func (c *cluster) bdev(m *machine, name string) bool {
	_, cipher := m.Ciphers[name]
	return cipher || m.Raids[name] != nil || m.Backing(name) != ""
}

// layOut makes one bdev of parts that are there and that nothing else uses.
func (c *cluster) layOut(m *machine, op plan.LayOut, made map[lineage.UUID]lineage.UUID) error {
	if m.Raids[op.Raid] != nil {
		return errors.New("RAID exists")
	}
	r := &state.Raid{Name: op.Raid, UUID: op.UUID, State: "online", Laid: &state.Laid{Striped: op.Striped, StripKiB: op.StripKiB, Size: op.Size}}
	for _, part := range op.Parts {
		u := lineage.UUID(c.resolve(made, part))
		if mirror := m.Raids[part]; mirror != nil {
			u = mirror.UUID
		} else if !c.reachable(m, u) || c.used(m, u) {
			return fmt.Errorf("part %s is not there, or claimed", part)
		}
		r.Legs = append(r.Legs, state.Leg{Base: part, UUID: u, Configured: true})
	}
	m.Raids[op.Raid] = r
	return nil
}

func (c *cluster) raid(m *machine, op plan.Op, made map[lineage.UUID]lineage.UUID) error {
	switch op := op.(type) {
	case plan.RaidCreate:
		if m.Raids[op.Raid] != nil || len(op.Legs) < 2 {
			return errors.New("RAID exists, or too few legs")
		}
		r := &state.Raid{Name: op.Raid, UUID: op.UUID, State: "online"}
		for _, leg := range op.Legs {
			u := lineage.UUID(c.resolve(made, string(leg)))
			if !c.reachable(m, u) || c.used(m, u) {
				return fmt.Errorf("leg %s is not there, or claimed", u)
			}
			r.Legs = append(r.Legs, state.Leg{Base: string(u), UUID: u, Configured: true})
			if first := r.Legs[0].UUID; c.view(u) != c.view(first) {
				c.broken("%s is made of legs that differ", op.Raid)
			}
		}
		m.Raids[op.Raid] = r
	case plan.RaidDelete:
		if m.Raids[op.Raid] == nil {
			return errors.New("no such RAID")
		}
		delete(m.Raids, op.Raid)
		c.withoutBdev(m, op.Raid)
	case plan.ExpectLegs:
		for _, leg := range op.Legs {
			if u := lineage.UUID(c.resolve(made, string(leg))); !m.Raids[op.Raid].Has(u) {
				return fmt.Errorf("%s has lost leg %s", op.Raid, u)
			}
		}
	case plan.RaidGrow:
		r, u := m.Raids[op.Raid], lineage.UUID(c.resolve(made, string(op.Leg)))
		if r == nil || !c.bdev(m, string(u)) {
			return errors.New("no such RAID or bdev")
		}
		for _, l := range r.Legs {
			if l.Configured && c.view(u) != c.view(l.UUID) {
				c.broken("%s gets a leg that differs", op.Raid)
			}
		}
		r.Grow(u)
	case plan.RaidRemoveLeg:
		r := m.Raids[op.Raid]
		if r == nil {
			return errors.New("no such RAID")
		}
		if !slices.ContainsFunc(r.Legs, func(l state.Leg) bool { return l.UUID == op.Leg }) {
			return nil // it went with the link to it
		}
		if v, ok := c.cfg.Cluster.ParseRaid(op.Raid); ok {
			l, conf := m.LvolByUUID(op.Leg), c.cfg.Volume(v.Name)
			another := slices.ContainsFunc(r.Legs, func(o state.Leg) bool {
				at := m.LvolByUUID(o.UUID)
				return o.UUID != op.Leg && at != nil && at.Complete() && at.Parsed.(lineage.Head).Mark == lineage.Primary
			})
			if l != nil && l.Complete() && conf != nil && conf.Engine != m.Name && !another {
				c.broken("the engine of %s on %s loses its own replica, and nobody has set it there", v, m.Name)
			}
		}
		r.Drop(op.Leg)
		c.emptyRaids(m)
	default:
		return unmodelled(op)
	}
	return nil
}

// stop takes a target down: what is volatile is gone, and its peers notice
// now or later.
func (c *cluster) stop(m *machine) {
	for _, d := range m.Disks {
		for _, s := range m.Lvstores {
			if s.Base != d.Bdev {
				continue
			}
			sh := &shelf{lvstore: s}
			for _, k := range slices.Sorted(maps.Keys(m.Lvols)) {
				if m.Lvols[k].Lvstore == s.Name {
					sh.lvols = append(sh.lvols, m.Lvols[k])
				}
			}
			m.shelf[d.Path] = sh
		}
	}
	for u := range m.Remotes {
		delete(c.queued, waiting{m.Name, u})
	}
	maps.DeleteFunc(c.failed, func(w waiting, _ bool) bool { return w.engine == m.Name })
	nqns := slices.Sorted(maps.Keys(m.Subsystems))
	m.Node = freshTarget(m.Name, m.fork)
	for name := range m.files {
		m.AddKeyFile(name)
	}
	for _, nqn := range nqns {
		c.peerLost(m, nqn)
	}
	m.down = true
	c.disturbed = true
}

// giveUp ends a controller that waits for its peer.
func (c *cluster) giveUp(m *machine, ctrl *state.Controller) {
	c.note("  %s gives %s up", m.Name, ctrl.Name)
	c.dropRemotes(m, ctrl.Name)
	delete(m.Controllers, ctrl.Name)
	c.disturbed = true
}
