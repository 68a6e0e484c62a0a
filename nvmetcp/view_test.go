package nvmetcp

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// shelf is a subsystem with several namespaces that come and go.
type shelf struct {
	mu       sync.Mutex
	spaces   []Namespace
	sessions []*Session
	left     int
}

func (s *shelf) Connect(x *Session) (Controller, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions = append(s.sessions, x)
	return Controller{ID: uint16(len(s.sessions)), Serial: "S1", Model: "shelf", MaxNamespaces: 100, ANA: true, View: s,
		Left: func() { s.mu.Lock(); s.left++; s.mu.Unlock() }}, nil
}

func (s *shelf) Namespaces() []Namespace {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.spaces)
}

func (s *shelf) Namespace(id uint32) (Namespace, bool) {
	for _, ns := range s.Namespaces() {
		if ns.ID == id {
			return ns, true
		}
	}
	return Namespace{}, false
}

func (s *shelf) set(spaces ...Namespace) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spaces = spaces
}

// told waits for a notice.
func told(t *testing.T, notices chan Notice, want Notice) {
	t.Helper()
	select {
	case got := <-notices:
		if got != want {
			t.Errorf("the host is told of %d, want %d", got, want)
		}
	case <-time.After(time.Minute):
		t.Fatalf("the host is not told of %d", want)
	}
}

// TestView: what is shown is what the view says at that moment, and notices tell of changes.
func TestView(t *testing.T) {
	m := &memory{data: make([]byte, 1<<20)}
	one := Namespace{ID: 1, BlockSize: 512, Size: 1 << 20, Backend: m}
	seven := Namespace{ID: 7, Group: 3, BlockSize: 4096, Size: 1 << 19, Backend: m, UUID: [16]byte{7}, ReadOnly: true}
	s := &shelf{}
	s.set(one)
	notices := make(chan Notice, 10)
	h := connect(t, serve(t, &Target{Connect: s.Connect}), HostOptions{Notice: func(n Notice) { notices <- n }})
	if h.Serial != "S1" || h.Model != "shelf" || h.ID != 1 {
		t.Errorf("controller %d, %q, %q", h.ID, h.Serial, h.Model)
	}
	s.mu.Lock()
	x := s.sessions[0]
	s.mu.Unlock()
	if x.Host() != testHost || x.Subsystem() != testNQN || x.Queues() != 1 {
		t.Errorf("the target sees %s at %s with %d queues", x.Host(), x.Subsystem(), x.Queues())
	}
	d := open(t, h)
	if d.BlockSize != 512 {
		t.Errorf("blocks of %d", d.BlockSize)
	}

	s.set(one, seven)
	x.Changed(7)
	told(t, notices, NamespacesChanged)
	if ids, err := h.Namespaces(t.Context()); err != nil || !slices.Equal(ids, []uint32{1, 7}) {
		t.Errorf("namespaces %v: %v", ids, err)
	}
	e, err := h.Open(t.Context(), 7)
	if err != nil || e.Size != 1<<19 || e.UUID != seven.UUID {
		t.Fatalf("namespace 7: %+v, %v", e, err)
	}
	p := make([]byte, 4096)
	if err := errors.Join(e.ReadAt(t.Context(), p, 0)); err != nil {
		t.Error(err)
	}
	if err := e.WriteAt(t.Context(), p, 0); !errors.Is(err, ReadOnly) || !strings.Contains(err.Error(), "write protected") {
		t.Errorf("a write to what is read only: %v", err)
	}

	one.State = StateInaccessible
	s.set(one, seven)
	x.StateChanged()
	told(t, notices, StatesChanged)
	if err := d.WriteAt(t.Context(), bytes.Repeat([]byte{1}, 512), 0); !errors.Is(err, Inaccessible) {
		t.Errorf("a write to what is inaccessible: %v", err)
	}
	if !bytes.Equal(m.content(), make([]byte, 1<<20)) {
		t.Error("it was written all the same")
	}
	page, err := h.readLog(logANA, 4096)
	if err != nil || page[8] != 2 || page[16] != 1 || page[16+16] != byte(StateInaccessible) || page[16+36] != 3 || page[16+36+16] != byte(StateOptimized) {
		t.Errorf("ANA log page: %x, %v", page[:100], err)
	}

	s.set()
	x.Changed(1, 7)
	told(t, notices, NamespacesChanged)
	if err := d.ReadAt(t.Context(), p[:512], 0); !errors.Is(err, InvalidNamespace) {
		t.Errorf("a read of what is gone: %v", err)
	}
	x.Close()
	select {
	case <-h.Lost():
	case <-time.After(time.Minute):
		t.Fatal("a session that was closed goes on")
	}
	for left := 0; left == 0; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		left = s.left
		s.mu.Unlock()
	}
}
