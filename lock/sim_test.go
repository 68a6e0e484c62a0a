package lock_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path"
	"slices"
	"sync"
	"testing"
	"time"

	"strata/lineage"
	"strata/lock"
	"strata/spdk"
	"strata/spdk/sim"
	"strata/state"
)

const lab = lineage.Cluster("lab")

func targets(t *testing.T, names ...string) *sim.Cluster {
	t.Helper()
	c := sim.New(sim.Options{Tick: 4 * time.Millisecond, DiskSize: 64 << 20})
	for _, n := range names {
		if _, err := c.Start(n, ""); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// machine is one on which a watch or an apply runs. It can be cut off from nodes, it can
// hang, and it can go.
type machine struct {
	clients map[lineage.Node]*spdk.Client

	mu     sync.Mutex
	away   []lineage.Node // what is sent there is lost
	paused chan struct{}  // what is sent waits for that
}

func on(t *testing.T, c *sim.Cluster, nodes ...lineage.Node) *machine {
	t.Helper()
	m := &machine{clients: map[lineage.Node]*spdk.Client{}}
	for _, n := range nodes {
		client, err := spdk.New("unix:///"+string(n), spdk.Options{Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			node := path.Base(address)
			if !c.Target(node).Running() {
				return nil, errors.New("connection refused")
			}
			near, far := net.Pipe()
			go c.Target(node).Serve(far)
			return &wire{near, m, lineage.Node(node)}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		m.clients[n] = client
	}
	return m
}

// wire is a connection of a machine.
type wire struct {
	net.Conn
	m  *machine
	to lineage.Node
}

func (w *wire) Write(p []byte) (int, error) {
	w.m.mu.Lock()
	away, paused := slices.Contains(w.m.away, w.to), w.m.paused
	w.m.mu.Unlock()
	if away {
		return len(p), nil
	}
	if paused != nil {
		<-paused
	}
	return w.Conn.Write(p)
}

// cut cuts the machine off from nodes.
func (m *machine) cut(nodes ...lineage.Node) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away = nodes
}

// pause has the machine hang until it is woken: then everything goes on as if no time
// had passed.
func (m *machine) pause() (wake func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	paused := make(chan struct{})
	m.paused = paused
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.paused = nil
		close(paused)
	}
}

func (m *machine) close() {
	for _, t := range m.clients {
		t.Close()
	}
}

func uuid(n int) lineage.UUID {
	return lineage.UUID(fmt.Sprintf("00000000-0000-4000-8000-%012d", n))
}

// seat is the seat of watch n; its locks have the number n+100.
func seat(n int) *lock.Seat {
	return &lock.Seat{Holder: uuid(n), Note: lineage.LockNote{By: fmt.Sprintf("watch%d@lab", n), PID: n, Watch: true}}
}

func lockOf(n int, watch bool, m *machine) *lock.Lock {
	l := &lock.Lock{Holder: uuid(100 + n), Note: lineage.LockNote{By: fmt.Sprintf("user%d@lab", n), PID: n, Watch: watch}, Wait: time.Hour}
	l.Begin(lab, m.clients)
	return l
}

func read(t *testing.T, m *machine) *state.Snapshot {
	t.Helper()
	return state.Read(t.Context(), lab, m.clients)
}

// take takes a lock on all nodes.
func take(t *testing.T, l *lock.Lock, m *machine, stop <-chan struct{}) error {
	t.Helper()
	snap := read(t, m)
	return l.Take(t.Context(), l.Missing(snap), snap, stop)
}

// holders are who has the seat, by node.
func holders(t *testing.T, m *machine) map[lineage.Node]lineage.UUID {
	t.Helper()
	found := map[lineage.Node]lineage.UUID{}
	for name, n := range read(t, m).Nodes {
		found[name] = n.Seat.Holder
	}
	return found
}

func lost(term *lock.Term) bool {
	select {
	case <-term.Lost():
		return true
	default:
		return false
	}
}
