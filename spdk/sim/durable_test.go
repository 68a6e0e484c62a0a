package sim

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// restarts runs f with disks in memory across Target.Restart, and with disks
// in a directory across clusters.
func restarts(t *testing.T, f func(t *testing.T, k *client, x *Target, again func() (*client, *Target))) {
	t.Run("memory", func(t *testing.T) {
		_, ts, ks := cluster(t, Options{}, 1)
		f(t, ks[0], ts[0], func() (*client, *Target) {
			if err := ts[0].Restart(); err != nil {
				t.Fatal(err)
			}
			k := dial(t, ts[0])
			prepare(k)
			return k, ts[0]
		})
	})
	t.Run("directory", func(t *testing.T) {
		dir := t.TempDir()
		_, ts, ks := cluster(t, Options{Dir: dir, DiskSize: 1 << 30}, 1)
		f(t, ks[0], ts[0], func() (*client, *Target) {
			// As after SIGKILL: nobody closed anything.
			c := New(Options{Dir: dir})
			t.Cleanup(func() { c.Close() })
			x, err := c.Start("n1", "")
			if err != nil {
				t.Fatal(err)
			}
			k := dial(t, x)
			prepare(k)
			return k, x
		})
	})
}

func TestRestartKeepsDisksOnly(t *testing.T) {
	restarts(t, func(t *testing.T, k *client, x *Target, again func() (*client, *Target)) {
		head := mkLvol(k, "db#1", 16)
		one, two := filled(1<<20, 1), filled(4096, 2)
		if err := x.WriteBdev(t.Context(), head, one, 0); err != nil {
			t.Fatal(err)
		}
		k.must("bdev_lvol_snapshot", M{"lvol_name": head, "snapshot_name": "db@1.a"})
		if err := x.WriteBdev(t.Context(), head, two, 8192); err != nil {
			t.Fatal(err)
		}
		k.must("bdev_lvol_rename", M{"old_name": "lvs0/db#1", "new_name": "db#2"})
		k.must("bdev_lvol_resize", M{"name": head, "size_in_mib": 20})
		thick := k.str("bdev_lvol_create", M{"lvs_name": "lvs0", "lvol_name": "thick", "size_in_mib": 8})
		k.must("bdev_lvol_delete", M{"name": thick})
		k.must("bdev_null_create", M{"name": "lock", "num_blocks": 1, "block_size": 512})
		mkExport(k, nqnBase+"a", "4420", head, nilUUID)
		lvols, stores := k.must("bdev_lvol_get_lvols", nil), k.must("bdev_lvol_get_lvstores", nil)

		k, x = again()
		if got := k.must("bdev_lvol_get_lvols", nil); !bytes.Equal(got, lvols) {
			t.Errorf("lvols are\n%s\nwere\n%s", got, lvols)
		}
		if got := k.must("bdev_lvol_get_lvstores", nil); !bytes.Equal(got, stores) {
			t.Errorf("lvstores are\n%s\nwere\n%s", got, stores)
		}
		want := bytes.Clone(one)
		copy(want[8192:], two)
		if !bytes.Equal(content(t, x, head, 0, len(want)), want) {
			t.Error("the head's data changed")
		}
		if !bytes.Equal(content(t, x, "lvs0/db@1.a", 0, len(one)), one) {
			t.Error("the snapshot's data changed")
		}
		k.refuse(-19, "No such device", "bdev_get_bdevs", M{"name": "lock"})
		var subs []json.RawMessage
		if k.into(&subs, "nvmf_get_subsystems", nil); len(subs) != 1 {
			t.Errorf("%d subsystems survived", len(subs)-1)
		}
		k.refuse(-1, "Operation not permitted", "bdev_lvol_create_lvstore", M{"bdev_name": "disk0", "lvs_name": "x"})
	})
}

