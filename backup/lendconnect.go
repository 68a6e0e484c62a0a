package backup

import (
	"context"
	"errors"
	"fmt"
	"time"

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
		if err := detach(ctx, l.Target, name); err != nil {
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
	keys := is.way.names()
	return attach(ctx, l.Target, is.at, spdk.AttachController{
		Name: name, SubNQN: string(l.Of.ImageNQN(l.Name.Volume)), HostNQN: string(l.Of.HostNQN(l.Node)),
		CtrlrLossTimeoutSec: -1, ReconnectDelaySec: 1, FastIOFailTimeoutSec: uint32(l.Bound),
		Key: keys.Key, CtrlKey: keys.CtrlKey,
	})
}

// found is how the node has the controller; nil where it has none.
func found(ctx context.Context, t *spdk.Client, name string) (*spdk.ControllerPath, error) {
	all, err := t.GetControllers(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.Name == name && len(c.Paths) > 0 {
			return &c.Paths[0], nil
		}
	}
	return nil, nil
}

// await returns when the node is connected, and has what strata shows as a bdev with the
// lvstore's blocks.
func (l Lend) await(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, appearTimeout)
	defer cancel()
	for {
		is, err := found(ctx, l.Target, name)
		if err != nil {
			return err
		}
		late := fmt.Errorf("controller %s does not connect to strata again: see that nothing is between them that drops packets", name)
		if is != nil && is.State == "enabled" {
			if late = l.appeared(ctx, name); late == nil || spdk.ClassOf(late) != spdk.NotFound {
				return late
			}
		}
		select {
		case <-ctx.Done():
			return late
		case <-time.After(20 * time.Millisecond):
		}
	}
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
