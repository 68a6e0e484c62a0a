package schema

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"

	"strata/lineage"
)

// relations checks how nodes, pools and volumes fit together: what schema.cue,
// which looks at one thing at a time, cannot express. A nil *relations checks
// nothing.
type relations struct {
	cfg *Config
	// nodes are those read so far, by name; all of them once volumes come.
	nodes map[lineage.Node]*Node
	// broken: some node could not be read, so what is missing may be there.
	broken     bool
	rpcs       map[string]lineage.Node // by sameRPC
	listeners  map[string]lineage.Node
	devices    map[string]string // volume by device of an engine
	candidates map[string]*candidates
	clones     map[string]object // volumes that have a from, by name
	adopted    map[string]string // volume by node and alias of the lvol that it adopts
	unread     map[string]bool   // volumes that could not be read
	vips       map[string]string // volumes, by the addresses that follow their engines
}

func newRelations(cfg *Config) *relations {
	return &relations{
		cfg:        cfg,
		nodes:      map[lineage.Node]*Node{},
		rpcs:       map[string]lineage.Node{},
		listeners:  map[string]lineage.Node{},
		devices:    map[string]string{},
		candidates: map[string]*candidates{},
		clones:     map[string]object{},
		adopted:    map[string]string{},
		unread:     map[string]bool{},
		vips:       map[string]string{},
	}
}

// node checks a node against those before it. Good tells that it was read
// without a problem.
func (r *relations) node(n *Node, o object, good bool) {
	if r == nil {
		return
	}
	r.nodes[n.Name] = n
	if !good {
		r.broken = true
		return
	}
	rpc := sameRPC(n.RPC)
	if other, taken := r.rpcs[rpc]; taken {
		o.field("rpc").wrong("every node has an spdk_tgt of its own", "is also that of node %s", other)
	} else {
		r.rpcs[rpc] = n.Name
	}
	if n.TLSPort == n.Port {
		o.field("tlsPort").wrong("a target encrypts all that it hears at a port, or nothing", "is its port as well")
	}
	for _, a := range n.Addresses {
		for _, port := range n.ports() {
			at := net.JoinHostPort(sameAddress(a), strconv.Itoa(port))
			if other, taken := r.listeners[at]; taken && other != n.Name {
				o.field("address").wrong("give one of them another address or port", "and port, %s, are also those of node %s", at, other)
			} else {
				r.listeners[at] = n.Name
			}
		}
	}
	r.proves(n, o)
	pools := o.field("pools").each("pool", "")
	for i, p := range n.Pools {
		for _, before := range n.Pools[:i] {
			if p.Path != "" && p.Path == before.Path {
				pools[i].wrong("", "is on the same disk as pool %s, %s", before.Name, p.Path)
			}
			if p.Lvstore == before.Lvstore {
				pools[i].wrong("", "has the same lvstore as pool %s, %q", before.Name, p.Lvstore)
			}
			if p.RenamedFrom != "" && p.RenamedFrom == before.RenamedFrom {
				pools[i].wrong("", "is renamed from %s, as is pool %s", p.RenamedFrom, before.Name)
			}
		}
		if n.Pool(p.RenamedFrom) != nil {
			pools[i].wrong("where two change names, give one a third name first", "is renamed from %s, which is a pool of this node", p.RenamedFrom)
		}
	}
}

// nodeNames are the names of all nodes, sorted.
func (r *relations) nodeNames() []string {
	names := make([]string, 0, len(r.nodes))
	for name := range r.nodes {
		names = append(names, string(name))
	}
	slices.Sort(names)
	return names
}

// poolNames are the names of all nodes' pools, sorted.
func (r *relations) poolNames() []string {
	names := map[string]bool{}
	for _, n := range r.nodes {
		for _, p := range n.Pools {
			names[p.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// labelKeys are the keys of all nodes' labels; labelValues the values of one.
func (r *relations) labelKeys() []string {
	keys := map[string]bool{}
	for _, n := range r.nodes {
		for k := range n.Labels {
			keys[k] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

func (r *relations) labelValues(key string) []string {
	values := map[string]bool{}
	for _, n := range r.nodes {
		if v, ok := n.Labels[key]; ok {
			values[v] = true
		}
	}
	return slices.Sorted(maps.Keys(values))
}

// device is what a volume becomes on its engine, if that is known.
func device(v *Volume) (string, bool) {
	switch {
	case v.Engine == "":
		return "", false
	case v.Export.Kind == ExportUblk:
		return fmt.Sprintf("/dev/ublkb%d", v.Export.UblkID), true
	case v.Export.Kind == ExportNBD:
		return v.Export.NBD, true
	}
	return "", false
}