// TestTornLog: a line that a kill cut short is as if it had never been.
func TestTornLog(t *testing.T) {
	dir := t.TempDir()
	_, _, ks := cluster(t, Options{Dir: dir, DiskSize: 1 << 30}, 1)
	mkLvol(ks[0], "a", 4)
	logs, _ := filepath.Glob(filepath.Join(dir, "n1", "*.lvs"))
	f, err := os.OpenFile(logs[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(`[{"op":"put","blob":{"id":7,"na`)
	f.Close()
	c := New(Options{Dir: dir})
	defer c.Close()
	x, err := c.Start("n1", "")
	if err != nil {
		t.Fatal(err)
	}
	k := dial(t, x)
	prepare(k)
	k.must("bdev_get_bdevs", M{"name": "lvs0/a"})
	mkLvol(k, "b", 4)
}

// TestLayersAgainstModel does random things to a stack of layers and compares
// every byte with plain copies, and the count of free clusters with the sum.
func TestLayersAgainstModel(t *testing.T) {
	clean := Stock // stock SPDK shows old bytes where a new cluster was not written
	clean.zeroesClusters = true
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		_, ts, ks := cluster(t, Options{Disks: map[string]int64{"/dev/sda": 64 << 20}, Profile: clean}, 1)
		k, x := ks[0], ts[0]
		const size = 4 << 20
		names, model := []string{"v0"}, map[string][]byte{"v0": make([]byte, size)}
		parent := map[string]string{}
		children := func(n string) (c []string) {
			for _, m := range names {
				if parent[m] == n {
					c = append(c, m)
				}
			}
			return c
		}
		snapshot := map[string]bool{}
		id := 0
		mkLvol(k, "v0", 4)
		for step := range 60 {
			n := names[r.IntN(len(names))]
			id++
			fresh := "v" + string(rune('a'+id%26)) + string(rune('a'+id/26))
			switch op := r.IntN(6); {
			case op < 2 && !snapshot[n]:
				p := make([]byte, 1+r.IntN(2<<20))
				for i := range p {
					p[i] = byte(step + 1)
				}
				off := r.IntN(size - len(p) + 1)
				if err := x.WriteBdev(t.Context(), "lvs0/"+n, p, int64(off)); err == enospc {
					continue
				} else if err != nil {
					t.Fatal(err)
				}
				copy(model[n][off:], p)
			case op == 2 && !snapshot[n]:
				k.must("bdev_lvol_snapshot", M{"lvol_name": "lvs0/" + n, "snapshot_name": fresh})
				names, model[fresh], snapshot[fresh] = append(names, fresh), bytes.Clone(model[n]), true
				parent[fresh], parent[n] = parent[n], fresh
			case op == 3 && snapshot[n] && len(names) < 9:
				k.must("bdev_lvol_clone", M{"snapshot_name": "lvs0/" + n, "clone_name": fresh})
				names, model[fresh], parent[fresh] = append(names, fresh), bytes.Clone(model[n]), n
			case op == 4 && len(names) > 1 && len(children(n)) < 2:
				k.must("bdev_lvol_delete", M{"name": "lvs0/" + n})
				for _, c := range children(n) {
					parent[c] = parent[n]
				}
				names = without(names, n)
				delete(model, n)
			case op == 5 && parent[n] != "":
				if _, e := k.call("bdev_lvol_decouple_parent", M{"name": "lvs0/" + n}); e == nil {
					parent[n] = parent[parent[n]]
				}
			}
		}
		for _, n := range names {
			if !bytes.Equal(content(t, x, "lvs0/"+n, 0, size), model[n]) {
				t.Fatalf("seed %d: %s differs", seed, n)
			}
		}
		var lvols []struct {
			N int `json:"num_allocated_clusters"`
		}
		var stores []struct {
			Total int `json:"total_data_clusters"`
			Free  int `json:"free_clusters"`
		}
		k.into(&lvols, "bdev_lvol_get_lvols", nil)
		k.into(&stores, "bdev_lvol_get_lvstores", nil)
		for _, l := range lvols {
			stores[0].Free += l.N
		}
		if stores[0].Free != stores[0].Total {
			t.Fatalf("seed %d: %d clusters of %d accounted for", seed, stores[0].Free, stores[0].Total)
		}
	}
}

func without(s []string, x string) (r []string) {
	for _, y := range s {
		if y != x {
			r = append(r, y)
		}
	}
	return r
}

// TestCopyOfADisk: a copy has what the disk had, in memory and in a directory.
func TestCopyOfADisk(t *testing.T) {
	for name, o := range map[string]Options{"memory": {DiskSize: 1 << 30}, "directory": {DiskSize: 1 << 30, Dir: t.TempDir()}} {
		t.Run(name, func(t *testing.T) {
			c, ts, ks := cluster(t, o, 2)
			head := mkLvol(ks[0], "db", 16)
			data := filled(3<<20, 7)
			if err := ts[0].WriteBdev(t.Context(), head, data, 1<<20); err != nil {
				t.Fatal(err)
			}
			ks[0].must("bdev_lvol_snapshot", M{"lvol_name": head, "snapshot_name": "s"})
			for _, x := range ts {
				x.Stop()
			}
			if err := c.CopyDisk("n1", "/dev/sda", "n2", "/dev/other"); err != nil {
				t.Fatal(err)
			}
			if err := ts[1].Restart(); err != nil {
				t.Fatal(err)
			}
			k := dial(t, ts[1])
			k.must("bdev_aio_create", M{"name": "other", "filename": "/dev/other", "block_size": 4096})
			if !bytes.Equal(content(t, ts[1], head, 1<<20, len(data)), data) {
				t.Error("the copy has other data")
			}
			if err := ts[1].WriteBdev(t.Context(), head, filled(4096, 9), 1<<20); err != nil {
				t.Fatal(err)
			}
			if err := ts[0].Restart(); err != nil {
				t.Fatal(err)
			}
			prepare(dial(t, ts[0]))
			if !bytes.Equal(content(t, ts[0], head, 1<<20, len(data)), data) {
				t.Error("the original has changed with its copy")
			}
		})
	}
}
