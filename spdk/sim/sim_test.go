package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"testing"
	"time"
)

// client is a plain JSON-RPC client on one connection.
type client struct {
	t   testing.TB
	c   net.Conn
	dec *json.Decoder
	id  int
}

func dial(t testing.TB, x *Target) *client {
	t.Helper()
	a, b := net.Pipe()
	go x.Serve(b)
	t.Cleanup(func() { a.Close() })
	return &client{t: t, c: a, dec: json.NewDecoder(a)}
}

type response struct {
	ID     *int            `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *Error          `json:"error"`
}

// call sends one request and waits for its answer.
func (c *client) call(method string, params any) (json.RawMessage, *Error) {
	c.t.Helper()
	result, refused, err := c.try(method, params)
	if err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
	return result, refused
}

// try is call for what may be left without an answer.
func (c *client) try(method string, params any) (json.RawMessage, *Error, error) {
	r, err := c.round(call{method, params})
	if err != nil {
		return nil, nil, err
	}
	return r[0].Result, r[0].Error, nil
}

type call struct {
	method string
	params any
}

// round sends calls together and waits for the answers to all of them.
func (c *client) round(calls ...call) ([]response, error) {
	var all []byte
	first := c.id + 1
	for _, x := range calls {
		c.id++
		req := map[string]any{"jsonrpc": "2.0", "id": c.id, "method": x.method}
		if x.params != nil {
			req["params"] = x.params
		}
		b, err := json.Marshal(req)
		if err != nil {
			return nil, err
		}
		all = append(all, b...)
	}
	if _, err := c.c.Write(all); err != nil {
		return nil, err
	}
	answers := make([]response, len(calls))
	for range calls {
		var r response
		if err := c.dec.Decode(&r); err != nil {
			return nil, err
		}
		answers[*r.ID-first] = r
	}
	return answers, nil
}

// must calls and expects success.
func (c *client) must(method string, params any) json.RawMessage {
	c.t.Helper()
	r, e := c.call(method, params)
	if e != nil {
		c.t.Fatalf("%s %v: %v", method, params, e)
	}
	return r
}

// refuse calls and expects an error of that code and message.
func (c *client) refuse(code int, message, method string, params any) {
	c.t.Helper()
	r, e := c.call(method, params)
	if e == nil {
		c.t.Fatalf("%s %v: answered %s, want error %d %q", method, params, r, code, message)
	}
	if e.Code != code || e.Message != message {
		c.t.Fatalf("%s %v: got %v, want %d %q", method, params, e, code, message)
	}
}

// str calls and returns the string answered.
func (c *client) str(method string, params any) string {
	c.t.Helper()
	var s string
	c.into(&s, method, params)
	return s
}

func (c *client) into(v any, method string, params any) {
	c.t.Helper()
	if err := json.Unmarshal(c.must(method, params), v); err != nil {
		c.t.Fatal(err)
	}
}

// M is an object of parameters.
type M = map[string]any

// cluster starts targets n1, n2, … with a memory disk and an lvstore "lvs0"
// of 1 MiB clusters each, and a TCP transport.
func cluster(t testing.TB, o Options, n int) (*Cluster, []*Target, []*client) {
	t.Helper()
	c := New(o)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	var ts []*Target
	var cs []*client
	for i := range n {
		x, err := c.Start("n"+string(rune('1'+i)), "")
		if err != nil {
			t.Fatal(err)
		}
		k := dial(t, x)
		prepare(k)
		k.must("bdev_lvol_create_lvstore", M{"bdev_name": "disk0", "lvs_name": "lvs0", "cluster_sz": 1 << 20})
		ts, cs = append(ts, x), append(cs, k)
	}
	return c, ts, cs
}

func prepare(k *client) {
	k.t.Helper()
	k.must("bdev_aio_create", M{"filename": "/dev/sda", "name": "disk0", "block_size": 4096})
	k.must("nvmf_create_transport", M{"trtype": "TCP"})
}

func mkLvol(k *client, name string, mib int) string {
	k.t.Helper()
	return k.str("bdev_lvol_create", M{"lvs_name": "lvs0", "lvol_name": name, "size_in_mib": mib, "thin_provision": true})
}

const nqnBase = "nqn.2026-01.io.x:"

func addr(port string) M {
	return M{"trtype": "TCP", "adrfam": "IPv4", "traddr": "127.0.0.1", "trsvcid": port}
}

// mkLink makes a subsystem on from at a port and attaches it on to as name.
func mkLink(from, to *client, name, port string) string {
	from.t.Helper()
	nqn := nqnBase + name
	from.must("nvmf_create_subsystem", M{"nqn": nqn, "allow_any_host": true, "max_namespaces": 4096})
	from.must("nvmf_subsystem_add_listener", M{"nqn": nqn, "listen_address": addr(port)})
	to.must("bdev_nvme_attach_controller", M{"name": name, "trtype": "TCP", "adrfam": "IPv4", "traddr": "127.0.0.1",
		"trsvcid": port, "subnqn": nqn, "ctrlr_loss_timeout_sec": 15, "reconnect_delay_sec": 2, "fast_io_fail_timeout_sec": 10})
	return nqn
}

// mkExport offers a bdev to any host.
func mkExport(k *client, nqn, port, bdev, uuid string) {
	k.t.Helper()
	k.must("nvmf_create_subsystem", M{"nqn": nqn, "allow_any_host": true, "ana_reporting": true})
	k.must("nvmf_subsystem_add_ns", M{"nqn": nqn, "namespace": M{"bdev_name": bdev, "nsid": 1, "uuid": uuid}})
	k.must("nvmf_subsystem_add_listener", M{"nqn": nqn, "listen_address": addr(port)})
}

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func filled(n int, b byte) []byte { return bytes.Repeat([]byte{b}, n) }

func content(t testing.TB, x *Target, bdev string, off int64, n int) []byte {
	t.Helper()
	p := make([]byte, n)
	if err := x.ReadBdev(within(t, time.Minute), bdev, p, off); err != nil {
		t.Fatalf("read %s: %v", bdev, err)
	}
	return p
}

func TestWriteThroughHost(t *testing.T) {
	c, ts, ks := cluster(t, Options{}, 2)
	a, b := mkLvol(ks[0], "db", 64), mkLvol(ks[1], "db", 64)
	nqn := mkLink(ks[1], ks[0], "n2", "4421")
	ks[1].must("nvmf_subsystem_add_ns", M{"nqn": nqn, "namespace": M{"bdev_name": b}})
	ks[0].must("bdev_raid_create", M{"name": "db", "raid_level": "raid1", "base_bdevs": []string{a, b}})
	mkExport(ks[0], nqnBase+"db", "4420", "db", "11111111-2222-3333-4444-555555555555")
	conn, err := c.Host("nqn.2026-01.io.x:h").Connect("127.0.0.1", "4420", nqnBase+"db")
	if err != nil {
		t.Fatal(err)
	}
	n, err := conn.Namespace(1)
	if err != nil {
		t.Fatal(err)
	}
	want := filled(1<<20+5000, 7)
	if err := n.WriteAt(within(t, time.Minute), want, 3<<20-100); err != nil {
		t.Fatal(err)
	}
	for i, bdev := range []string{a, b} {
		if !bytes.Equal(content(t, ts[i], bdev, 3<<20-100, len(want)), want) {
			t.Errorf("replica %d differs", i)
		}
	}
	if got := content(t, ts[0], a, 0, 4096); !bytes.Equal(got, filled(4096, 0)) {
		t.Error("what was not written is not zero")
	}
}

func TestMalformedByteClosesConnection(t *testing.T) {
	_, ts, _ := cluster(t, Options{}, 1)
	k := dial(t, ts[0])
	k.must("spdk_get_version", nil)
	if _, err := k.c.Write([]byte("}")); err != nil {
		t.Fatal(err)
	}
	if err := k.dec.Decode(&response{}); err != io.EOF {
		t.Fatalf("got %v, want EOF", err)
	}
}
