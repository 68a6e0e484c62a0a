package sim

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestBarrier: while the namespace is inaccessible writes wait at the host,
// and snapshots of both legs are equal.
func TestBarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirror(t, real)
		ana := M{"nqn": nqnBase + "db", "listen_address": addr("4420"), "ana_state": "inaccessible"}
		m.ks[0].must("nvmf_subsystem_listener_set_ana_state", ana)
		m.ks[0].must("nvmf_subsystem_set_ns_ana_group", M{"nqn": nqnBase + "db", "nsid": 1, "anagrpid": 1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := m.device.WriteAt(ctx, filled(4096, 9), 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a write while inaccessible: %v", err)
		}
		for i, k := range m.ks {
			k.must("bdev_lvol_snapshot", M{"lvol_name": m.legs[i], "snapshot_name": "s"})
			if content(t, m.ts[i], "lvs0/s", 0, 1)[0] != 0 {
				t.Error("the write got through")
			}
		}
		done := make(chan error)
		go func() { done <- m.device.WriteAt(t.Context(), filled(4096, 9), 0) }()
		time.Sleep(time.Second)
		ana["ana_state"] = "optimized"
		m.ks[0].must("nvmf_subsystem_listener_set_ana_state", ana)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		for i := range m.ks {
			if content(t, m.ts[i], "lvs0/s", 0, 1)[0] != 0 || content(t, m.ts[i], m.legs[i], 0, 1)[0] != 9 {
				t.Errorf("leg %d: the snapshot is not what was before the write", i)
			}
		}
	})
}

// TestClosedUnderWay: an I/O that waits for its target ends with the connection.
func TestClosedUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirror(t, real)
		m.ts[1].Freeze()
		begun, done := time.Now(), make(chan error)
		go func() { done <- m.device.WriteAt(t.Context(), filled(4096, 9), 0) }()
		synctest.Wait()
		m.device.conn.Close()
		if err := <-done; !errors.Is(err, ErrGone) || time.Since(begun) > 0 {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		m.ts[1].Thaw()
	})
}

// TestSwapUnderHost: with the listener away a host finds the same namespace
// again; with the namespace away it loses its device.
func TestSwapUnderHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirror(t, real)
		k := m.ks[0]
		lst := M{"nqn": nqnBase + "db", "listen_address": addr("4420")}
		ns := M{"nqn": nqnBase + "db", "namespace": M{"bdev_name": "db", "nsid": 1, "uuid": "11111111-2222-3333-4444-555555555555"}}
		k.must("nvmf_subsystem_remove_listener", lst)
		if _, err := m.c.Host(nqnBase+"h").Connect("127.0.0.1", "4420", nqnBase+"db"); !errors.Is(err, ErrRefused) {
			t.Errorf("connecting without a listener: %v", err)
		}
		k.must("nvmf_subsystem_remove_ns", M{"nqn": nqnBase + "db", "nsid": 1})
		k.must("bdev_raid_delete", M{"name": "db"})
		k.must("bdev_raid_create", M{"name": "db", "raid_level": "raid1", "base_bdevs": m.legs[:]})
		k.must("nvmf_subsystem_add_ns", ns)
		k.must("nvmf_subsystem_add_listener", lst)
		m.write(t)
		k.must("nvmf_subsystem_remove_ns", M{"nqn": nqnBase + "db", "nsid": 1})
		time.Sleep(time.Second)
		k.must("nvmf_subsystem_add_ns", ns)
		time.Sleep(time.Second)
		if err := m.device.WriteAt(t.Context(), filled(512, 1), 0); !errors.Is(err, ErrGone) {
			t.Errorf("after the namespace was away: %v", err)
		}
	})
}

func TestHostMustBeAllowed(t *testing.T) {
	c, _, ks := cluster(t, Options{}, 1)
	k := ks[0]
	mkExport(k, nqnBase+"a", "4420", mkLvol(k, "a", 4), "11111111-2222-3333-4444-555555555555")
	k.must("nvmf_subsystem_allow_any_host", M{"nqn": nqnBase + "a", "allow_any_host": false})
	k.must("nvmf_subsystem_add_host", M{"nqn": nqnBase + "a", "host": nqnBase + "good"})
	if _, err := c.Host(nqnBase+"bad").Connect("127.0.0.1", "4420", nqnBase+"a"); !errors.Is(err, ErrRefused) {
		t.Errorf("a host that is not allowed: %v", err)
	}
	conn, err := c.Host(nqnBase+"good").Connect("127.0.0.1", "4420", nqnBase+"a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Namespace(2); !errors.Is(err, ErrNoNamespace) {
		t.Errorf("namespace 2: %v", err)
	}
}

// TestExpandOnline: all legs grow, then the RAID, then the host's device.
func TestExpandOnline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirror(t, real)
		for i, k := range m.ks {
			k.must("bdev_lvol_resize", M{"name": m.legs[i], "size_in_mib": 80})
			time.Sleep(50 * time.Millisecond)
			if got, want := m.device.Size(), int64(64+16*i)<<20; got != want {
				t.Errorf("after %d legs the device has %d bytes, want %d", i+1, got, want)
			}
		}
		want := filled(1<<20, 5)
		if err := m.device.WriteAt(t.Context(), want, 79<<20); err != nil {
			t.Fatal(err)
		}
		for i := range m.ks {
			if !bytes.Equal(content(t, m.ts[i], m.legs[i], 79<<20, 1<<20), want) {
				t.Errorf("leg %d differs", i)
			}
		}
	})
}
