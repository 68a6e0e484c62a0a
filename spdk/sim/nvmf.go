package sim

import (
	"regexp"
	"slices"
	"strings"
)

const discoveryNQN = "nqn.2014-08.org.nvmexpress.discovery"

// subsystem is what hosts connect to.
type subsystem struct {
	p         *process
	nqn       string
	serial    string
	model     string
	maxNS     uint32
	anyHost   bool
	hosts     []string // newest first
	keys      map[string]hostKeys
	psks      map[string]preshared
	ana       bool
	listeners []*listener // newest first
	spaces    map[uint32]*namespace
	minID     uint16
	maxID     uint16
	nextID    uint16 // the last that was given
	conns     []initiator
	queued    int // calls that pause it, and how many of them have been done
	done      int
	leaving   bool // a listener goes once nothing is outstanding
}

// initiator is the other end of a connection to a subsystem.
type initiator interface {
	// changed tells that a namespace came, went, or was resized.
	changed(nsid uint32)
	// reset ends the connection; the initiator may try again.
	reset()
	// via is the listener connected to, host the NQN of the initiator, number
	// the controller that the subsystem has for it.
	via() *listener
	host() string
	number() uint16
}

type listener struct {
	addr   address
	states map[uint32]string // by ANA group, optimized if not there
	all    string            // of every group
	secure bool              // as it was made, not as it is
	news   int               // states that not all of the target knows yet
}

type address struct {
	Type    string `json:"trtype"`
	Family  string `json:"adrfam"`
	Address string `json:"traddr"`
	Service string `json:"trsvcid"`
}

// key is where the fabric has it: what is of RDMA is elsewhere than what is of TCP.
func (a address) key() string {
	if strings.EqualFold(a.Type, "RDMA") {
		return overRDMA + a.Address + ":" + a.Service
	}
	return a.Address + ":" + a.Service
}

const overRDMA = "rdma:"

func (a address) same(b address) bool {
	return strings.EqualFold(a.Type, b.Type) && strings.EqualFold(a.Family, b.Family) &&
		a.Address == b.Address && a.Service == b.Service
}

func (l *listener) state(group uint32) string {
	if s := l.states[group]; s != "" {
		return s
	}
	return l.all
}

// namespace is a bdev as a subsystem offers it.
type namespace struct {
	sub         *subsystem
	id          uint32
	bdev        *bdev
	uuid, nguid string
	group       uint32
	outstanding int
}

var (
	nqnForm     = regexp.MustCompile(`^nqn\.\d{4}-\d{2}\.[A-Za-z](-*[A-Za-z0-9])*(\.[A-Za-z](-*[A-Za-z0-9])*)*:.`)
	nqnUUIDForm = regexp.MustCompile(`^nqn\.2014-08\.org\.nvmexpress:uuid:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

func validNQN(n string) bool {
	if len(n) < 11 || len(n) > 223 {
		return false
	}
	if strings.HasPrefix(n, "nqn.2014-08.org.nvmexpress:uuid:") {
		return nqnUUIDForm.MatchString(n)
	}
	return n == discoveryNQN || nqnForm.MatchString(n)
}

func (s *subsystem) listener(a address) *listener {
	for _, l := range s.listeners {
		if l.addr.same(a) {
			return l
		}
	}
	return nil
}

// connect admits an initiator by the listener at an address, with the keys that it has.
func (s *subsystem) connect(host, at string, has offered) (*listener, uint16, bool) {
	if !s.lists(host) || !s.speaks(host, at, has.psk) || !s.admits(host, has) {
		return nil, 0, false
	}
	return s.reach(host, at)
}

func (s *subsystem) lists(host string) bool { return s.anyHost || slices.Contains(s.hosts, host) }

// reach is connect for one that proves later what it is to prove.
func (s *subsystem) reach(host, at string) (*listener, uint16, bool) {
	if !s.lists(host) {
		return nil, 0, false
	}
	for _, l := range s.listeners {
		if l.addr.key() == at {
			return l, s.number(), true
		}
	}
	return nil, 0, false
}

// number is that of the next controller: the next after the last, however many there
// are, which nobody has.
func (s *subsystem) number() uint16 {
	for range int(s.maxID-s.minID) + 1 {
		if s.nextID++; s.nextID > s.maxID || s.nextID < s.minID {
			s.nextID = s.minID
		}
		if !slices.ContainsFunc(s.conns, func(i initiator) bool { return i.number() == s.nextID }) {
			break
		}
	}
	return s.nextID
}

func (s *subsystem) disconnect(i initiator) {
	s.conns = slices.DeleteFunc(s.conns, func(x initiator) bool { return x == i })
}

// paused runs f as a call that pauses the subsystem does: after the calls that
// did so before, and once ready holds. A nil ready always does. What such a
// call waits for holds up all that come after it.
func (s *subsystem) paused(ready func() bool, f func() (any, error)) (any, error) {
	turn := s.queued
	s.queued++
	may := func() bool { return s.done == turn && (ready == nil || ready()) }
	run := func() (any, error) {
		s.done++
		if s.p.subsystems[s.nqn] != s {
			return nil, errInternal
		}
		return f()
	}
	if may() {
		return run()
	}
	return nil, &later{ready: may, done: func(bool) (any, error) { return run() }}
}

// drop resets the connections that a condition holds for.
func (s *subsystem) drop(which func(initiator) bool) {
	for _, i := range slices.Clone(s.conns) {
		if which(i) {
			s.disconnect(i)
			i.reset()
		}
	}
}

func (s *subsystem) reset() { s.drop(func(initiator) bool { return true }) }

// notify tells the initiators of a namespace a little later, as events do.
func (s *subsystem) notify(nsid uint32) {
	for _, i := range slices.Clone(s.conns) {
		s.p.soon(2, func() {
			if slices.Contains(s.conns, i) {
				i.changed(nsid)
			}
		})
	}
}

// remove takes a namespace away.
func (s *subsystem) remove(n *namespace) {
	if s.spaces[n.id] != n {
		return
	}
	delete(s.spaces, n.id)
	n.bdev.close(n)
	s.notify(n.id)
}

// close ends a subsystem: its connections, listeners and namespaces.
func (s *subsystem) close() {
	delete(s.p.subsystems, s.nqn)
	s.reset()
	for _, l := range s.listeners {
		s.p.unlisten(l)
	}
	s.listeners = nil
	for _, n := range s.spaces {
		delete(s.spaces, n.id)
		n.bdev.close(n)
	}
}

// gone of the bdev takes the namespace away under its users.
func (n *namespace) gone(*bdev) bool {
	delete(n.sub.spaces, n.id)
	n.sub.notify(n.id)
	return true
}

func (n *namespace) resized(*bdev) { n.sub.notify(n.id) }

// listen takes an address of the fabric; false if another target has it.
func (p *process) listen(l *listener) bool {
	k := l.addr.key()
	if q := p.t.c.fabric[k]; q != nil && q != p {
		return false
	}
	if !p.openDoor(k) {
		return false
	}
	p.t.c.fabric[k] = p
	if _, made := p.secure[k]; !made {
		p.secure[k] = l.secure
	}
	return true
}

// unlisten gives an address back that no other subsystem listens on.
func (p *process) unlisten(l *listener) {
	for _, s := range p.subsystems {
		for _, x := range s.listeners {
			if x != l && x.addr.key() == l.addr.key() {
				return
			}
		}
	}
	for _, x := range p.discovery {
		if x != l && x.addr.key() == l.addr.key() {
			return
		}
	}
	delete(p.t.c.fabric, l.addr.key())
	delete(p.secure, l.addr.key())
	p.shutDoor(l.addr.key())
}
