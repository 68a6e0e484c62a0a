package apply

import (
	"context"
	"fmt"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
)

const mib = 1 << 20

// caller carries out single ops: it knows what targets call what plans name.
type caller struct {
	cfg       *schema.Config
	cluster   lineage.Cluster
	targets   map[lineage.Node]*spdk.Client
	lvstores  *lvstores
	limits    *limits
	pace      *pace   // nil: copies go as fast whatever hosts have of it
	events    *events // told how far copies are
	crossing  *crossings
	fences    *fences
	addresses Addresses
	keys      Keys
	hostKeys  HostKeys
	backups   *backups // nil: nothing goes into archives here
	opened    opened
	*tokens
}

func newCaller(cfg *schema.Config, targets map[lineage.Node]*spdk.Client, events *events, f *fences, moves Addresses) *caller {
	return &caller{cfg: cfg, cluster: cfg.Cluster, targets: targets, fences: f, addresses: moves, lvstores: newLvstores(), limits: newLimits(), events: events,
		crossing: newCrossings(cfg.Cluster, targets), tokens: newTokens()}
}

// do carries out one op. Its errors name the node.
func (c *caller) do(ctx context.Context, op plan.Op) error {
	t := c.targets[op.On()]
	if t == nil && !plan.InArchive(op) {
		return fmt.Errorf("node %s: there is no connection to it", op.On())
	}
	err := c.call(ctx, t, op)
	if err != nil && !plan.InArchive(op) {
		return fmt.Errorf("node %s: %w", op.On(), err)
	}
	return err
}

