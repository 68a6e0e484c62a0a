package plan

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/state"
)

// projectSubsystem applies the effect of an op on an NVMe-oF subsystem.
func (w *world) projectSubsystem(n *state.Node, op Op) error {
	find := func(nqn lineage.NQN) (*state.Subsystem, error) {
		if sub := n.Subsystems[nqn]; sub != nil {
			return sub, nil
		}
		return nil, fmt.Errorf("%T: no subsystem %s on %s", op, nqn, n.Name)
	}
	switch op := op.(type) {
	case HostAllow:
		sub, err := find(op.NQN)
		if err != nil {
			return err
		}
		if i, found := slices.BinarySearch(sub.Hosts, op.Host); !found {
			sub.Hosts = slices.Insert(sub.Hosts, i, op.Host)
		}
	case HostRefuse:
		sub, err := find(op.NQN)
		if err != nil {
			return err
		}
		sub.Hosts = slices.DeleteFunc(sub.Hosts, func(h lineage.NQN) bool { return h == op.Host })
	case AnyHost:
		sub, err := find(op.NQN)
		if err != nil {
			return err
		}
		sub.AnyHost = op.Allow
	case ListenerAdd:
		sub, err := find(op.NQN)
		if err != nil {
			return err
		}
		sub.Listeners = append(sub.Listeners, state.Listener{Address: op.Address, Port: op.Port})
	case ListenerRemove:
		sub, err := find(op.NQN)
		if err != nil {
			return err
		}
		sub.Listeners = slices.DeleteFunc(sub.Listeners, func(l state.Listener) bool { return l.Address == op.Address && l.Port == op.Port })
	case NamespaceAdd:
		sub, err := find(op.NQN)
		if err != nil {
			return err
		}
		if sub.Namespaces[op.NSID] != nil {
			return fmt.Errorf("%s on %s has a namespace %d already", op.NQN, n.Name, op.NSID)
		}
		ns := &state.Namespace{NSID: op.NSID, Bdev: op.Bdev, UUID: op.UUID, NGUID: op.UUID.NGUID(), ANAGroup: op.NSID}
		sub.Namespaces[op.NSID] = ns
		w.addRemote(n, sub, ns)
	case NamespaceRemove:
		sub, err := find(op.NQN)
		if err != nil {
			return err
		}
		delete(sub.Namespaces, op.NSID)
		w.dropRemote(op.NQN, op.NSID)
	case Drain:
		sub, err := find(op.NQN)
		if err != nil {
			return err
		}
		if sub.Namespaces[op.NSID] == nil {
			return fmt.Errorf("%s on %s has no namespace %d", op.NQN, n.Name, op.NSID)
		}
	case Pause:
		return setPaused(n, op.NQN, op.Address, op.Port, true)
	case Resume:
		return setPaused(n, op.NQN, op.Address, op.Port, false)
	}
	return nil
}

func setPaused(n *state.Node, nqn lineage.NQN, address, port string, paused bool) error {
	if sub := n.Subsystems[nqn]; sub != nil {
		for i, l := range sub.Listeners {
			if l.Address == address && l.Port == port {
				sub.Listeners[i].Paused = paused
				return nil
			}
		}
	}
	return fmt.Errorf("%s on %s does not listen on %s:%s", nqn, n.Name, address, port)
}
