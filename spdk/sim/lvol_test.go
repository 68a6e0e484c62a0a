package sim

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type lvolInfo struct {
	Name     string
	UUID     string
	Snapshot bool `json:"is_snapshot"`
	Clone    bool `json:"is_clone"`
	Esnap    bool `json:"is_esnap_clone"`
	Degraded bool `json:"is_degraded"`
	Clusters int  `json:"num_allocated_clusters"`
}

func lvols(k *client) map[string]lvolInfo {
	k.t.Helper()
	var ls []lvolInfo
	k.into(&ls, "bdev_lvol_get_lvols", nil)
	m := map[string]lvolInfo{}
	for _, l := range ls {
		m[l.Name] = l
	}
	return m
}

func blocks(k *client, name string) int {
	k.t.Helper()
	var bs []struct {
		N int `json:"num_blocks"`
	}
	k.into(&bs, "bdev_get_bdevs", M{"name": name})
	return bs[0].N
}

func TestNamesAndSizes(t *testing.T) {
	_, _, ks := cluster(t, Options{}, 1)
	k := ks[0]
	for _, n := range []string{strings.Repeat("x", 63), "a/b#c@d+e~f.g", "\x01", "é"} {
		k.must("bdev_get_bdevs", M{"name": mkLvol(k, n, 0)})
	}
	k.refuse(-22, "Invalid argument", "bdev_lvol_create", M{"lvs_name": "lvs0", "lvol_name": strings.Repeat("x", 64), "size_in_mib": 1})
	k.must("bdev_aio_create", M{"filename": "/dev/sdb", "name": "disk1", "block_size": 4096})
	k.must("bdev_lvol_create_lvstore", M{"bdev_name": "disk1", "lvs_name": "lvs1"}) // 4 MiB clusters
	id := k.str("bdev_lvol_create", M{"lvs_name": "lvs1", "lvol_name": "a", "size_in_mib": 5, "thin_provision": true})
	if n := blocks(k, id); n != 8<<20/4096 {
		t.Errorf("5 MiB became %d blocks", n)
	}
	k.must("bdev_lvol_resize", M{"name": id, "size_in_mib": 1})
	if n := blocks(k, id); n != 4<<20/4096 {
		t.Errorf("shrunk to %d blocks", n)
	}
}

// TestStaleBytes: on stock SPDK a cluster that is new to an lvol shows what
// was there before, where it was not written.
func TestStaleBytes(t *testing.T) {
	_, ts, ks := cluster(t, Options{}, 1)
	old := mkLvol(ks[0], "old", 4)
	if err := ts[0].WriteBdev(t.Context(), old, filled(1<<20, 0xee), 0); err != nil {
		t.Fatal(err)
	}
	ks[0].must("bdev_lvol_delete", M{"name": old})
	id := mkLvol(ks[0], "new", 4)
	if content(t, ts[0], id, 1<<19, 1)[0] != 0 {
		t.Error("an unallocated cluster is not zero")
	}
	if err := ts[0].WriteBdev(t.Context(), id, filled(4096, 1), 0); err != nil {
		t.Fatal(err)
	}
	if content(t, ts[0], id, 1<<19, 1)[0] != 0xee {
		t.Error("the rest of the cluster is defined")
	}
}

// TestDeleteExported: nothing protects what is in use.
func TestDeleteExported(t *testing.T) {
	_, _, ks := cluster(t, Options{}, 2)
	id := mkLvol(ks[1], "a", 4)
	nqn := mkLink(ks[1], ks[0], "n2", "4421")
	ks[1].must("nvmf_subsystem_add_ns", M{"nqn": nqn, "namespace": M{"bdev_name": id}})
	ks[0].must("bdev_get_bdevs", M{"name": id})
	ks[1].must("bdev_lvol_delete", M{"name": "lvs0/a"})
	ks[0].refuse(-19, "No such device", "bdev_get_bdevs", M{"name": id})
	var subs []struct{ Namespaces []any }
	if ks[1].into(&subs, "nvmf_get_subsystems", M{"nqn": nqn}); len(subs[0].Namespaces) != 0 {
		t.Error("the namespace is still there")
	}
}

