package state

import (
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
	var (
		raids                   []spdk.Raid
		controllers, subsystems json.RawMessage
		reactors                spdk.Reactors
	)
	err := ask(ctx, t,
		spdk.GetRaids(&raids),
		&spdk.Req{Method: "bdev_nvme_get_controllers", Result: &controllers},
		&spdk.Req{Method: "nvmf_get_subsystems", Result: &subsystems},
		spdk.GetReactors(&reactors),
	)
	if err != nil {
		return Beat{}, err
	}
	return Beat{
		PID: reactors.PID, Raids: raidsDigest(raids),
		Controllers: maphash.Bytes(beatSeed, controllers), Subsystems: maphash.Bytes(beatSeed, subsystems),
	}, nil
}

// raidsDigest leaves out how far a rebuild is.
func raidsDigest(raids []spdk.Raid) uint64 {
	var h maphash.Hash
	h.SetSeed(beatSeed)
	for _, r := range raids {
		fmt.Fprintf(&h, "%q %s", r.Name, r.State)
		if r.Process != nil {
			fmt.Fprintf(&h, " fills %q", r.Process.Target)
		}
		for _, b := range r.Bases {
			fmt.Fprintf(&h, " %q %q %v", b.Name, b.UUID, b.Configured)
		}
		h.WriteByte('\n')
	}
	return h.Sum64()
}
