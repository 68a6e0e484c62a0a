package sim

import (
	"encoding/hex"
	"encoding/json"
	"strings"
)

func init() {
	register(
		writes("nvmf_subsystem_add_ns", (*process).addNamespace).refusing(errInvalidParams).passing(),
		writes("nvmf_subsystem_remove_ns", (*process).removeNamespace).refusing(errInvalidParams),
		writes("nvmf_subsystem_set_ns_ana_group", (*process).setGroup).refusing(errInvalidParams),
		writes("nvmf_subsystem_add_listener", (*process).addListener).refusing(errInvalidParams).passing(),
		writes("nvmf_subsystem_remove_listener", (*process).removeListener).refusing(errInvalidParams),
		reads("nvmf_subsystem_get_listeners", (*process).getListeners).refusing(errInvalidParams),
		writes("nvmf_subsystem_listener_set_ana_state", (*process).setANAState).refusing(errInvalidParams),
	)
}

type newNamespace struct {
	ID    uint32 `json:"nsid"`
	Bdev  string `json:"bdev_name"`
	NGUID string `json:"nguid"`
	UUID  string `json:"uuid"`
	Group uint32 `json:"anagrpid"`
}

func (p *process) addNamespace(q *struct {
	subsystemQuery
	Namespace newNamespace `json:"namespace"`
}) (any, error) {
	s, err := p.subsystem(q.subsystemQuery)
	if err != nil {
		return nil, err
	}
	ns := &q.Namespace
	if raw, err := hex.DecodeString(ns.NGUID); err != nil || len(raw) != 0 && len(raw) != 16 {
		return nil, errInvalidParams
	}
	return s.paused(nil, func() (any, error) { return s.add(ns) })
}

func (s *subsystem) add(ns *newNamespace) (any, error) {
	if ns.ID == 0 {
		for ns.ID = 1; s.spaces[ns.ID] != nil; {
			ns.ID++
		}
	}
	if ns.Group == 0 {
		ns.Group = ns.ID
	}
	b := s.p.bdevs.find(ns.Bdev)
	if ns.ID > s.maxNS || ns.Group > s.maxNS || s.spaces[ns.ID] != nil || b == nil {
		return nil, errInvalidParams
	}
	n := &namespace{sub: s, id: ns.ID, bdev: b, uuid: strings.ToLower(ns.UUID), nguid: strings.ToUpper(ns.NGUID), group: ns.Group}
	if b.open(n, true, claimExclusive) != nil {
		return nil, errInvalidParams
	}
	if n.uuid == "" || n.uuid == nilUUID {
		n.uuid = b.uuid
	}
	if strings.Trim(n.nguid, "0") == "" {
		n.nguid = strings.ToUpper(strings.ReplaceAll(b.uuid, "-", ""))
	}
	s.spaces[n.id] = n
	s.notify(n.id)
	return n.id, nil
}

// drained runs f once nothing is outstanding in the namespace, as pausing it does.
func (s *subsystem) drained(id uint32, f func() (any, error)) (any, error) {
	return s.paused(func() bool { n := s.spaces[id]; return n == nil || n.outstanding == 0 }, f)
}

// idle reports whether nothing is outstanding in any namespace.
func (s *subsystem) idle() bool {
	for _, n := range s.spaces {
		if n.outstanding > 0 {
			return false
		}
	}
	return true
}

type namespaceQuery struct {
	subsystemQuery
	ID uint32 `json:"nsid"`
}

func (p *process) removeNamespace(q *namespaceQuery) (any, error) {
	s, err := p.subsystem(q.subsystemQuery)
	if err != nil {
		return nil, err
	}
	if s.leaving {
		return nil, &later{ready: s.idle, done: func(bool) (any, error) {
			return p.crash()
		}}
	}
	return s.drained(q.ID, func() (any, error) {
		n := s.spaces[q.ID]
		if n == nil {
			return nil, errInvalidParams
		}
		s.remove(n)
		return true, nil
	})
}

func (p *process) setGroup(q *struct {
	namespaceQuery
	Group uint32 `json:"anagrpid"`
}) (any, error) {
	s, err := p.subsystem(q.subsystemQuery)
	if err != nil {
		return nil, err
	}
	group := func() (any, error) {
		n := s.spaces[q.ID]
		if n == nil || q.Group == 0 || q.Group > s.maxNS {
			return nil, errInvalidParams
		}
		n.group = q.Group
		s.notify(n.id)
		s.restated(nil)
		return true, nil
	}
	if s.leaving && len(s.conns) == 0 {
		return s.paused(nil, group)
	}
	return s.drained(q.ID, group)
}

