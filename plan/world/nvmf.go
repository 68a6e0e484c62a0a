package world

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// projectSubsystem applies the effect of an op on an NVMe-oF subsystem.
func (w *World) projectSubsystem(n *state.Node, op plan.Op) error {
	find := func(nqn lineage.NQN) (*state.Subsystem, error) {
		if sub := n.Subsystems[nqn]; sub != nil {
			return sub, nil
		}
		return nil, fmt.Errorf("%T: no subsystem %s on %s", op, nqn, n.Name)
	}
	letsIn := func(nqn, host lineage.NQN) (*state.Subsystem, error) {
		sub, err := find(nqn)
		if err == nil && !slices.Contains(sub.Hosts, host) {
			err = fmt.Errorf("%s on %s does not let %s in", nqn, n.Name, host)
		}
		return sub, err
	}
	switch op := op.(type) {
	case plan.HostAllow:
		sub, err := find(op.NQN)
		if err != nil {
			return err
		}
		if i, found := slices.BinarySearch(sub.Hosts, op.Host); !found {
			sub.Hosts = slices.Insert(sub.Hosts, i, op.Host)
		}
		sub.SetKeys(op.Host, op.Keys)
	case plan.HostExchange:
		sub, err := letsIn(op.NQN, op.Host)
		if err != nil {
			return err
		}
		sub.SetKeys(op.Host, op.Keys)
	case plan.HostKeysSet:
		sub, err := letsIn(op.NQN, op.Host)
		if err != nil {
			return err
		}
		keys := op.Keys
		keys.PSK = sub.Keys[op.Host].PSK
		sub.SetKeys(op.Host, keys)
	case plan.HostRefuse:
		sub, err := find(op.NQN)
		if err != nil {
			return err
		}
		sub.Hosts = slices.DeleteFunc(sub.Hosts, func(h lineage.NQN) bool { return h == op.Host })
		sub.SetKeys(op.Host, lineage.HostKeys{})
	case plan.Fence:
		sub, err := find(op.NQN)
		if err != nil {
			return err
		}
		gone := func(h lineage.NQN) bool { return h == op.Host }
		sub.Hosts = slices.DeleteFunc(sub.Hosts, gone)
		if e := sub.Evidence; e != nil {
			sub.Evidence = &state.Evidence{Connected: slices.DeleteFunc(slices.Clone(e.Connected), gone), Failed: e.Failed}
			break
		}
		sub.Evidence = &state.Evidence{} // who is connected is asked then, and not what has failed
		for _, ns := range sub.Namespaces {
			sub.Evidence.Failed = append(sub.Evidence.Failed, ns.Bdev)
		}
		slices.Sort(sub.Evidence.Failed)
	case plan.AnyHost:
		sub, err := find(op.NQN)
		if err != nil {
			return err
		}
		sub.AnyHost = op.Allow
	case plan.ListenerAdd:
		sub, err := find(op.NQN)
		if err != nil {
			return err
		}
		sub.Listeners = append(sub.Listeners, state.Listener{Address: op.Address, Port: op.Port, Paused: op.Standby, TLS: op.TLS, RDMA: op.RDMA})
	case plan.ListenerRemove:
		sub, err := find(op.NQN)
		if err != nil {
			return err
		}
		sub.Listeners = slices.DeleteFunc(sub.Listeners, func(l state.Listener) bool { return l.Portal() == op.Portal() })
	case plan.NamespaceAdd:
		sub, err := find(op.NQN)
		if err != nil {
			return err
		}
		if sub.Namespaces[op.NSID] != nil {
			return fmt.Errorf("%s on %s has a namespace %d already", op.NQN, n.Name, op.NSID)
		}
		ns := &state.Namespace{NSID: op.NSID, Bdev: op.Bdev, UUID: op.UUID, NGUID: op.UUID.NGUID(), ANAGroup: op.NSID}
		sub.Namespaces[op.NSID] = ns
		w.index(n).show(state.Shown{Bdev: op.Bdev, NQN: op.NQN, NSID: op.NSID, Ublk: -1})
		w.addRemote(n, sub, ns)
	case plan.NamespaceRemove:
		if _, err := find(op.NQN); err != nil {
			return err
		}
		w.removeNamespace(n, op.NQN, op.NSID)
	case plan.Drain:
		sub, err := find(op.NQN)
		if err != nil {
			return err
		}
		if sub.Namespaces[op.NSID] == nil {
			return fmt.Errorf("%s on %s has no namespace %d", op.NQN, n.Name, op.NSID)
		}
	case plan.Pause:
		return setPaused(n, op.NQN, op.Portals, true)
	case plan.Resume:
		return setPaused(n, op.NQN, op.Portals, false)
	default:
		return unknown(op)
	}
	return nil
}

func setPaused(n *state.Node, nqn lineage.NQN, portals []lineage.Portal, paused bool) error {
	sub := n.Subsystems[nqn]
	if sub == nil || len(portals) == 0 {
		return fmt.Errorf("%s on %s does not listen anywhere", nqn, n.Name)
	}
	for _, p := range portals {
		i := slices.IndexFunc(sub.Listeners, func(l state.Listener) bool { return l.Portal() == p })
		if i < 0 {
			return fmt.Errorf("%s on %s does not listen on %s", nqn, n.Name, p)
		}
		sub.Listeners[i].Paused = paused
	}
	return nil
}