// TestCopyLayer: exactly the clusters of one layer arrive, over the fabric.
func TestCopyLayer(t *testing.T) {
	_, ts, ks := cluster(t, Options{}, 2)
	src := mkLvol(ks[0], "a", 16)
	write := func(i, b int) {
		if err := ts[0].WriteBdev(t.Context(), src, filled(4096, byte(b)), int64(i)<<20); err != nil {
			t.Fatal(err)
		}
	}
	write(0, 1)
	write(1, 1)
	ks[0].must("bdev_lvol_snapshot", M{"lvol_name": src, "snapshot_name": "s1"})
	write(1, 2)
	write(2, 2)
	ks[0].must("bdev_lvol_snapshot", M{"lvol_name": src, "snapshot_name": "s2"})
	dst := mkLvol(ks[1], "stage", 16)
	nqn := mkLink(ks[1], ks[0], "n2", "4421")
	ks[1].must("nvmf_subsystem_add_ns", M{"nqn": nqn, "namespace": M{"bdev_name": dst}})
	for i, s := range []string{"s1", "s2"} {
		ks[0].must("bdev_lvol_start_shallow_copy", M{"src_lvol_name": "lvs0/" + s, "dst_bdev_name": dst})
		var st struct {
			Copied int    `json:"copied_clusters"`
			State  string `json:"state"`
		}
		if ks[0].into(&st, "bdev_lvol_check_shallow_copy", M{"operation_id": i + 1}); st.State != "complete" || st.Copied != 2 {
			t.Errorf("copy of %s: %+v", s, st)
		}
		ks[0].refuse(-19, "No such device", "bdev_lvol_check_shallow_copy", M{"operation_id": i + 1})
		ks[1].must("bdev_lvol_snapshot", M{"lvol_name": dst, "snapshot_name": s})
	}
	for _, s := range []string{"s1", "s2"} {
		if lvols(ks[1])[s].Clusters != 2 {
			t.Errorf("%s has %d clusters", s, lvols(ks[1])[s].Clusters)
		}
		if !bytes.Equal(content(t, ts[0], "lvs0/"+s, 0, 16<<20), content(t, ts[1], "lvs0/"+s, 0, 16<<20)) {
			t.Errorf("%s differs", s)
		}
	}
}

// TestDeleteWhileCopied: the answer is an error, and yet the bdev is gone.
func TestDeleteWhileCopied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, ts, ks := cluster(t, Options{Tick: 4 * time.Millisecond, CopyRate: 1 << 20}, 1)
		k := ks[0]
		a := k.str("bdev_lvol_create", M{"lvs_name": "lvs0", "lvol_name": "a", "size_in_mib": 8})
		snap := k.str("bdev_lvol_snapshot", M{"lvol_name": a, "snapshot_name": "s"})
		dst := mkLvol(k, "dst", 8)
		k.must("bdev_lvol_start_shallow_copy", M{"src_lvol_name": snap, "dst_bdev_name": dst})
		k.refuse(-32602, "Operation not permitted", "bdev_lvol_start_shallow_copy", M{"src_lvol_name": snap, "dst_bdev_name": dst})
		k.refuse(-32603, "Device or resource busy", "bdev_lvol_delete", M{"name": snap})
		k.refuse(-19, "No such device", "bdev_get_bdevs", M{"name": snap})
		if _, ok := lvols(k)["s"]; ok {
			t.Error("the snapshot is still listed")
		}
		time.Sleep(20 * time.Second)
		if err := ts[0].Restart(); err != nil {
			t.Fatal(err)
		}
		k = dial(t, ts[0])
		prepare(k)
		if _, ok := lvols(k)["s"]; !ok {
			t.Error("the snapshot is not back after a restart")
		}
	})
}

