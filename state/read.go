package state

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"strata/lineage"
	"strata/spdk"
)

// Read asks all nodes at once, each in three rounds however much it has:
// version, methods and whether all disks have been looked into; everything
// there is; and how the exports' listeners stand. A node of which any answer
// is missing is unknown, and so is one whose answers do not fit together; since
// that may come of a change meanwhile, it is asked again first.
//
// A node that is slow to answer may be one that holds hosts up. Engines with a
// leg on it are asked whether their I/O gets on; where it does not, the node
// is not waited for.
func Read(ctx context.Context, c lineage.Cluster, targets map[lineage.Node]*spdk.Client) *Snapshot {
	return ReadAgain(ctx, c, targets, nil)
}

// ReadAgain is Read right after another: a node that was found to hold hosts up
// is not asked once more, and a mirror with the same legs still waits for it.
func ReadAgain(ctx context.Context, c lineage.Cluster, targets map[lineage.Node]*spdk.Client, before *Snapshot) *Snapshot {
	return ReadBut(ctx, c, targets, before, nil, nil)
}

// ReadBut is ReadAgain but for some nodes, which are not asked and taken not to
// answer for the reason given. Nodes that have the exports which known, if not nil, says
// that they have are asked for everything in two rounds.
func ReadBut(ctx context.Context, c lineage.Cluster, targets map[lineage.Node]*spdk.Client, before, known *Snapshot, unread map[lineage.Node]string) *Snapshot {
	r := &reading{
		c: c, targets: targets, before: before,
		nodes: map[lineage.Node]*Node{}, missing: map[lineage.Node]map[string]string{}, ids: map[lineage.Node]identity{}, looked: map[string]bool{}, cancel: map[lineage.Node]context.CancelCauseFunc{},
	}
	done := make(chan lineage.Node, len(targets))
	for name, t := range targets {
		if before != nil && before.Nodes[name] != nil && before.Nodes[name].Unknown == errStalls.Error() {
			r.put(before.Nodes[name])
			done <- name
			continue
		}
		if why := unread[name]; why != "" {
			r.put(Unread(name, why))
			done <- name
			continue
		}
		exports := known.exports(c, name)
		ctx, cancel := context.WithCancelCause(ctx)
		r.cancel[name] = cancel
		defer cancel(nil)
		go func() {
			n, a, err := readNode(ctx, c, name, t, exports)
			if errors.Is(context.Cause(ctx), errStalls) {
				err = errStalls
			}
			if err != nil {
				n = Unread(name, whyUnread(err))
			} else {
				r.said(name, a)
			}
			r.put(n)
			done <- name
		}()
	}
	slow := time.NewTicker(patience)
	defer slow.Stop()
	for left := len(targets); left > 0; {
		select {
		case <-done:
			left--
			slow.Reset(patience)
		case <-slow.C:
			r.findStalls(ctx)
		}
	}
	if len(targets) > 0 {
		r.findStalls(ctx) // for nodes that were unreachable at once
	}
	r.distrust()
	r.unify()
	r.evidence(ctx)
	return New(c, r.all()...)
}

// answers is what a target said.
type answers struct {
	version     spdk.Version
	bdevs       []spdk.Bdev
	lvstores    []spdk.Lvstore
	lvols       []spdk.Lvol
	raids       []spdk.Raid
	subsystems  []spdk.Subsystem
	transports  []spdk.Transport
	controllers []spdk.Controller
	ublk        []spdk.UblkDisk
	keys        []spdk.Key
	referrals   []spdk.Referral
	tls         secured
	nbd         []spdk.NbdDisk
	listeners   map[lineage.NQN][]spdk.Listener
	changed     error                 // what went away while it was read
	byUUID      map[string]*spdk.Bdev // of bdevs
}

const (
	// agreeTries is how often a node is asked for everything before its answers
	// count as contradicting each other for good.
	agreeTries = 3
	agreeAfter = 100 * time.Millisecond
)