type listenerQuery struct {
	subsystemQuery
	Address address `json:"listen_address"`
}

// full fills in what an address may leave out.
func (q *listenerQuery) full() (address, bool) {
	a := q.Address
	if a.Family == "" {
		a.Family = "IPv4"
	}
	return a, fabrics[strings.ToUpper(a.Type)]
}

func (p *process) addListener(q *struct {
	listenerQuery
	State  string `json:"ana_state"`
	Secure bool   `json:"secure_channel"`
}) (any, error) {
	if q.NQN == discoveryNQN {
		return p.listenDiscovery(&q.listenerQuery)
	}
	s, err := p.subsystem(q.subsystemQuery)
	if err != nil {
		return nil, err
	}
	a, ok := q.full()
	if !ok || !p.listensOver(a.Type) || a.Service == "" {
		return nil, errInvalidParams
	}
	if q.Secure && s.anyHost {
		return nil, &Error{codeInternal, "Cannot establish secure channel, when 'allow_any_host' is set"}
	}
	if q.State == "" {
		q.State = "optimized"
	}
	return s.paused(nil, func() (any, error) {
		l := &listener{addr: a, all: q.State, secure: q.Secure, states: map[uint32]string{}}
		if s.listener(a) != nil || !p.listen(l) {
			return nil, errInvalidParams
		}
		s.listeners = append([]*listener{l}, s.listeners...)
		return true, nil
	})
}

func (p *process) removeListener(q *listenerQuery) (any, error) {
	s, err := p.subsystem(q.subsystemQuery)
	if err != nil {
		return nil, err
	}
	a, _ := q.full()
	return s.paused(nil, func() (any, error) {
		for i, l := range s.listeners {
			if l.addr.same(a) {
				if l.news > 0 {
					// SPDK frees it, and goes on telling of its state.
					return p.crash()
				}
				s.listeners = append(s.listeners[:i:i], s.listeners[i+1:]...)
				p.unlisten(l)
				s.drop(func(i initiator) bool { return i.via() == l })
				if s.leaving = p.build().listenersWait && !s.idle(); s.leaving {
					return nil, &later{ready: s.idle, done: func(bool) (any, error) { s.leaving = false; return true, nil }}
				}
				return true, nil
			}
		}
		return nil, errInvalidParams
	})
}

func (p *process) getListeners(q *subsystemQuery) (any, error) {
	s, err := p.subsystem(*q)
	if err != nil {
		return nil, err
	}
	out := []byte{'['}
	for _, l := range s.listeners {
		out = l.addr.dump(key(append(item(out), '{'), "address"))
		if s.ana {
			out = append(key(out, "ana_states"), '[')
			for g := uint32(1); g <= s.maxNS; g++ {
				out = number(append(item(out), '{'), "ana_group", uint64(g))
				out = append(text(out, "ana_state", l.state(g)), '}')
			}
			out = append(out, ']')
		}
		out = append(out, '}')
	}
	return json.RawMessage(append(out, ']')), nil
}

func (p *process) setANAState(q *struct {
	listenerQuery
	State string `json:"ana_state"`
	Group uint32 `json:"anagrpid"`
}) (any, error) {
	if q.missing() {
		return nil, errNoTarget
	}
	s := p.subsystems[q.NQN]
	if s == nil {
		return nil, &Error{codeInvalidParams, "Unable to find subsystem with NQN " + q.NQN}
	}
	return s.paused(nil, func() (any, error) {
		a, _ := q.full()
		l := s.listener(a)
		if !s.ana || q.Group > s.maxNS || l == nil {
			return nil, &Error{codeInternal, "error setting ANA state: -22"}
		}
		if q.Group == 0 {
			l.all = q.State
			clear(l.states)
		} else {
			l.states[q.Group] = q.State
		}
		s.restated(l)
		if tick := p.t.c.opts.Tick; tick > 0 {
			l.news++ // until who asked has the answer
			p.after(tick/2, func() { l.news-- })
		}
		return true, nil
	})
}
