package sim

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"strata/nvmetcp"
)

// street has where doors really are.
type street struct {
	mu sync.Mutex
	at map[string]string
}

func (s *street) listen(target, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at[addr] = l.Addr().String()
	return l, nil
}

func (s *street) host(t *testing.T, addr, hostNQN string, notices chan nvmetcp.Notice) (*nvmetcp.Host, error) {
	t.Helper()
	s.mu.Lock()
	real := s.at[addr]
	s.mu.Unlock()
	h, err := nvmetcp.Connect(within(t, time.Minute), real, nvmetcp.HostOptions{
		HostNQN: hostNQN, Subsystem: nqnBase + "db", Notice: func(n nvmetcp.Notice) { notices <- n }})
	if err == nil {
		t.Cleanup(func() { h.Close() })
	}
	return h, err
}

// TestOutside: a host on a network reads and writes what is simulated, and sees
// pauses, namespaces that go, listeners that go, and deaths.
func TestOutside(t *testing.T) {
	s := &street{at: map[string]string{}}
	_, ts, ks := cluster(t, Options{NVMe: s.listen}, 2)
	k := ks[0]
	legs := [2]string{mkLvol(k, "db", 64), mkLvol(ks[1], "db", 64)}
	link := mkLink(ks[1], k, "n2", "4421")
	ks[1].must("nvmf_subsystem_add_ns", M{"nqn": link, "namespace": M{"bdev_name": legs[1], "nsid": 1}})
	k.must("bdev_raid_create", M{"name": "db", "raid_level": "raid1", "base_bdevs": legs[:]})
	nqn := nqnBase + "db"
	listener := M{"nqn": nqn, "listen_address": addr("4420")}
	space := M{"nqn": nqn, "namespace": M{"bdev_name": "db", "nsid": 1, "uuid": "11111111-2222-3333-4444-555555555555"}}
	k.must("nvmf_create_subsystem", M{"nqn": nqn, "ana_reporting": true, "serial_number": "S7"})
	k.must("nvmf_subsystem_add_host", M{"nqn": nqn, "host": nqnBase + "h"})
	k.must("nvmf_subsystem_add_ns", space)
	k.must("nvmf_subsystem_add_listener", listener)

	notices := make(chan nvmetcp.Notice, 16)
	if _, err := s.host(t, "127.0.0.1:4420", nqnBase+"other", notices); !errors.Is(err, nvmetcp.HostRefused) {
		t.Errorf("a host that is not listed: %v", err)
	}
	h, err := s.host(t, "127.0.0.1:4420", nqnBase+"h", notices)
	if err != nil {
		t.Fatal(err)
	}
	d, err := h.Open(t.Context(), 1)
	if err != nil || d.Size != 64<<20 || d.BlockSize != 4096 || d.UUID[0] != 0x11 || h.Serial != "S7" {
		t.Fatalf("%+v, serial %q: %v", d, h.Serial, err)
	}
	var connected []struct {
		ID     int    `json:"cntlid"`
		Host   string `json:"hostnqn"`
		Queues int    `json:"num_io_qpairs"`
	}
	if k.into(&connected, "nvmf_subsystem_get_controllers", M{"nqn": nqn}); len(connected) != 1 || connected[0].Host != nqnBase+"h" || connected[0].Queues != 2 {
		t.Errorf("the target lists %+v", connected)
	}

	old, young := bytes.Repeat([]byte("old "), 1<<18), bytes.Repeat([]byte("young   "), 512)
	if err := d.WriteAt(t.Context(), old, 3<<20-8192); err != nil {
		t.Fatal(err)
	}
	for i, k := range ks {
		k.must("bdev_lvol_snapshot", M{"lvol_name": legs[i], "snapshot_name": "s"})
	}
	if err := d.WriteAt(t.Context(), young, 3<<20); err != nil {
		t.Fatal(err)
	}
	for i, x := range ts {
		if !bytes.Equal(content(t, x, "lvs0/s", 3<<20-8192, 1<<20), old) || !bytes.Equal(content(t, x, legs[i], 3<<20, 4096), young) {
			t.Errorf("%s does not have in snapshot and head what the host has written", x.Name())
		}
	}
	got := make([]byte, 8192)
	if err := d.ReadAt(t.Context(), got, 3<<20-4096); err != nil || !bytes.Equal(got, append(bytes.Repeat([]byte("old "), 1024), young...)) {
		t.Errorf("the host reads something else: %v", err)
	}

	tell := func(want nvmetcp.Notice, what string) {
		t.Helper()
		select {
		case got := <-notices:
			if got != want {
				t.Errorf("%s: notice %d, want %d", what, got, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: the host is not told", what)
		}
	}
	ana := func(state string) {
		k.must("nvmf_subsystem_listener_set_ana_state", M{"nqn": nqn, "listen_address": addr("4420"), "ana_state": state})
		tell(nvmetcp.StatesChanged, state)
	}
	ana("inaccessible")
	if err := d.WriteAt(t.Context(), young, 0); !errors.Is(err, nvmetcp.Inaccessible) {
		t.Errorf("a write during a pause: %v", err)
	}
	if !bytes.Equal(content(t, ts[0], legs[0], 0, 4096), make([]byte, 4096)) {
		t.Error("it was written all the same")
	}
	ana("optimized")
	if err := d.WriteAt(t.Context(), young, 0); err != nil {
		t.Errorf("a write after the pause: %v", err)
	}

	ts[0].Freeze()
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := d.ReadAt(short, got, 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a read of a target that is frozen: %v", err)
	}
	ts[0].Thaw()
	if err := d.ReadAt(t.Context(), got, 0); err != nil || !bytes.Equal(got[:4096], young) {
		t.Errorf("a read once it goes on: %v", err)
	}

	k.must("nvmf_subsystem_remove_ns", M{"nqn": nqn, "nsid": 1})
	tell(nvmetcp.NamespacesChanged, "remove_ns")
	if err := d.ReadAt(t.Context(), got, 0); !errors.Is(err, nvmetcp.InvalidNamespace) {
		t.Errorf("a read of a namespace that is gone: %v", err)
	}
	k.must("nvmf_subsystem_add_ns", space)
	tell(nvmetcp.NamespacesChanged, "add_ns")
	if err := d.ReadAt(t.Context(), got, 0); err != nil || !bytes.Equal(got[:4096], young) {
		t.Errorf("a read of the namespace that is back: %v", err)
	}

	lost := func(h *nvmetcp.Host, what string) {
		t.Helper()
		select {
		case <-h.Lost():
		case <-time.After(time.Minute):
			t.Fatalf("%s: the host is still connected", what)
		}
		if _, err := s.host(t, "127.0.0.1:4420", nqnBase+"h", notices); err == nil {
			t.Errorf("%s: it can be connected again", what)
		}
	}
	k.must("nvmf_subsystem_remove_listener", listener)
	lost(h, "remove_listener")
	k.must("nvmf_subsystem_add_listener", listener)
	if h, err = s.host(t, "127.0.0.1:4420", nqnBase+"h", notices); err != nil {
		t.Fatal(err)
	}
	ts[0].Stop()
	lost(h, "the target's death")
}
