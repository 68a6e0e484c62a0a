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
// costs grows with RAIDs, links and exports, and not with lvols.
func Pulse(ctx context.Context, t *spdk.Client) (Beat, error) {
	var raids, controllers, subsystems spdk.Raw
	var reactors spdk.Reactors
	err := ask(ctx, t,
		&spdk.Req{Method: "bdev_raid_get_bdevs", Params: spdk.RaidGet{Category: "all"}, Result: &raids},
		&spdk.Req{Method: "bdev_nvme_get_controllers", Result: &controllers},
		&spdk.Req{Method: "nvmf_get_subsystems", Result: &subsystems},
		spdk.GetReactors(&reactors),
	)
	if err != nil {
		return Beat{}, err
	}
	b := Beat{
		PID: reactors.PID, Raids: maphash.Bytes(beatSeed, raids),
		Controllers: maphash.Bytes(beatSeed, bytes.ReplaceAll(controllers, resetting, delayed)), Subsystems: maphash.Bytes(beatSeed, subsystems),
	}
	if bytes.Contains(raids, []byte(`"process"`)) {
		b.Raids, err = raidsDigest(raids)
	}
	return b, err
}

// A controller whose peer is gone is by turns in one of these states, once in each
// reconnectDelaySec: nothing changes with it.
var resetting, delayed = []byte(`"resetting"`), []byte(`"reconnect_is_delayed"`)

// raidsDigest leaves out how far what RAIDs do in the background is.
func raidsDigest(raw spdk.Raw) (uint64, error) {
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
