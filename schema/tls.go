package schema

import (
	"slices"

	"strata/amount"
	"strata/lineage"
)

// TLS reports whether hosts come by TLS: all of them, at the tlsPort of nodes, and in no other way.
func (e *Export) TLS() bool {
	return slices.ContainsFunc(e.Hosts, func(h lineage.NQN) bool { return !e.Keys[h].PSK.IsZero() })
}

// tls checks that all hosts of a volume have a key of TLS, or none, and that every node can let
// them in: one that comes without would have to be let in by a listener that encrypts nothing,
// by which all others might come, too.
func (r *relations) tls(v *Volume, o object) {
	if !v.Export.TLS() {
		return
	}
	at := o.field("export").placement().field("nvmf").placement().field("hosts")
	var without []string
	for _, h := range v.Export.Hosts {
		if v.Export.Keys[h].PSK.IsZero() {
			without = append(without, string(h))
		}
	}
	if len(without) > 0 {
		at.wrong("a listener that lets one in without TLS lets in all: give every host a psk, or none", "has hosts with a psk, and %s without", amount.List(without))
	}
	if r.broken {
		return
	}
	without = nil
	for _, n := range r.nodes {
		if n.TLSPort == 0 {
			without = append(without, string(n.Name))
		}
	}
	if slices.Sort(without); len(without) > 0 {
		at.wrong("say nodes: [string]: tlsPort: 4421", "has hosts with a psk, which come to a port of their own, and there is no tlsPort of %s", amount.List(without))
	}
}

// ports are those at which a node listens.
func (n *Node) ports() []int {
	if n.TLSPort == 0 {
		return []int{n.Port}
	}
	return []int{n.Port, n.TLSPort}
}
