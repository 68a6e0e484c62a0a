package nvmetcp

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
)

// Disk is a subsystem with one namespace, of id 1. Its Connect is that of a [Target].
type Disk struct {
	NQN       string
	Hosts     []string // NQNs that are admitted; nobody else is
	Namespace Namespace
	// HostKey and TargetKey are as in Controller.
	HostKey, TargetKey *Key

	once sync.Once
	mu   sync.Mutex
	next uint16
}

// Connect admits hosts that are listed. Ids of controllers start at random, so that
// a host can have paths to several processes that serve the same disk.
//
// Hosts are asked last of all to say what they support. What SPDK reads last otherwise is how a
// namespace is called, and it takes an error there for a namespace without names: where the
// connection ended in that moment it would go on with a disk under a UUID of chance, or
// wait for an I/O queue for good. An error in what it says it takes for one.
func (d *Disk) Connect(s *Session) (Controller, error) {
	if s.Subsystem() != d.NQN {
		return Controller{}, ErrSubsystem
	}
	if !slices.Contains(d.Hosts, s.Host()) {
		return Controller{}, ErrHost
	}
	d.once.Do(func() {
		var b [2]byte
		rand.Read(b[:])
		d.next = binary.LittleEndian.Uint16(b[:])
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next = d.next%lastController + 1
	return Controller{
		ID: d.next, Serial: fmt.Sprintf("%x", d.Namespace.UUID[:10]), Model: "strata", MaxNamespaces: 1, View: single(d.Namespace),
		HostKey: d.HostKey, TargetKey: d.TargetKey, asksLast: true,
	}, nil
}

// lastController is the highest id that a controller can have.
const lastController = 0xffef

// single is a view of one namespace.
type single Namespace

func (v single) Namespaces() []Namespace {
	v.ID = 1
	return []Namespace{Namespace(v)}
}

func (v single) Namespace(id uint32) (Namespace, bool) {
	if id != 1 {
		return Namespace{}, false
	}
	return v.Namespaces()[0], true
}
