package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
	"strata/state"
)

// Export is a way by which hosts reach the volume.
type Export struct {
	Node    lineage.Node `json:"node"`
	Kind    string       `json:"kind"`
	Where   string       `json:"where"`             // NQN, or device path
	Paused  bool         `json:"paused,omitempty"`  // hosts' I/O is held
	Connect string       `json:"connect,omitempty"` // what a Linux host types
	// ConnectAlso is what it types besides, where the node has several addresses.
	ConnectAlso []string `json:"connectAlso,omitempty"`
	// Path is what kind of path it is where a volume has several: Optimized, Standby or Former.
	Path string `json:"path,omitempty"`
	// Hosts are those that are connected; nil where nobody was asked, or could tell.
	Hosts []Host `json:"hosts,omitzero"`
}

// The kinds of paths.
const (
	Optimized = "optimized" // it leads to the disk
	Standby   = "standby"   // it leads to no disk until the engine is there
	Former    = "former"    // what it leads to is old: another engine has taken over
)

// exports are the ways by which hosts reach an incarnation: those that lead to what its
// engine serves, and standby paths after them.
func exports(verdict state.Verdict, inc *state.Incarnation) (all []Export) {
	for _, e := range inc.Exports {
		path := export(e)
		switch {
		case verdict.Engine == "":
		case e.Node != verdict.Engine:
			path.Path, path.Connect, path.ConnectAlso = Former, "", nil // it is offered to nobody
		case len(inc.Standbys) > 0:
			path.Path = Optimized
		}
		all = append(all, path)
	}
	for _, e := range inc.Standbys {
		path := export(e)
		path.Path, path.Paused = Standby, false
		all = append(all, path)
	}
	return all
}

func export(e state.Exported) Export {
	switch {
	case e.Subsystem != nil:
		out := Export{Node: e.Node, Kind: "nvmf", Where: string(e.Subsystem.NQN)}
		// A target lists them in an order of its own.
		for _, l := range slices.SortedFunc(slices.Values(e.Subsystem.Listeners), func(a, b state.Listener) int {
			return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.Port, b.Port))
		}) {
			out.Paused = out.Paused || l.Paused
			line := fmt.Sprintf("nvme connect -t %s -a %s -s %s -n %s --ctrl-loss-tmo=-1", strings.ToLower(lineage.Transport(l.RDMA)), l.Address, l.Port, e.Subsystem.NQN)
			if l.TLS {
				line += " --tls"
			}
			if out.Connect == "" {
				out.Connect = line
			} else {
				out.ConnectAlso = append(out.ConnectAlso, line)
			}
		}
		return out
	case e.NBD != "":
		return Export{Node: e.Node, Kind: "nbd", Where: e.NBD}
	}
	return Export{Node: e.Node, Kind: "ublk", Where: fmt.Sprintf("/dev/ublkb%d", e.Ublk)}
}