// readNode also returns what the target said. It may have these exports.
func readNode(ctx context.Context, c lineage.Cluster, name lineage.Node, t *spdk.Client, exports []lineage.NQN) (*Node, *answers, error) {
	methods, err := t.Methods(ctx)
	if err != nil {
		return nil, nil, err
	}
	var version spdk.Version
	if err := ask(ctx, t, &spdk.Req{Method: "bdev_wait_for_examine"}, spdk.GetVersion(&version)); err != nil {
		return nil, nil, err
	}
	files := listKeyFiles(ctx, t)
	for try := 1; ; try++ {
		a := &answers{version: version}
		if err := a.read(ctx, c, t, methods, exports); err != nil {
			return nil, nil, err
		}
		err := a.changed
		if what := a.copied(); err == nil && what != "" {
			err = fmt.Errorf("%s. What is meant for one may reach the other, so the node is left as it is. Have the original only: take the pool of the copy out of the configuration, and start the target again without its disk", what)
		} else if what := a.disagreement(c); err == nil && what != "" {
			err = unbelieved(what)
		}
		switch {
		case err == nil && (try == agreeTries || a.missingBases() == nil):
			n := a.node(c, name)
			n.Methods = methods
			n.keyFiles(c, files())
			return n, a, nil
		case try == agreeTries:
			return nil, nil, err
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(agreeAfter):
		}
	}
}

// unbelieved says that a node's answers contradict each other, and what to do.
func unbelieved(what string) error {
	return fmt.Errorf("its answers contradict each other, so none is believed: %s. Compare with what rpc.py says on that node; if it says the same, start the target again", what)
}

// read reads everything there is. How the listeners of exports stand that it may have it
// asks at once, after all else.
func (a *answers) read(ctx context.Context, c lineage.Cluster, t *spdk.Client, methods spdk.Methods, exports []lineage.NQN) error {
	reqs := []*spdk.Req{
		spdk.GetBdevs(&a.bdevs), spdk.GetLvstores(&a.lvstores), spdk.GetLvols(&a.lvols), spdk.GetRaids(&a.raids),
		spdk.GetSubsystems(&a.subsystems), spdk.GetTransports(&a.transports), spdk.GetControllers(&a.controllers),
	}
	if methods.Has("ublk_get_disks") {
		reqs = append(reqs, spdk.GetUblkDisks(&a.ublk))
	}
	if methods.Has("nbd_get_disks") {
		reqs = append(reqs, spdk.GetNbdDisks(&a.nbd))
	}
	if methods.Has("keyring_get_keys") {
		reqs = append(reqs, spdk.GetKeys(&a.keys))
	}
	if methods.Has("nvmf_discovery_get_referrals") {
		reqs = append(reqs, spdk.GetReferrals(&a.referrals))
	}
	var known listenings
	for _, nqn := range exports {
		known.ask(nqn)
	}
	if err := t.Round(ctx, append(slices.Clone(reqs), known.reqs...)...); err != nil {
		return err
	}
	if err := refused(reqs); err != nil {
		return err
	}
	a.byUUID = make(map[string]*spdk.Bdev, len(a.bdevs))
	for i := range a.bdevs {
		a.byUUID[a.bdevs[i].UUID] = &a.bdevs[i]
	}
	if err := a.readListeners(ctx, c, t, &known); err != nil {
		return err
	}
	return a.readTLS(ctx, c, t, methods)
}

// ask makes a round and returns the first error of any of its requests.
func ask(ctx context.Context, t *spdk.Client, reqs ...*spdk.Req) error {
	if err := t.Round(ctx, reqs...); err != nil {
		return err
	}
	return refused(reqs)
}

