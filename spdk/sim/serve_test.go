package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipeline sends n requests at once and returns the answers by id.
func pipeline(k *client, n int, req func(i int) string) map[int]response {
	k.t.Helper()
	go func() {
		var b bytes.Buffer
		for i := range n {
			b.WriteString(req(i))
		}
		k.c.Write(b.Bytes())
	}()
	m := map[int]response{}
	for range n {
		var r response
		if err := k.dec.Decode(&r); err != nil {
			k.t.Fatal(err)
		}
		m[*r.ID] = r
	}
	return m
}

func TestPipelinedCallsShareATick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, ks := cluster(t, real, 1)
		from := time.Now()
		for i := range 100 {
			mkLvol(ks[0], fmt.Sprint("a", i), 1)
		}
		if d := time.Since(from); d < 390*time.Millisecond || d > 810*time.Millisecond {
			t.Errorf("100 calls one after another took %v", d)
		}
		from = time.Now()
		for id, r := range pipeline(ks[0], 100, func(i int) string {
			return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"bdev_lvol_create","params":{"lvs_name":"lvs0","lvol_name":"b%d","size_in_mib":1,"thin_provision":true}}`, i, i)
		}) {
			if r.Error != nil {
				t.Errorf("%d: %v", id, r.Error)
			}
		}
		if d := time.Since(from); d > 20*time.Millisecond {
			t.Errorf("100 calls together took %v", d)
		}
	})
}

func TestEnvelope(t *testing.T) {
	_, ts, _ := cluster(t, Options{}, 1)
	for in, want := range map[string]string{
		`{"method":"bdev_wait_for_examine","id":"x"}`: `{"jsonrpc":"2.0","id":"x","result":true}`,
		`{"method":"nope","id":1}`:                    `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}`,
		`{"method":"nope"}`:                           `{"jsonrpc":"2.0","id":null,"error":{"code":-32601,"message":"Method not found"}}`,
		`{"id":1}`:                                    `{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"Invalid request"}}`,
		`{"jsonrpc":"1.0","method":"x","id":1}`:       `{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"Invalid request"}}`,
		`[]`:                                          `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid request"}}`,
		`[{"method":"bdev_wait_for_examine","id":1},{"method":"bdev_wait_for_examine"},{"method":"nope","id":2}]`: `[{"jsonrpc":"2.0","id":1,"result":true},{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"Method not found"}}]`,
	} {
		k := dial(t, ts[0])
		go io.WriteString(k.c, in)
		var got json.RawMessage
		if err := k.dec.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestSocketSurvivesAKillAsAFile(t *testing.T) {
	c := New(Options{})
	defer c.Close()
	sock := filepath.Join(t.TempDir(), "n1.sock")
	x, err := c.Start("n1", sock)
	if err != nil {
		t.Fatal(err)
	}
	hello := func() error {
		nc, err := net.Dial("unix", sock)
		if err != nil {
			return err
		}
		defer nc.Close()
		io.WriteString(nc, `{"method":"spdk_get_version","id":1}`)
		return json.NewDecoder(nc).Decode(&response{})
	}
	if err := hello(); err != nil {
		t.Fatal(err)
	}
	x.Stop()
	if err := hello(); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("after a kill: %v", err)
	}
	if err := x.Restart(); err != nil {
		t.Fatal(err)
	}
	if err := hello(); err != nil {
		t.Fatal(err)
	}
}

func TestFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, ts, ks := cluster(t, real, 1)
		fault := func(f Fault) {
			c.Inject(func(x Call) Fault {
				if x.Method == "bdev_lvol_create" {
					return f
				}
				return Fault{}
			})
		}
		create := func(k *client, name string) {
			k.c.SetReadDeadline(time.Now().Add(time.Minute))
			k.id++
			fmt.Fprintf(k.c, `{"id":%d,"method":"bdev_lvol_create","params":{"lvs_name":"lvs0","lvol_name":%q,"size_in_mib":1,"thin_provision":true}}`, k.id, name)
		}
		fault(Fault{LoseBefore: true})
		create(ks[0], "before")
		time.Sleep(time.Second)
		fault(Fault{LoseAfter: true})
		create(ks[0], "after")
		time.Sleep(time.Second)
		if m := lvols(ks[0]); len(m) != 1 || m["after"].UUID == "" {
			t.Errorf("lvols %v", m)
		}
		fault(Fault{Err: &Error{-5, "made up"}})
		ks[0].refuse(-5, "made up", "bdev_lvol_create", M{"lvs_name": "lvs0", "lvol_name": "x", "size_in_mib": 1})
		fault(Fault{Delay: 3 * time.Second})
		from := time.Now()
		mkLvol(ks[0], "slow", 1)
		near(t, "a delayed call", time.Since(from), 3*time.Second)
		fault(Fault{Cut: true})
		create(ks[0], "cut")
		if err := ks[0].dec.Decode(&response{}); err == nil {
			t.Error("answered although cut")
		}
		k := dial(t, ts[0])
		if lvols(k)["cut"].UUID == "" {
			t.Error("a cut call had no effect")
		}
		fault(Fault{Kill: true})
		create(k, "last")
		if err := k.dec.Decode(&response{}); err == nil {
			t.Error("answered although killed")
		}
		if ts[0].Running() {
			t.Error("still running")
		}
		if err := ts[0].Restart(); err != nil {
			t.Fatal(err)
		}
		k = dial(t, ts[0])
		prepare(k)
		if lvols(k)["last"].UUID == "" {
			t.Error("what was done right before the kill is lost")
		}
	})
}

func TestCallsTellWritesFromReads(t *testing.T) {
	_, ts, ks := cluster(t, Options{}, 1)
	ts[0].ResetCalls()
	for _, m := range []string{"spdk_get_version", "rpc_get_methods", "bdev_get_bdevs", "bdev_lvol_get_lvols", "bdev_lvol_get_lvstores",
		"nvmf_get_subsystems", "nvmf_get_transports", "bdev_nvme_get_controllers", "bdev_get_iostat", "ublk_get_disks", "nbd_get_disks"} {
		ks[0].must(m, nil)
	}
	if c := ts[0].Calls(); c.Writes != 0 || c.Reads != 11 {
		t.Errorf("%d writes, %d reads", c.Writes, c.Reads)
	}
	mkLvol(ks[0], "a", 1)
	ks[0].call("bdev_lvol_delete", M{"name": "nope"})
	c := ts[0].Calls()
	if c.Writes != 2 || c.ByMethod["bdev_lvol_create"] != 1 || c.Recent[11].Method != "bdev_lvol_create" || !c.Recent[11].Writes {
		t.Errorf("%+v", c)
	}
}

func TestEveryMethodIsPublished(t *testing.T) {
	for name := range methods {
		if _, ok := schema().Methods[name]; !ok && !Stock.without[name] {
			t.Errorf("%s is not in SPDK's schema", name)
		}
	}
	for name := range schema().Methods {
		if methods[name] == nil && !slices.Contains([]string{"framework_start_init"}, name) {
			t.Errorf("%s is in the schema but answered by nobody", name)
		}
	}
}

// busy makes a node with 300 lvols, 200 NVMe bdevs, 100 RAIDs and 200 subsystems.
func busy(t testing.TB) *client {
	_, _, ks := cluster(t, Options{}, 2)
	nqn := mkLink(ks[1], ks[0], "n2", "4421")
	for i := range 200 {
		id := mkLvol(ks[1], fmt.Sprint("r", i), 1)
		ks[1].must("nvmf_subsystem_add_ns", M{"nqn": nqn, "namespace": M{"bdev_name": id}})
		if i < 100 {
			ks[0].must("bdev_raid_create", M{"name": fmt.Sprint("raid", i), "raid_level": "raid1",
				"base_bdevs": []string{mkLvol(ks[0], fmt.Sprint("l", i), 1), id}})
		}
		ks[0].must("nvmf_create_subsystem", M{"nqn": fmt.Sprint(nqnBase, i), "allow_any_host": true})
	}
	for i := range 200 {
		mkLvol(ks[0], fmt.Sprint("x", i), 1)
	}
	return ks[0]
}

func BenchmarkGetBdevs(b *testing.B) {
	k := busy(b)
	for b.Loop() {
		k.must("bdev_get_bdevs", nil)
	}
}

func BenchmarkCreateLvolsPipelined(b *testing.B) {
	_, _, ks := cluster(b, Options{DiskSize: 1 << 40}, 1)
	n := 0
	for b.Loop() {
		pipeline(ks[0], 1000, func(i int) string {
			n++
			return fmt.Sprintf(`{"id":%d,"method":"bdev_lvol_create","params":{"lvs_name":"lvs0","lvol_name":"v%d","size_in_mib":1024,"thin_provision":true}}`, n, n)
		})
	}
}
