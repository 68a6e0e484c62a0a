package schema

import (
	"cuelang.org/go/cue"

	"strata/lineage"
)

const defaultPort = 4420 // IANA's for NVMe-oF

var defaultRebuild = Rebuild{Parallel: 2}

// nodes reads the nodes into cfg.
func (s *spot) nodes(cfg *Config, rel *relations) {
	nodes := s.each("node", `{n1: {rpc: "unix:///var/tmp/spdk.sock", address: "10.0.0.1"}}`)
	for _, f := range nodes {
		before := len(f.doc.problems)
		n, o := f.node(cfg.Cluster, rel)
		cfg.Nodes = append(cfg.Nodes, n)
		rel.node(n, o, len(f.doc.problems) == before && f.value.Err() == nil)
	}
	rel.replaced(cfg, nodes)
}

func (s *spot) node(cluster lineage.Cluster, rel *relations) (*Node, object) {
	n := &Node{Name: lineage.Node(s.name), Port: defaultPort, Rebuild: defaultRebuild, Pos: s.pos()}
	o, ok := s.object("a struct with rpc and address")
	if !ok {
		return n, o
	}
	o.only(nodeFields)
	n.RPC = o.required("rpc", `"unix:///var/tmp/spdk.sock"`).rpc()
	n.HTTP = o.field("http").http(n.RPC)
	n.SSH = o.field("ssh").ssh(n.RPC)
	n.Addresses = o.required("address", `"10.0.0.1"`).addresses()
	if port, ok := o.field("port").integer("a port from 1 to 65535", 1, 65535); ok {
		n.Port = int(port)
	}
	if port, ok := o.field("tlsPort").integer("a port from 1 to 65535", 1, 65535); ok {
		n.TLSPort = int(port)
	}
	n.Labels = o.field("labels").labels()
	pools := o.field("pools").each("pool", `{fast: {aio: "/dev/nvme1n1"}}`)
	for _, f := range pools {
		n.Pools = append(n.Pools, f.pool(cluster))
	}
	rel.replacedPools(n, pools)
	o.field("rebuild").rebuild(&n.Rebuild)
	o.field("maintenance").maintenance(n)
	n.Fence = o.field("fence").fence()
	old, _ := o.field("replaces").ownName("node")
	n.Replaces = lineage.Node(old)
	return n, o
}

// Address is the first of its addresses.
func (n *Node) Address() string {
	if len(n.Addresses) == 0 {
		return ""
	}
	return n.Addresses[0]
}

const maxAddresses = 8

// addresses reads where a node is reached: one address, or a list of them.
func (s *spot) addresses() (all []string) {
	const want = `an IP address such as "10.0.0.1"`
	if s == nil || !s.resolve() {
		return nil
	}
	if s.value.Kind() != cue.ListKind {
		if a, ok := s.matching(want, validAddress); ok {
			all = []string{a}
		}
		return all
	}
	elems, ok := s.list(want)
	at := map[string]bool{}
	for i, f := range elems {
		a, ok := f.matching(want, validAddress)
		switch {
		case !ok:
		case at[sameAddress(a)]:
			f.wrong("", "is an address of the node already")
		case i == maxAddresses:
			f.wrong("", "is more than the %d addresses that a node may have", maxAddresses)
		default:
			at[sameAddress(a)] = true
			all = append(all, a)
		}
	}
	if ok && len(elems) == 0 {
		s.wrong("", "must be %s, or a list of them", want)
	}
	return all
}

// rebuild reads the limits that are given.
func (s *spot) rebuild(r *Rebuild) {
	if s == nil {
		return
	}
	o, ok := s.object("a struct such as {parallel: 1, bandwidth: 200Mi}")
	if !ok {
		return
	}
	o.only(rebuildFields)
	if n, ok := o.field("parallel").integer("a number of replicas from 1 to 99", 1, maxParallel); ok {
		r.Parallel = int(n)
	}
	o.field("bandwidth").limit(&r.Bandwidth, "bytes a second from 1Mi to 1Pi", minBandwidth, maxSize)
}

// limit reads a number of something that is bounded; 0 is no limit.
func (s *spot) limit(field *int64, of string, low, high int64) {
	want := "a number of " + of + ", or 0 for no limit"
	switch n, ok := s.number(want, 0, high); {
	case ok && n > 0 && n < low:
		s.wrong("", "must be %s, not %d", want, n)
	case ok:
		*field = n
	}
}