func (c *caller) call(ctx context.Context, t *spdk.Client, op plan.Op) error {
	switch op := op.(type) {
	case plan.DiskAttach:
		return c.attachDisk(ctx, t, op)
	case plan.DiskDetach, plan.ExpectBlank, plan.LvstoreCreate, plan.LvstoreRename, plan.Remind, plan.Forget, plan.TrialDelete:
		return c.store(ctx, t, op)
	case plan.LvolSnapshot, plan.LvolClone, plan.LvolDecouple, plan.LvolCloneBdev, plan.LvolSetParent, plan.ShallowCopy, plan.WriteLimit:
		return c.layer(ctx, t, op)
	case plan.LvolCreate, plan.LvolResize, plan.LvolRename, plan.LvolDelete, plan.ExpectEmpty:
		return c.lvol(ctx, t, op)
	case plan.InitiatorOptions:
		return t.SetNVMeOptions(ctx, spdk.NVMeOptions{TransportAckTimeout: uint8(op.TransportAckTimeout)})
	case plan.TransportCreate:
		return unless(spdk.Exists, t.TransportCreate(ctx, lineage.Transport(op.RDMA)))
	case plan.SubsystemCreate:
		return t.SubsystemCreate(ctx, spdk.SubsystemCreate{
			NQN: string(op.NQN), SerialNumber: serial(op.Serial), ModelNumber: "strata", AllowAnyHost: op.AnyHost,
			ANAReporting: op.ANA, MaxNamespaces: uint32(op.MaxNamespaces), MinCntlid: uint16(op.IDs.First), MaxCntlid: uint16(op.IDs.Last),
		})
	case plan.SubsystemDelete:
		return t.SubsystemDelete(ctx, string(op.NQN))
	case plan.HostAllow:
		c.crossing.letIn(op.NQN)
		return t.HostAdd(ctx, hostAdd(op.NQN, op.Host, op.Keys))
	case plan.DiscoveryListen:
		return t.ListenerAdd(ctx, spdk.ListenerAdd{NQN: spdk.DiscoveryNQN, Address: address(op.Portal())})
	case plan.Refer:
		return t.ReferralAdd(ctx, spdk.ReferralAdd{Address: address(op.Portal())})
	case plan.KeySend, plan.LinkKeysMake, plan.KeyErase, plan.KeyAdd, plan.KeyRemove, plan.HostKeysSet, plan.ControllerKeysSet:
		return c.authenticate(ctx, t, op)
	case plan.HostExchange:
		return exchange(ctx, t, op)
	case plan.HostRefuse:
		return t.HostRemove(ctx, string(op.NQN), string(op.Host))
	case plan.Fence:
		err := shutOut(ctx, t, op)
		if err == nil {
			c.crossing.shutOut(op.NQN)
		}
		return err
	case plan.AnyHost:
		return allowAny(ctx, t, op)
	case plan.ListenerAdd:
		return c.listen(ctx, t, op)
	case plan.ListenerRemove:
		return c.unlisten(ctx, t, op)
	case plan.ExpectPaths:
		return c.expectPaths(ctx, t, op)
	case plan.NamespaceAdd:
		return c.crossing.raise(ctx, c.crossing.event(op.NQN, c.resolve(op.Bdev), shows), func() error {
			_, err := t.NamespaceAdd(ctx, spdk.NamespaceAdd{NQN: string(op.NQN), Namespace: spdk.NamespaceSpec{
				NSID: uint32(op.NSID), BdevName: c.resolve(op.Bdev), UUID: string(op.UUID), NGUID: op.UUID.NGUID(),
			}})
			return err
		})
	case plan.NamespaceRemove:
		if err := c.crossing.raise(ctx, c.crossing.event(op.NQN, c.resolve(op.Bdev), hides), func() error {
			return t.NamespaceRemove(ctx, string(op.NQN), uint32(op.NSID))
		}); err != nil {
			return err
		}
		c.forgetCopy(ctx, op)
		return nil
	case plan.ControllerAttach:
		return attach(ctx, t, op)
	case plan.ControllerDisable:
		return disable(ctx, t, op.Controller)
	case plan.ControllerDetach:
		return unless(spdk.NotFound, t.DetachController(ctx, op.Controller))
	case plan.AlternateAdd:
		return addAlternate(ctx, t, op)
	case plan.AlternateRemove:
		return removeAlternate(ctx, t, op)
	case plan.ControllerWait:
		return waitEnabled(ctx, t, op)
	case plan.LegWait:
		leg := c.resolve(string(op.Leg))
		return c.crossing.await(op.Node, leg, func() error { return waitFor(ctx, t, leg, op.Size) })
	case plan.LegGone:
		return waitGone(ctx, t, string(op.Leg))
	case plan.Drain:
		return t.SetANAGroup(ctx, spdk.SetANAGroup{NQN: string(op.NQN), NSID: uint32(op.NSID), ANAGroup: uint32(op.ANAGroup)})
	case plan.Pause:
		return pause(ctx, t, op)
	case plan.Resume:
		return setANA(ctx, t, op.NQN, op.Portals, spdk.Optimized)
	case plan.HostLimit:
		return c.limitHosts(ctx, t, op)
	case plan.KeyCheck, plan.KeyExpect, plan.CipherCreate, plan.CipherDelete, plan.KeyForget:
		return c.encrypt(ctx, t, op)
	case plan.RaidCreate:
		return c.raid(ctx, t, op)
	case plan.LayOut:
		return c.layOut(ctx, t, op)
	case plan.RaidDelete:
		return t.RaidDelete(ctx, op.Raid)
	case plan.ExpectLegs:
		return c.expectLegs(ctx, t, op)
	case plan.RaidGrow:
		return t.RaidGrowBase(ctx, op.Raid, c.resolve(string(op.Leg)))
	case plan.RaidRemoveLeg:
		return c.removeLeg(ctx, t, op)
	case plan.KeyedCreate, plan.MirrorApart, plan.LegFill:
		return c.rekey(ctx, t, op)
	case plan.UblkTarget:
		return unless(spdk.Busy, unless(spdk.Exists, t.UblkCreateTarget(ctx)))
	case plan.UblkStart:
		return t.UblkStart(ctx, spdk.UblkStart{BdevName: c.resolve(op.Bdev), ID: uint32(op.ID)})
	case plan.UblkStop:
		return t.UblkStop(ctx, uint32(op.ID))
	case plan.NBDStart:
		_, err := t.NbdStart(ctx, spdk.NbdStart{BdevName: c.resolve(op.Bdev), Device: op.Path})
		return err
	case plan.NBDStop:
		return t.NbdStop(ctx, op.Path)
	case plan.ExpectAddress:
		return c.expectAddress(ctx, op.NQN)
	case plan.AddressMove:
		return c.moveAddress(ctx, op.NQN, op.Node)
	case plan.Backup:
		return c.backup(ctx, t, op)
	case plan.Fill:
		return c.fill(ctx, t, op)
	case plan.ImageAttach:
		return c.lend(ctx, t, op)
	case plan.ImageDetach:
		return c.giveBack(ctx, t, op)
	case plan.RecordForget:
		return c.backups.forget(ctx, op)
	case plan.ArchivePrune:
		return c.backups.prune(ctx, op)
	case plan.Scrub:
		return c.scrub(ctx, t, op)
	case plan.ExpectUnused:
		return expectUnused(ctx, t, op)
	case plan.Trim:
		return c.trim(ctx, t, op)
	case plan.Compare:
		return c.compare(ctx, t, op)
	case plan.NodeOff:
		return c.fences.switchOff(ctx, op)
	}
	return fmt.Errorf("no call is known for %T", op)
}

