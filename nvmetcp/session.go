package nvmetcp

import (
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Session is a host's connection to a controller: an admin queue, and the I/O
// queues that follow it.
type Session struct {
	t       *Target
	ctrl    Controller
	connect connectData
	admin   *queue

	mu      sync.Mutex
	closed  bool
	queues  map[uint16]*queue // I/O queues
	cc      uint32
	kato    time.Duration
	beat    *time.Timer
	alive   atomic.Bool
	aec     uint32
	waiting []uint16 // event requests that are held
	changed []uint32 // namespaces since the host last asked
	lost    bool     // too many to list
	pending []uint32 // events, as they are told, that wait for a request
	masked  map[uint32]bool
	changes uint64 // of ANA states
	// behavior is what the host has said that it supports.
	behavior [behaviorLen]byte
	running  sync.WaitGroup
}

// Host is the NQN of the host, as it says.
func (s *Session) Host() string { return s.connect.hostnqn }

// HostID is the id of the host, as it says.
func (s *Session) HostID() [16]byte { return s.connect.hostid }

// Subsystem is the NQN that the host asked for.
func (s *Session) Subsystem() string { return s.connect.subnqn }

// Local is the address that the host connected to, Remote its own.
func (s *Session) Local() net.Addr { return s.admin.w.nc.LocalAddr() }

// Remote is the address that the host connected from.
func (s *Session) Remote() net.Addr { return s.admin.w.nc.RemoteAddr() }

// Queues is how many I/O queues it has.
func (s *Session) Queues() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queues)
}

// Close disconnects the host. It may connect again.
func (s *Session) Close() {
	s.mu.Lock()
	s.closed = true
	if s.beat != nil {
		s.beat.Stop()
	}
	all := []*queue{s.admin}
	for _, q := range s.queues {
		all = append(all, q)
	}
	s.mu.Unlock()
	for _, q := range all {
		q.close()
	}
}

// maxChanged is how many namespaces the log page of changes lists.
const maxChanged = 1024

// Changed tells the host that namespaces came, went, or have another size.
func (s *Session) Changed(ids ...uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if i, known := slices.BinarySearch(s.changed, id); !known {
			s.changed = slices.Insert(s.changed, i, id)
		}
	}
	if len(s.changed) > maxChanged {
		s.changed, s.lost = nil, true
	}
	s.tell(noticeNamespace)
}

// StateChanged tells the host that ANA states, or groups, are others now.
func (s *Session) StateChanged() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	if s.ctrl.ANA {
		s.tell(noticeANA)
	}
}

// Notices, as they stand in a completion: type, information, log page.
const (
	noticeNamespace = 0x2 | 0x00<<8 | logChanged<<16
	noticeANA       = 0x2 | 0x03<<8 | logANA<<16
)

// wants has the bits by which a host asks for notices.
var wants = map[uint32]uint32{noticeNamespace: 1 << 8, noticeANA: 1 << 11}

// tell completes an event request with a notice, or keeps the notice until there is
// one. After that the host hears no other of the kind until it has read the log page.
func (s *Session) tell(notice uint32) {
	if s.aec&wants[notice] == 0 || s.masked[notice] || slices.Contains(s.pending, notice) {
		return
	}
	s.pending = append(s.pending, notice)
	s.deliver()
}

func (s *Session) deliver() {
	for len(s.pending) > 0 && len(s.waiting) > 0 && !s.closed {
		notice, id := s.pending[0], s.waiting[0]
		s.pending, s.waiting = s.pending[1:], s.waiting[1:]
		if s.masked == nil {
			s.masked = map[uint32]bool{}
		}
		s.masked[notice] = true
		// Not from here: whoever tells of a change must not wait for a host.
		s.running.Add(1)
		go func() {
			defer s.running.Done()
			s.admin.complete(id, 0, uint64(notice))
		}()
	}
}

// unmask lets a notice be told again.
func (s *Session) unmask(notice uint32) { delete(s.masked, notice) }

// maxEvents is how many event requests are held.
const maxEvents = 8

// hold keeps an event request until something happens.
func (s *Session) hold(id uint16) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) >= maxEvents {
		return false
	}
	s.waiting = append(s.waiting, id)
	s.deliver()
	return true
}

// forget lets go of an event request.
func (s *Session) forget(id uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = slices.DeleteFunc(s.waiting, func(x uint16) bool { return x == id })
}

// heard notes a sign of life.
func (s *Session) heard() { s.alive.Store(true) }

// keep sets how often the host promises to be heard; 0 for never. One that is
// not heard for twice that time is disconnected.
func (s *Session) keep(kato time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kato = kato
	if s.beat != nil {
		s.beat.Stop()
		s.beat = nil
	}
	if kato == 0 || s.closed {
		return
	}
	silent := 0
	var beat *time.Timer
	beat = time.AfterFunc(kato, func() {
		if silent++; s.alive.Swap(false) {
			silent = 0
		}
		if silent == 2 {
			s.Close()
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.beat == beat && !s.closed {
			beat.Reset(kato)
		}
	})
	s.beat = beat
}

// add takes an I/O queue in.
func (s *Session) add(id uint16, q *queue) Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed || s.cc&1 == 0:
		return SequenceError
	case int(id) > s.t.maxQueues():
		return ConnectParameters
	case s.queues[id] != nil:
		return ConnectBusy
	}
	if s.queues == nil {
		s.queues = map[uint16]*queue{}
	}
	s.queues[id] = q
	s.running.Add(1)
	return 0
}

// remove forgets an I/O queue that has ended.
func (s *Session) remove(id uint16) {
	s.mu.Lock()
	delete(s.queues, id)
	s.mu.Unlock()
	s.running.Done()
}
