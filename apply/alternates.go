package apply

import (
	"context"
	"fmt"
	"strings"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/spdk"
)

// alternateTries is how often an alternate address is tried, and alternateAgain how much later
// each time: what the link shows is refused while it changes.
const (
	alternateTries = 10
	alternateAgain = 300 * time.Millisecond
)

// addAlternate has a controller look for its peer at another address, too.
func addAlternate(ctx context.Context, t *spdk.Client, op plan.AlternateAdd) error {
	for try := 1; ; try++ {
		if err := complete(ctx, t, op.Controller); err != nil {
			return err
		}
		_, err := t.AttachController(ctx, spdk.AttachController{
			Name: op.Controller, TrType: lineage.Transport(op.RDMA), AdrFam: family(op.Address), TrAddr: op.Address, TrSvcID: op.Port,
			SubNQN: string(op.NQN), HostNQN: string(op.HostNQN), Multipath: "failover",
			Key: op.Keys.Key, CtrlKey: op.Keys.CtrlKey,
		})
		if spdk.ClassOf(err) != spdk.Invalid || try == alternateTries {
			return unless(spdk.Exists, err)
		}
		if err := sleep(ctx, alternateAgain); err != nil {
			return err
		}
	}
}

// complete fails unless a controller is connected and has all that its bdevs are of: a target
// that compares what a controller does not have with what it is shown ends (v26.05).
func complete(ctx context.Context, t *spdk.Client, controller string) error {
	at, err := stateOf(ctx, t, controller)
	if err != nil {
		return err
	}
	if at != "enabled" {
		return fmt.Errorf("controller %s is %s", controller, at)
	}
	bdevs, err := t.GetBdevs(ctx)
	if err != nil {
		return err
	}
	for i := range bdevs {
		b := &bdevs[i]
		nsid, of := strings.CutPrefix(b.Name, controller+"n")
		if of && strings.Trim(nsid, "0123456789") == "" && b.ProductName == "NVMe disk" && len(b.Driver.NVMe) == 0 {
			return fmt.Errorf("its peer does not show what %s is of", b.Name)
		}
	}
	return nil
}

// removeAlternate has it not look there any more, if it does not go by that address by now.
func removeAlternate(ctx context.Context, t *spdk.Client, op plan.AlternateRemove) error {
	paths, err := pathsOf(ctx, t, op.Controller)
	if err != nil {
		return err
	}
	for _, p := range paths {
		if p.Trid.TrAddr == op.Address && p.Trid.TrSvcID == op.Port {
			return fmt.Errorf("controller %s goes by %s by now", op.Controller, op.Portal())
		}
	}
	return unless(spdk.NotFound, t.DetachPath(ctx, op.Controller, address(op.Portal())))
}