// unless takes an error of the given class for success.
func unless(class spdk.Class, err error) error {
	if err != nil && spdk.ClassOf(err) == class {
		return nil
	}
	return err
}

func address(p lineage.Portal) spdk.Address {
	return spdk.Address{TrType: lineage.Transport(p.RDMA), AdrFam: family(p.Address), TrAddr: p.Address, TrSvcID: p.Port}
}

func family(addr string) string {
	for _, c := range addr {
		if c == ':' {
			return "IPv6"
		}
	}
	return "IPv4"
}

// accessible is what a listener says from the start; "" is what targets say of themselves.
func accessible(standby bool) spdk.ANAState {
	if standby {
		return spdk.Inaccessible
	}
	return ""
}

// serial cuts a serial number to what NVMe allows, 20 bytes.
func serial(s string) string { return s[:min(len(s), 20)] }

func (c *caller) attachDisk(ctx context.Context, t *spdk.Client, op plan.DiskAttach) (err error) {
	switch op.Kind {
	case schema.AIO:
		return c.attachFile(ctx, t, op.Lvstore, spdk.AIOCreate{Name: op.Bdev, Filename: op.Path, BlockSize: uint32(op.BlockSize), Fallocate: !op.Keeps})
	case schema.Uring:
		_, err = t.UringCreate(ctx, spdk.UringCreate{Name: op.Bdev, Filename: op.Path, BlockSize: uint32(op.BlockSize)})
	case schema.Malloc:
		block := max(op.BlockSize, 512)
		_, err = t.MallocCreate(ctx, spdk.MallocCreate{Name: op.Bdev, NumBlocks: uint64(op.Bytes / block), BlockSize: uint32(block)})
	case schema.NVMe:
		_, err = t.AttachController(ctx, spdk.AttachController{Name: op.Bdev, TrType: "PCIe", TrAddr: op.Path})
	default:
		return fmt.Errorf("no call is known for a disk of kind %q", op.Kind)
	}
	if err != nil {
		return err
	}
	return t.WaitForExamine(ctx)
}

// attach connects to a peer at the first of its addresses that answers. Its error is that of the first.
func attach(ctx context.Context, t *spdk.Client, op plan.ControllerAttach) (err error) {
	multipath := ""
	if op.Links.Wait() {
		multipath = "failover"
	}
	for i, a := range append([]string{op.Address}, op.Others...) {
		_, failed := t.AttachController(ctx, spdk.AttachController{
			Name: op.Controller, TrType: lineage.Transport(op.Links.RDMA), AdrFam: family(a), TrAddr: a, TrSvcID: op.Port,
			SubNQN: string(op.NQN), HostNQN: string(op.HostNQN), MaxBdevs: lineage.LinkNamespaces, Multipath: multipath,
			CtrlrLossTimeoutSec: int32(op.Links.CtrlrLossTimeoutSec), ReconnectDelaySec: uint32(op.Links.ReconnectDelaySec),
			FastIOFailTimeoutSec: uint32(op.Links.FastIOFailTimeoutSec), Key: op.Keys.Key, CtrlKey: op.Keys.CtrlKey,
		})
		if i == 0 {
			err = failed
		}
		if failed == nil {
			return nil
		}
		if c := spdk.ClassOf(failed); c == spdk.Exists || c == spdk.Unreachable || ctx.Err() != nil {
			break
		}
	}
	return err
}

