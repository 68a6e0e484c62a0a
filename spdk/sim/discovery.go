package sim

import (
	"slices"
	"strings"
)

func init() {
	register(
		writes("nvmf_discovery_add_referral", (*process).addReferral).refusing(errInvalidParams),
		reads("nvmf_discovery_get_referrals", (*process).getReferrals).refusing(errInvalidParams),
	)
}

// referral is where hosts that look for subsystems are told to look as well.
type referral struct {
	Address address `json:"address"`
	Secure  bool    `json:"secure_channel"`
	NQN     string  `json:"subnqn"`
}

// addReferral takes one that is there for done.
func (p *process) addReferral(q *struct {
	target
	referral
}) (any, error) {
	r := q.referral
	if r.NQN == "" {
		r.NQN = discoveryNQN
	}
	if r.Address.Family == "" {
		r.Address.Family = "IPv4"
	}
	switch {
	case q.missing():
		return nil, errNoTarget
	case !strings.EqualFold(r.Address.Type, "TCP"), r.Address.Service == "":
		return nil, errInvalidParams
	}
	r.Address.Type = strings.ToUpper(r.Address.Type)
	if !slices.Contains(p.referrals, r) {
		p.referrals = append([]referral{r}, p.referrals...)
	}
	return true, nil
}

func (p *process) getReferrals(*target) (any, error) {
	return append([]referral{}, p.referrals...), nil
}

// discoveryText is the discovery subsystem, as it is listed.
func (p *process) discoveryText() []byte {
	b := []byte(`{"nqn":"` + discoveryNQN + `","subtype":"Discovery","listen_addresses":[`)
	for _, l := range p.discovery {
		b = l.addr.dump(item(b))
	}
	return append(b, `],"allow_any_host":true,"hosts":[]}`...)
}

// listenDiscovery has hosts that look for subsystems answered at an address. They are at those of
// all other subsystems, too.
func (p *process) listenDiscovery(q *listenerQuery) (any, error) {
	a, ok := q.full()
	l := &listener{addr: a, all: "optimized", states: map[uint32]string{}}
	if !ok || !p.listensOver(a.Type) || a.Service == "" || slices.ContainsFunc(p.discovery, func(l *listener) bool { return l.addr.same(a) }) || !p.listen(l) {
		return nil, errInvalidParams
	}
	p.discovery = append([]*listener{l}, p.discovery...)
	return true, nil
}

// discover is the log of subsystems that a host gets by an address: those that it is let in to,
// wherever they listen.
func (p *process) discover(host string) (found []string) {
	for nqn, s := range p.subsystems {
		if !s.lists(host) {
			continue
		}
		for _, l := range s.listeners {
			found = append(found, nqn+" "+l.addr.key())
		}
	}
	slices.Sort(found)
	return found
}

// Discover is what the host finds by looking at an address, and at all that it is referred to
// from there: subsystems, each with where it listens.
func (h *Host) Discover(addr, port string) ([]string, error) {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	var found []string
	seen := map[string]bool{}
	next := []string{fabricAddress(addr, port)}
	for i := 0; i < len(next); i++ {
		q := h.c.fabric[next[i]]
		switch {
		case seen[next[i]]:
		case q == nil || q.stuck():
			if i == 0 {
				return nil, ErrRefused
			}
		default:
			found = append(found, q.discover(h.nqn)...)
			for _, r := range q.referrals {
				next = append(next, r.Address.key())
			}
		}
		seen[next[i]] = true
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}
