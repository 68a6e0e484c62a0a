package state

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"

	"strata/spdk"
)

// Beat is what a pulse finds of a node. Two of one process of strata are equal as long
// as nothing has changed there of what changes by itself.
type Beat struct {
	PID         int    // of the target; another when it was started again
	Raids       uint64 // which there are, with which legs, and how they are
	Controllers uint64 // which there are, and how their connections stand
	Subsystems  uint64 // with namespaces, hosts and addresses
}

// beatSeed makes equal what is equal, in one process.
var beatSeed = maphash.MakeSeed()

// Pulse asks a node for what can change without anybody asking for it, in one round:
// a leg is lost, a peer goes or comes back, the target is started again. What it
// costs grows with RAIDs, links and exports, and not with lvols. Where was is given,
// subsystems, which are most of that, are taken to be as they were: they change by
// themselves only when a disk goes. With it goes out what else is to be asked, in requests
// that have their errors.
func Pulse(ctx context.Context, t *spdk.Client, was *Beat, with ...*spdk.Req) (Beat, error) {
	var b Beat
	var unread error
	reqs := []*spdk.Req{
		spdk.NewReq(spdk.RaidGet{Category: "all"}, spdk.Look(func(raids []byte) {
			if b.Raids = maphash.Bytes(beatSeed, raids); bytes.Contains(raids, []byte(`"process"`)) {
				b.Raids, unread = raidsDigest(raids)
			}
		})),
		{Method: "bdev_nvme_get_controllers", Result: spdk.Look(func(controllers []byte) {
			if bytes.Contains(controllers, resetting) {
				controllers = bytes.ReplaceAll(controllers, resetting, delayed)
			}
			b.Controllers = maphash.Bytes(beatSeed, controllers)
		})},
	}
	if was != nil {
		b.Subsystems = was.Subsystems
	} else {
		reqs = append(reqs, &spdk.Req{Method: "nvmf_get_subsystems", Result: spdk.Look(func(subsystems []byte) {
			b.Subsystems = maphash.Bytes(beatSeed, subsystems)
		})})
	}
	is, known := t.Process()
	if !known {
		reqs = append(reqs, spdk.GetReactors(&is))
	}
	err := t.Round(ctx, append(reqs, with...)...)
	if err == nil {
		err = refused(reqs)
	}
	if err == nil && known {
		if now, still := t.Process(); !still || now != is { // the connection is another since
			err = ask(ctx, t, spdk.GetReactors(&is))
		}
	}
	if err == nil {
		err = unread
	}
	if err != nil {
		return Beat{}, err
	}
	b.PID = is.PID
	return b, nil
}

// A controller whose peer is gone is by turns in one of these states, once in each
// reconnectDelaySec: nothing changes with it.
var resetting, delayed = []byte(`"resetting"`), []byte(`"reconnect_is_delayed"`)

// raidsDigest leaves out how far what RAIDs do in the background is.
func raidsDigest(raw []byte) (uint64, error) {
	var raids []spdk.Raid
	if err := json.Unmarshal(raw, &raids); err != nil {
		return 0, fmt.Errorf("bdev_raid_get_bdevs: %w", err)
	}
	for i := range raids {
		if p := raids[i].Process; p != nil {
			raids[i].Process = &spdk.RaidProcess{Type: p.Type, Target: p.Target}
		}
	}
	same, err := json.Marshal(raids)
	return maphash.Bytes(beatSeed, same), err
}
