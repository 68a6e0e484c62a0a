package sim

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

func init() {
	register(
		reads("nvmf_subsystem_get_controllers", (*process).getConnected).refusing(errInvalidParams),
		reads("nvmf_subsystem_get_qpairs", (*process).getQPairs).refusing(errInvalidParams),
	)
}

// queues are those of an initiator: the one for admin commands. Those for I/O,
// which it connects when something opens a namespace, only hosts outside of the
// simulation have.
func queues(i initiator) int {
	if o, ok := i.(*outsider); ok {
		return 1 + o.session.Queues()
	}
	return 1
}

// getConnected lists who is connected to a subsystem.
func (p *process) getConnected(q *subsystemQuery) (any, error) {
	s, err := p.subsystem(*q)
	if err != nil {
		return nil, err
	}
	out := []byte{'['}
	for _, i := range s.byID() {
		out = number(append(item(out), '{'), "cntlid", uint64(i.number()))
		if p.build().recent {
			out = text(out, "cntrltype", "io")
		}
		out = text(out, "hostnqn", i.host())
		out = text(out, "hostid", hostID(i.host()))
		out = append(number(out, "num_io_qpairs", uint64(queues(i))), '}')
	}
	return json.RawMessage(append(out, ']')), nil
}

// getQPairs lists the connections of a subsystem. All hosts are on one machine.
func (p *process) getQPairs(q *subsystemQuery) (any, error) {
	s, err := p.subsystem(*q)
	if err != nil {
		return nil, err
	}
	out := []byte{'['}
	for _, i := range s.byID() {
		for n := range queues(i) {
			out = number(append(item(out), '{'), "cntlid", uint64(i.number()))
			out = number(out, "qid", uint64(n))
			out = text(out, "state", "enabled")
			out = text(out, "thread", "nvmf_tgt_poll_group_000")
			out = text(out, "hostnqn", i.host())
			out = i.via().addr.dump(key(out, "listen_address"))
			peer := address{Type: "TCP", Family: "IPv4", Address: "127.0.0.1", Service: strconv.Itoa(32768 + int(i.number()) + n)}
			out = append(peer.dump(key(out, "peer_address")), '}')
		}
	}
	return json.RawMessage(append(out, ']')), nil
}

// byID are the initiators that are connected, in the order of their numbers.
func (s *subsystem) byID() []initiator {
	all := slices.Clone(s.conns)
	slices.SortFunc(all, func(a, b initiator) int { return int(a.number()) - int(b.number()) })
	return all
}

// hostID is by what a host calls itself beside its NQN.
func hostID(nqn string) string {
	b := sha256.Sum256([]byte(nqn))
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
