package state_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"testing"

	"strata/spdk"
	"strata/spdk/sim"
	"strata/state"
)

// TestPulse finds what changes by itself, and nothing of lvols: neither in what it
// says nor in what it costs.
func TestPulse(t *testing.T) {
	c := sim.New(sim.Options{})
	defer c.Close()
	dir := t.TempDir()
	targets := map[string]*spdk.Client{}
	for _, n := range []string{"n1", "n2"} {
		if _, err := c.Start(n, dir+"/"+n); err != nil {
			t.Fatal(err)
		}
		client, err := spdk.New("unix://"+dir+"/"+n, spdk.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		targets[n] = client
	}
	ctx, n1 := context.Background(), targets["n1"]
	pulse := func() state.Beat {
		t.Helper()
		b, err := state.Pulse(ctx, n1, nil)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	call := func(client *spdk.Client, method string, params any) {
		t.Helper()
		must(client.Call(ctx, method, params, nil))
	}
	type m map[string]any
	cost := func() int64 {
		before, rounds := n1.Bytes(), n1.Rounds()
		pulse()
		if r := n1.Rounds() - rounds; r != 1 {
			t.Errorf("a pulse takes %d rounds", r)
		}
		return n1.Bytes() - before
	}

	const digits = 3 // the numbers of the four calls may have some digits more

	first := pulse()
	if again := pulse(); again != first {
		t.Errorf("nothing has changed: %+v, %+v", first, again)
	}
	before := cost()
	call(n1, "bdev_aio_create", m{"name": "disk", "filename": "/dev/disk", "block_size": 4096})
	call(n1, "bdev_lvol_create_lvstore", m{"bdev_name": "disk", "lvs_name": "fast"})
	for i := range 100 {
		call(n1, "bdev_lvol_create", m{"lvol_name": fmt.Sprintf("v%d", i), "size_in_mib": 4, "lvs_name": "fast", "thin_provision": true})
	}
	if after := cost(); after > before+4*digits {
		t.Errorf("a pulse has %d bytes, and %d with 100 lvols", before, after)
	}
	if again := pulse(); again != first {
		t.Errorf("lvols change by order only: %+v, %+v", first, again)
	}

	call(n1, "bdev_raid_create", m{"name": "r", "raid_level": "raid1", "base_bdevs": []string{"fast/v1", "fast/v2"}})
	mirrored := pulse()
	if mirrored.Raids == first.Raids {
		t.Error("a RAID that was made is not seen")
	}
	call(n1, "bdev_raid_remove_base_bdev", m{"name": "fast/v2"})
	if pulse().Raids == mirrored.Raids {
		t.Error("a leg that was lost is not seen")
	}

	call(targets["n2"], "nvmf_create_transport", m{"trtype": "TCP"})
	call(targets["n2"], "nvmf_create_subsystem", m{"nqn": "nqn.2026-01.io.strata:x", "allow_any_host": true})
	listen := m{"trtype": "TCP", "adrfam": "IPv4", "traddr": "10.0.0.2", "trsvcid": "4420"}
	call(targets["n2"], "nvmf_subsystem_add_listener", m{"nqn": "nqn.2026-01.io.strata:x", "listen_address": listen})
	call(n1, "bdev_nvme_attach_controller", m{"name": "p", "trtype": "TCP", "adrfam": "IPv4", "traddr": "10.0.0.2", "trsvcid": "4420", "subnqn": "nqn.2026-01.io.strata:x"})
	attached := pulse()
	c.Target("n2").Stop()
	if gone := pulse(); gone.Controllers == attached.Controllers {
		t.Error("a peer that is gone is not seen")
	}

	before, whole := n1.Bytes(), pulse()
	full := n1.Bytes() - before
	before = n1.Bytes()
	if since, err := state.Pulse(ctx, n1, &whole); err != nil || since != whole || n1.Bytes()-before >= full {
		t.Errorf("without subsystems: %+v (%v), %d of %d bytes", since, err, n1.Bytes()-before, full)
	}

	must(c.Target("n1").Restart())
	b, err := state.Pulse(ctx, n1, nil)
	if spdk.ClassOf(err) == spdk.Unreachable { // the connection was to the one before
		b, err = state.Pulse(ctx, n1, nil)
	}
	if err != nil || b.PID == first.PID || b.PID == 0 {
		t.Errorf("a target that was started again is not seen: %+v, %v", b, err)
	}
	c.Target("n1").Stop()
	if _, err := state.Pulse(ctx, n1, nil); err == nil {
		t.Error("a target that is gone has a pulse")
	}
}

// TestPulseOfAnAbsentPeer: that a controller tries to connect, again and again, changes
// nothing; that it has done so does.
func TestPulseOfAnAbsentPeer(t *testing.T) {
	at := ""
	pulse := func(is string) state.Beat {
		t.Helper()
		at = is
		client, err := spdk.New("unix:///n1", spdk.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go answer(far, map[string]string{
				"bdev_nvme_get_controllers": fmt.Sprintf(`[{"name":"lab.n2~wait","ctrlrs":[{"state":%q}]}]`, at),
				"framework_get_reactors":    `{"pid":7}`,
			})
			return near, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		b, err := state.Pulse(context.Background(), client, nil)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	well, gone := pulse("enabled"), pulse("reconnect_is_delayed")
	if gone == well {
		t.Error("a peer that is gone is not seen")
	}
	if tries := pulse("resetting"); tries != gone {
		t.Errorf("a controller tries to connect: %+v, and before %+v", tries, gone)
	}
	if failed := pulse("failed"); failed == gone {
		t.Error("a controller that has given up is not seen")
	}
}

// answer answers every call with what is given for its method, or an empty list.
func answer(conn net.Conn, with map[string]string) {
	in := json.NewDecoder(conn)
	for {
		var call struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
		}
		if err := in.Decode(&call); err != nil {
			return
		}
		fmt.Fprintf(conn, `{"jsonrpc":"2.0","id":%s,"result":%s}`, call.ID, cmp.Or(with[call.Method], "[]"))
	}
}
