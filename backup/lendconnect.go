package backup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"strata/lineage"
	"strata/spdk"
)

// connect has the node be connected to what is served, and returns when it has that
// as a bdev with the lvstore's blocks. A controller that is attached is waited for.
func (l Lend) connect(ctx context.Context, is *lent, name string, attached bool) error {
	for again := false; ; again = true {
		if !attached {
			if err := l.attach(ctx, is, name); err != nil {
				return err
			}
		}
		err := l.await(ctx, name)
		if again || !errors.Is(err, errUnnamed) {
			return err
		}
		if err := Detach(ctx, l.Target, name); err != nil {
			return fmt.Errorf("detaching %s, which has the image under a UUID that nothing reads: %w", name, err)
		}
		attached = false
	}
}

// attach has the node attach to it, for good: what reads it would never be whole again if the
// controller went.
func (l Lend) attach(ctx context.Context, is *lent, name string) error {
	if err := is.way.tell(ctx); err != nil { // a target that was started again knows of no keys
		return err
	}
	return attach(ctx, l.Target, is.at, l.attachment(name, is.way.names()))
}

func (l Lend) attachment(name string, keys lineage.HostKeys) spdk.AttachController {
	return spdk.AttachController{
		Name: name, SubNQN: string(l.Of.ImageNQN(l.Name.Volume)), HostNQN: string(l.Of.HostNQN(l.Node)),
		CtrlrLossTimeoutSec: -1, ReconnectDelaySec: 1, FastIOFailTimeoutSec: uint32(l.Bound),
		Key: keys.Key, CtrlKey: keys.CtrlKey,
	}
}

// found is how the node has the controller: the path that was attached last, which is where
// strata is looked for, and those before it, which were given up; nil where it has none.
func found(ctx context.Context, t *spdk.Client, name string) (is *spdk.ControllerPath, before []spdk.ControllerPath, err error) {
	all, err := t.GetControllers(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range all {
		if last := len(c.Paths) - 1; c.Name == name && last >= 0 {
			return &c.Paths[last], c.Paths[:last], nil
		}
	}
	return nil, nil, nil
}

// comesBack is how long a node is waited for that looks for strata once a second.
const comesBack = 6 * time.Second

// errStuck says that a node does not come back by the path that it has.
//
// A target that loses its peer while it connects again may never be done with that: where the I/O
// queue is refused after the admin queue was taken in, or the connection ends as queues are counted.
// Whoever reads through it waits meanwhile, and the controller can neither be reset nor
// go. Another path to the same works, and what waited goes on by that.
var errStuck = errors.New("the controller does not connect to strata again")

// await returns when the node is connected, and has what strata shows as a bdev with the
// lvstore's blocks.
func (l Lend) await(ctx context.Context, name string) error {
	late := time.Now().Add(comesBack)
	for {
		is, before, err := found(ctx, l.Target, name)
		if err != nil {
			return err
		}
		err = fmt.Errorf("%w: %s; see that nothing is between them that drops packets", errStuck, name)
		if is != nil && is.State == "enabled" {
			err = l.appeared(ctx, name)
			if err == nil {
				return l.leave(ctx, name, before)
			}
			if spdk.ClassOf(err) != spdk.NotFound {
				return err
			}
		}
		if time.Now().After(late) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// leave takes paths away that were given up, if another leads to the bdev, too: with the last
// that does it would go, under what reads it.
func (l Lend) leave(ctx context.Context, name string, before []spdk.ControllerPath) error {
	for _, p := range before {
		b, err := l.Target.GetBdev(ctx, string(l.Of.ImageUUID(l.Name)))
		if err != nil {
			return err
		}
		if len(b.Driver.NVMe) < 2 {
			return fmt.Errorf("%s reaches what strata shows by a path that is stuck, and by no other: start the target again", name)
		}
		if err := l.Target.DetachPath(ctx, name, spdk.Address{TrType: p.Trid.TrType, AdrFam: p.Trid.AdrFam, TrAddr: p.Trid.TrAddr, TrSvcID: p.Trid.TrSvcID}); err != nil {
			return fmt.Errorf("detaching the path of %s that is stuck: %w", name, err)
		}
	}
	return nil
}

// errUnnamed says that a node has the image, and not by its UUID.
//
// A target that loses its peer while it attaches, when it has read what the namespace is and
// not yet how it is called, takes it for one without a name: the bdev gets a UUID of chance, and
// keeps it when the connection is made again. Clones look for the UUID of the image, so none
// reads through that bdev, and the controller may go.
var errUnnamed = errors.New("the node has it under another UUID")

// appeared fails while the bdev of the image is not there: with [errUnnamed] if it will not be.
func (l Lend) appeared(ctx context.Context, name string) error {
	id := string(l.Of.ImageUUID(l.Name))
	b, err := l.Target.GetBdev(ctx, id)
	if err == nil {
		return fits(b, l.Block)
	}
	if spdk.ClassOf(err) != spdk.NotFound {
		return err
	}
	switch b, other := l.Target.GetBdev(ctx, name+"n1"); { // of namespace 1, the only one
	case other == nil && b.UUID != id:
		return errUnnamed
	case other == nil || spdk.ClassOf(other) == spdk.NotFound:
		return fmt.Errorf("what strata shows did not appear as a bdev: %w", err)
	default:
		return other
	}
}