// refused is the first error of requests that were answered.
func refused(reqs []*spdk.Req) error {
	for _, r := range reqs {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

// node puts a target's answers in order.
func (a *answers) node(c lineage.Cluster, name lineage.Node) *Node {
	n := NewNode(name)
	n.Version = a.version.Version
	for i := range a.bdevs {
		a.bdev(c, n, &a.bdevs[i])
	}
	slices.Sort(n.OtherBdevs)
	for _, s := range a.lvstores {
		n.Lvstores[s.Name] = &Lvstore{
			Name: s.Name, UUID: lineage.UUID(s.UUID), Base: s.BaseBdev, ClusterSize: int64(s.ClusterSize),
			TotalClusters: int64(s.TotalDataClusters), FreeClusters: int64(s.FreeClusters),
		}
	}
	for i := range a.lvols {
		n.AddLvol(lvol(&a.lvols[i], a.byUUID[a.lvols[i].UUID]))
	}
	for _, r := range a.raids {
		n.Raids[r.Name] = raid(r)
		n.Raids[r.Name].Laid = a.laid(r)
	}
	for _, ctrl := range a.controllers {
		n.Controllers[ctrl.Name] = controller(ctrl)
	}
	for _, t := range a.transports {
		n.TCP, n.RDMA = n.TCP || t.TrType == spdk.TCP, n.RDMA || t.TrType == spdk.RDMA
	}
	for i := range a.subsystems {
		if s := &a.subsystems[i]; s.Subtype != "Discovery" {
			n.Subsystems[lineage.NQN(s.NQN)] = a.subsystem(s)
		} else {
			n.Discovery = a.discovery(s)
		}
	}
	for _, k := range a.keys {
		if !k.Removed && k.Path != "" {
			n.AddKey(k.Name, k.Path)
		}
	}
	n.TLSBuffer = min(a.tls.options.Receive, a.tls.options.Send)
	for _, d := range a.ublk {
		n.Ublk[int(d.ID)] = d.BdevName
	}
	for _, d := range a.nbd {
		n.NBD[d.Device] = d.BdevName
	}
	return n
}

// bdev sorts a bdev into disks, peers' namespaces, lock and seat, or none of these.
func (a *answers) bdev(c lineage.Cluster, n *Node, b *spdk.Bdev) {
	d := &Disk{Bdev: b.Name, Size: int64(b.Size()), BlockSize: int64(b.BlockSize), Claimed: b.Claimed, Keeps: !b.IO.Unmap}
	switch drv := b.Driver; {
	case drv.Lvol != nil || drv.Raid != nil:
		n.readLimits(b)
	case drv.AIO != nil:
		d.Kind, d.Path = "aio", path.Clean(drv.AIO.Filename)
		n.Disks[b.Name] = d
	case drv.Uring != nil:
		d.Kind, d.Path = "uring", path.Clean(drv.Uring.Filename)
		n.Disks[b.Name] = d
	case len(drv.NVMe) > 0 && drv.NVMe[0].Trid.TrType == "PCIe":
		d.Kind, d.Path = "nvme", drv.NVMe[0].Trid.TrAddr
		n.Disks[b.Name] = d
	case len(drv.NVMe) > 0:
		nsid := int(drv.NVMe[0].NS.ID)
		ctrl := b.Name[:max(0, len(b.Name)-len(fmt.Sprintf("n%d", nsid)))]
		n.AddRemote(&Remote{Bdev: b.Name, UUID: lineage.UUID(b.UUID), Controller: ctrl, NSID: nsid, Size: int64(b.Size()), Claimed: b.Claimed})
		n.readLimits(b)
	case b.ProductName == "NVMe disk": // its peer came back without it
		if ctrl, id, ok := cutLast(b.Name, "n"); ok {
			nsid, _ := strconv.Atoi(id)
			n.AddRemote(&Remote{Bdev: b.Name, UUID: lineage.UUID(b.UUID), Controller: ctrl, NSID: nsid, Size: int64(b.Size()), Absent: true, Claimed: b.Claimed})
		}
	case b.ProductName == "Malloc disk":
		d.Kind = "malloc"
		n.Disks[b.Name] = d
	case n.readCipher(c, b):
	case b.Name == c.Lock():
		n.Lock.Holder = lineage.UUID(b.UUID)
	case b.Name == c.Seat():
		n.Seat.Holder = lineage.UUID(b.UUID)
	case b.Name == c.LockWish(): // for who holds the lock
	default:
		if note, ok := c.ParseLockNote(b.Name); ok {
			n.Lock.Notes = append(n.Lock.Notes, note)
			return
		}
		if note, ok := c.ParseSeatNote(b.Name); ok {
			n.Seat.Notes = append(n.Seat.Notes, note)
			return
		}
		if v, ok := c.ParseKeyNote(b.Name); ok {
			if check, ok := lineage.ParseKeyMark(v, lineage.UUID(b.UUID)); ok {
				n.SetKey(v, check)
				return
			}
		}
		if to, ok := c.ParseCopyNote(b.Name); ok {
			if n.Copying == nil {
				n.Copying = map[lineage.UUID]lineage.UUID{}
			}
			n.Copying[to] = lineage.UUID(b.UUID)
			return
		}
		n.OtherBdevs = append(n.OtherBdevs, b.Name)
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