func (c *caller) lvol(ctx context.Context, t *spdk.Client, op plan.Op) error {
	switch op := op.(type) {
	case plan.LvolCreate:
		if n, ok := lineage.Parse(op.Name); !ok || n.Of().ID == lineage.Pending {
			return fmt.Errorf("the plan has no id for %s; it was made to be shown only", op.Name)
		}
		uuid, err := t.LvolCreate(ctx, spdk.LvolCreate{LvolName: string(op.Name), LvsName: c.lvstores.name(op.Node, op.Lvstore), SizeMiB: uint64((op.Size + mib - 1) / mib), ThinProvision: true})
		if err != nil {
			return err
		}
		c.bind(plan.Token(op.Node, op.Lvstore, op.Name), lineage.UUID(uuid))
		return nil
	case plan.LvolResize:
		alias := c.alias(op.Node, op.Lvstore, op.Name)
		events, err := c.crossing.grown(ctx, t, alias, op)
		if err != nil {
			return err
		}
		return c.crossing.raise(ctx, events, func() error { return t.LvolResize(ctx, alias, uint64((op.To+mib-1)/mib)) })
	case plan.LvolRename:
		n, ok := lineage.Parse(op.To)
		if h, head := n.(lineage.Head); !ok || n.Of().ID == lineage.Pending || head && h.Check == lineage.PendingCheck {
			return fmt.Errorf("the plan has no id for %s, or no check of its key; it was made to be shown only", op.To)
		}
		return t.LvolRename(ctx, c.alias(op.Node, op.Lvstore, op.From), string(op.To))
	case plan.LvolDelete:
		alias := c.alias(op.Node, op.Lvstore, op.Name)
		c.forgetOwnCopy(ctx, t, op, alias)
		return t.LvolDelete(ctx, alias)
	case plan.ExpectEmpty:
		b, err := t.GetBdev(ctx, c.alias(op.Node, op.Lvstore, op.Name))
		if err != nil {
			return err
		}
		if l := b.Driver.Lvol; l == nil || l.NumAllocatedClusters > 0 || l.Clone || l.EsnapClone {
			return fmt.Errorf("%s/%s is not empty any more: somebody has written to it", op.Lvstore, op.Name)
		}
		return nil
	}
	return fmt.Errorf("no call is known for %T", op)
}

func roundErr(ctx context.Context, t *spdk.Client, r *spdk.Req) error {
	t.Round(ctx, r)
	return r.Err
}

// setANA tells the hosts of all listeners at once how they stand.
func setANA(ctx context.Context, t *spdk.Client, nqn lineage.NQN, portals []lineage.Portal, to spdk.ANAState) error {
	var all []*spdk.Req
	for _, p := range portals {
		all = append(all, spdk.NewReq(spdk.SetANAState{NQN: string(nqn), Address: address(p), State: to}, nil))
	}
	if err := t.Round(ctx, all...); err != nil {
		return err
	}
	for _, r := range all {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

// pause holds hosts, then waits until what they had sent is done.
func pause(ctx context.Context, t *spdk.Client, op plan.Pause) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(op.LimitMs)*time.Millisecond)
	defer cancel()
	if err := setANA(ctx, t, op.NQN, op.Portals, spdk.Inaccessible); err != nil {
		return err
	}
	return t.SetANAGroup(ctx, spdk.SetANAGroup{NQN: string(op.NQN), NSID: uint32(op.NSID), ANAGroup: uint32(op.ANAGroup)})
}
