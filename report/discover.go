package report

import (
	"fmt"
	"slices"
	"strconv"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// discover is how a Linux host looks for volumes: by the first address, in the order of the
// configuration, at which a node answers it.
func discover(cfg *schema.Config, snap *state.Snapshot) string {
	if !cfg.Discovery {
		return ""
	}
	for _, n := range cfg.Nodes {
		at := snap.Nodes[n.Name]
		if at == nil || at.Unknown != "" {
			continue
		}
		for _, a := range n.Addresses {
			if port := strconv.Itoa(n.Port); slices.Contains(at.Discovery.Listeners, lineage.Portal{Address: a, Port: port}) {
				return fmt.Sprintf("nvme discover -t tcp -a %s -s %s", a, port)
			}
		}
	}
	return ""
}
