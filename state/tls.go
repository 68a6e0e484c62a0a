package state

import (
	"context"
	"errors"
	"maps"
	"slices"

	"strata/lineage"
	"strata/spdk"
)

// secured is what a target says of TLS. It is asked only where its keyring has keys of hosts: a host
// that comes by TLS has one.
type secured struct {
	psks    map[lineage.NQN]map[lineage.NQN]string // by subsystem and host: names of keys
	secure  map[lineage.NQN]map[lineage.Portal]bool
	plain   map[lineage.Portal]bool // somebody listens there without
	options spdk.SockOptions
}

// readTLS asks for it. What a listener was made with does not tell whether it is of TLS, for all
// that listen at an address share what the first of them has made. So one counts as such only
// where none listens without.
func (a *answers) readTLS(ctx context.Context, c lineage.Cluster, t *spdk.Client, methods spdk.Methods) error {
	hosts := func(k spdk.Key) bool { _, is := c.ParseKey(k.Name); return is }
	if !slices.ContainsFunc(a.keys, hosts) || !methods.Has("framework_get_config") || !methods.Has("sock_impl_get_options") {
		return nil
	}
	var calls []spdk.ConfigCall
	a.tls = secured{psks: map[lineage.NQN]map[lineage.NQN]string{}, secure: map[lineage.NQN]map[lineage.Portal]bool{}, plain: map[lineage.Portal]bool{}}
	if err := ask(ctx, t, spdk.GetNVMfConfig(&calls), spdk.GetSockOptions("ssl", &a.tls.options)); err != nil {
		return err
	}
	listed := map[lineage.NQN]int{} // hosts and listeners
	for _, call := range calls {
		nqn, p := lineage.NQN(call.Params.NQN), portal(call.Params.Address)
		switch call.Method {
		case spdk.ConfigHost:
			listed[nqn]++
			if call.Params.PSK != "" {
				note(a.tls.psks, nqn, lineage.NQN(call.Params.Host), call.Params.PSK)
			}
		case spdk.ConfigListener:
			listed[nqn]++
			if call.Params.Secure {
				note(a.tls.secure, nqn, p, true)
			} else {
				a.tls.plain[p] = true
			}
		}
	}
	for _, s := range a.subsystems {
		if s.Subtype == "NVMe" && len(s.Hosts)+len(s.ListenAddresses) != listed[lineage.NQN(s.NQN)] {
			a.changed = errors.New("the target's hosts or listeners changed while they were read")
		}
	}
	return nil
}

func note[K, L comparable, V any](m map[K]map[L]V, k K, l L, v V) {
	if m[k] == nil {
		m[k] = map[L]V{}
	}
	m[k][l] = v
}

// noteTLS notes it of a subsystem.
func (a *answers) noteTLS(s *Subsystem) {
	for h, psk := range a.tls.psks[s.NQN] {
		k := s.Keys[h]
		k.PSK = psk
		s.SetKeys(h, k)
	}
	for i, l := range s.Listeners {
		s.Listeners[i].TLS = a.tls.secure[s.NQN][l.Portal()] && !a.tls.plain[l.Portal()]
	}
}

// SecretAt is a subsystem that listens at an address of the node by TLS; "" for none.
func (n *Node) SecretAt(p lineage.Portal) lineage.NQN {
	for _, nqn := range slices.Sorted(maps.Keys(n.Subsystems)) {
		if slices.ContainsFunc(n.Subsystems[nqn].Listeners, func(l Listener) bool { return l.Portal() == p && l.TLS }) {
			return nqn
		}
	}
	return ""
}

// PlainAt is a subsystem, but for one, that listens at an address of the node without TLS, or not
// surely with it; "" for none. All that listen there share what the first has made, so none can be of TLS.
func (n *Node) PlainAt(p lineage.Portal, but lineage.NQN) lineage.NQN {
	var all []lineage.NQN
	for nqn, s := range n.Subsystems {
		if nqn != but && slices.ContainsFunc(s.Listeners, func(l Listener) bool { return l.Portal() == p && !l.TLS }) {
			all = append(all, nqn)
		}
	}
	if slices.Contains(n.Discovery.Listeners, p) {
		all = append(all, spdk.DiscoveryNQN)
	}
	if len(all) == 0 {
		return ""
	}
	return slices.Min(all)
}