// TestExternalSnapshot: an lvol on a layer of another node, degraded without
// it, then stood on a local copy.
func TestExternalSnapshot(t *testing.T) {
	_, ts, ks := cluster(t, Options{}, 2)
	src := mkLvol(ks[0], "a", 8)
	if err := ts[0].WriteBdev(t.Context(), src, filled(8192, 3), 1<<20); err != nil {
		t.Fatal(err)
	}
	snap := ks[0].str("bdev_lvol_snapshot", M{"lvol_name": src, "snapshot_name": "s"})
	nqn := mkLink(ks[0], ks[1], "n1", "4420")
	add := M{"nqn": nqn, "namespace": M{"bdev_name": snap, "nsid": 1}}
	ks[0].must("nvmf_subsystem_add_ns", add)
	head := ks[1].str("bdev_lvol_clone_bdev", M{"bdev": snap, "lvs_name": "lvs0", "clone_name": "h"})
	if err := ts[1].WriteBdev(t.Context(), head, filled(4096, 4), 1<<20); err != nil {
		t.Fatal(err)
	}
	want := append(filled(4096, 4), filled(4096, 3)...)
	if !bytes.Equal(content(t, ts[1], head, 1<<20, 8192), want) {
		t.Error("copy on write from the external snapshot is wrong")
	}
	if err := ts[1].Restart(); err != nil {
		t.Fatal(err)
	}
	k := dial(t, ts[1])
	prepare(k)
	k.refuse(-19, "No such device", "bdev_get_bdevs", M{"name": head})
	if l := lvols(k)["h"]; !l.Degraded || !l.Esnap || l.Clusters != 1 {
		t.Errorf("without its source: %+v", l)
	}
	k.must("bdev_nvme_attach_controller", M{"name": "n1", "trtype": "TCP", "adrfam": "IPv4", "traddr": "127.0.0.1", "trsvcid": "4420", "subnqn": nqn})
	if !bytes.Equal(content(t, ts[1], head, 1<<20, 8192), want) {
		t.Error("after the source came back")
	}
	local := mkLvol(k, "stage", 8)
	if err := ts[1].WriteBdev(t.Context(), local, filled(8192, 3), 1<<20); err != nil {
		t.Fatal(err)
	}
	k.must("bdev_lvol_snapshot", M{"lvol_name": local, "snapshot_name": "s"})
	k.must("bdev_lvol_set_parent", M{"lvol_name": head, "parent_name": "lvs0/s"})
	k.refuse(-32602, "File exists", "bdev_lvol_set_parent", M{"lvol_name": head, "parent_name": "lvs0/s"})
	k.must("bdev_nvme_detach_controller", M{"name": "n1"})
	if !bytes.Equal(content(t, ts[1], head, 1<<20, 8192), want) {
		t.Error("on the local layer")
	}
}

// TestRebuildCopiesEverything: a thin replica becomes fully allocated.
func TestRebuildCopiesEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirror(t, Options{Tick: 4 * time.Millisecond, CopyRate: 16 << 20})
		m.write(t)
		k := m.ks[0]
		k.must("bdev_raid_remove_base_bdev", M{"name": m.legs[1]})
		if err := m.device.WriteAt(t.Context(), filled(4096, 8), 5<<20); err != nil {
			t.Fatal(err)
		}
		k.must("bdev_raid_add_base_bdev", M{"raid_bdev": "db", "base_bdev": m.legs[1]})
		time.Sleep(time.Second)
		if r := raids(k)[0]; r.Process == nil || !r.Bases[1].Configured || r.Discovered != 2 {
			t.Errorf("while rebuilding: %+v", r)
		}
		if err := m.device.WriteAt(t.Context(), filled(4096, 9), 60<<20); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if raids(k)[0].Process != nil {
			t.Error("it never ends")
		}
		if n := lvols(m.ks[1])["db"].Clusters; n != 64 {
			t.Errorf("the rebuilt leg has %d clusters", n)
		}
		if !bytes.Equal(content(t, m.ts[0], m.legs[0], 0, 64<<20), content(t, m.ts[1], m.legs[1], 0, 64<<20)) {
			t.Error("the legs differ")
		}
	})
}
