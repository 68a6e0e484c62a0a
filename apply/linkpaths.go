package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"strata/plan"
	"strata/spdk"
)

// changePath has a node reach a peer by another path, or by one less.
func changePath(ctx context.Context, t *spdk.Client, op plan.Op) error {
	switch op := op.(type) {
	case plan.PathAttach:
		return unless(spdk.Exists, attach(ctx, t, plan.ControllerAttach(op)))
	case plan.PathDetach:
		return detachPath(ctx, t, op)
	}
	return fmt.Errorf("no call is known for %T", op)
}

// catchUp is how long a path that lacks something may have been told of it just now.
const catchUp = 500 * time.Millisecond

// detachPath takes a path away, unless no other is connected any more: then every leg would be
// lost. One that was behind and is no more stays.
func detachPath(ctx context.Context, t *spdk.Client, op plan.PathDetach) error {
	for start := time.Now(); ; {
		var ctrls []spdk.Controller
		var bdevs []spdk.Bdev
		all := []*spdk.Req{spdk.GetControllers(&ctrls)}
		if op.Behind {
			all = append(all, spdk.GetBdevs(&bdevs))
		}
		if err := t.Round(ctx, all...); err != nil {
			return err
		}
		for _, r := range all {
			if r.Err != nil {
				return r.Err
			}
		}
		own, others := pathsBy(ctrls, op)
		switch {
		case own == nil:
			return nil
		case !slices.ContainsFunc(others, connected):
			return fmt.Errorf("no other path of controller %s is connected any more: it stays, for every leg would be lost with it", op.Controller)
		case op.Behind && connected(*own) && !lags(bdevs, op.Controller, others):
			return nil
		case !op.Behind || time.Since(start) > catchUp:
			return unless(spdk.NotFound, t.DetachPath(ctx, op.Controller, address(op.Address, op.Port)))
		}
		if err := sleep(ctx, pollEvery); err != nil {
			return err
		}
	}
}

func connected(p spdk.ControllerPath) bool { return p.State == "enabled" }

// pathsBy are the path that an op is about, if it is there, and the others of its controller.
func pathsBy(ctrls []spdk.Controller, op plan.PathDetach) (own *spdk.ControllerPath, others []spdk.ControllerPath) {
	for _, c := range ctrls {
		for _, p := range c.Paths {
			switch {
			case c.Name != op.Controller:
			case leads(p.Trid, op):
				own = &p
			default:
				others = append(others, p)
			}
		}
	}
	return own, others
}

func leads(to spdk.Trid, op plan.PathDetach) bool {
	return to.TrAddr == op.Address && to.TrSvcID == op.Port
}

// lags reports whether a connected path of a controller does not lead to one of its bdevs, to
// which others lead.
func lags(bdevs []spdk.Bdev, controller string, others []spdk.ControllerPath) bool {
	paths := 1
	for _, p := range others {
		if connected(p) {
			paths++
		}
	}
	return slices.ContainsFunc(bdevs, func(b spdk.Bdev) bool {
		nsid, ok := strings.CutPrefix(b.Name, controller+"n")
		ours := b.ProductName == "NVMe disk" && ok && strings.Trim(nsid, "0123456789") == ""
		return ours && len(b.Driver.NVMe) > 0 && len(b.Driver.NVMe) < paths
	})
}
