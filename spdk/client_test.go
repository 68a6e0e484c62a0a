package spdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// echo answers each request with its own parameters.
func echo(nc net.Conn) {
	dec := json.NewDecoder(nc)
	for {
		var r request
		if dec.Decode(&r) != nil {
			return
		}
		nc.Write(reply(string(r.ID), r.Params))
	}
}

// piped returns a client whose connections lead to handler without a socket:
// what nobody reads, nobody can write.
func piped(opts Options, handler func(net.Conn)) (*Client, *atomic.Int32) {
	dials := new(atomic.Int32)
	opts.Dial = func(context.Context, string, string) (net.Conn, error) {
		dials.Add(1)
		a, b := net.Pipe()
		go func() {
			defer b.Close()
			handler(b)
		}()
		return a, nil
	}
	c, err := New("unix:///x", opts)
	if err != nil {
		panic(err)
	}
	return c, dials
}

func mustBe(t *testing.T, err error, class Class) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Class != class {
		t.Errorf("got %v (%v), want %v", err, ClassOf(err), class)
	}
}

func call1(c *Client, n int) error {
	return callCtx(context.Background(), c, n)
}

// callCtx has n echoed.
func callCtx(ctx context.Context, c *Client, n int) error {
	var got []int
	if err := c.Call(ctx, "echo", []int{n}, &got); err != nil {
		return err
	}
	if len(got) != 1 || got[0] != n {
		return fmt.Errorf("got %v, want %d: another call's reply", got, n)
	}
	return nil
}

func TestParse(t *testing.T) {
	for addr, want := range map[string]endpoint{
		"unix:///var/tmp/spdk.sock":            {"unix", "unix", "/var/tmp/spdk.sock", "", ""},
		"tcp://10.0.0.1:5260":                  {"tcp", "tcp", "10.0.0.1:5260", "", ""},
		"tcp://[::1]:5260":                     {"tcp", "tcp", "[::1]:5260", "", ""},
		"http://h":                             {"http", "tcp", "h:80", "", ""},
		"http://u@h:8000/a/b":                  {"http", "tcp", "h:8000", "u", "/a/b"},
		"https://u@[fd00::1]/":                 {"https", "tcp", "[fd00::1]:443", "u", "/"},
		"ssh://root@h/var/tmp/spdk.sock":       {"ssh", "tcp", "h:22", "root", "/var/tmp/spdk.sock"},
		"ssh://root@[fd00::1]:2222/run/a b@c":  {"ssh", "tcp", "[fd00::1]:2222", "root", "/run/a b@c"},
		"ssh://root@10.0.0.1:2222/run/x?y#z:q": {"ssh", "tcp", "10.0.0.1:2222", "root", "/run/x?y#z:q"},
	} {
		if got, err := parse(addr); err != nil || got != want {
			t.Errorf("%s: %+v, %v", addr, got, err)
		}
	}
	for _, bad := range []string{
		"", "/var/tmp/spdk.sock", "unix://", "unix://spdk.sock", "unix:///a/", "tcp://host", "tcp://:1", "udp://h:1",
		"http://", "http://u@", "http://h/?x", "http://u@:80", "https://fd00::1", "ssh://h/s", "ssh://u@h", "ssh://u@h/", "ssh://u@/s", "ssh://u@h:/s",
		"http://u:s3cret@h", "ssh://u:s3cret@h/s", "udp://u:s3c/ret@h",
	} {
		err := Parse(bad)
		if err == nil {
			t.Errorf("%q is taken", bad)
		} else if strings.Contains(err.Error(), "s3c") {
			t.Error(err)
		}
	}
}

func TestManyCallsOneConnection(t *testing.T) {
	c := client(t, serve(t, echo), Options{})
	var wg sync.WaitGroup
	for i := range 500 {
		wg.Go(func() {
			if err := call1(c, i); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if c.Rounds() != 500 || len(c.conns) != 1 {
		t.Errorf("%d rounds, %d connections", c.Rounds(), len(c.conns))
	}
}

// The target answers nothing until it has every request, and then backwards.
func TestRoundIsPipelinedAndRepliesMayComeInAnyOrder(t *testing.T) {
	const n = 3000
	c := client(t, serve(t, func(nc net.Conn) {
		dec := json.NewDecoder(nc)
		var got []request
		for len(got) < n {
			var r request
			if err := dec.Decode(&r); err != nil {
				t.Error(err)
				return
			}
			if string(r.Params) != fmt.Sprintf("[%d]", len(got)) {
				t.Errorf("request %d has %s", len(got), r.Params)
			}
			got = append(got, r)
		}
		for i := range got {
			nc.Write(reply(string(got[n-1-i].ID), got[n-1-i].Params))
		}
		io.Copy(io.Discard, nc)
	}), Options{})
	out := make([][]int, n)
	var reqs []*Req
	for i := range n {
		reqs = append(reqs, &Req{Method: "echo", Params: []int{i}, Result: &out[i]})
	}
	if err := c.Round(context.Background(), reqs...); err != nil {
		t.Fatal(err)
	}
	for i, o := range out {
		if len(o) != 1 || o[0] != i {
			t.Fatalf("request %d got %v", i, o)
		}
	}
	if c.Rounds() != 1 {
		t.Errorf("%d rounds", c.Rounds())
	}
}

func TestErrorsOfARoundAreEachItsOwn(t *testing.T) {
	c := client(t, serve(t, func(nc net.Conn) {
		answerAll(nc, func(id, method string) []byte {
			switch method {
			case "bad":
				return []byte(`{"jsonrpc":"2.0","id":` + id + `,"error":{"code":-19,"message":"No such device"}}`)
			case "none":
				return []byte(`{"jsonrpc":"2.0","id":` + id + `,"error":{"code":-32601,"message":"Method not found"}}`)
			case "text":
				return reply(id, []byte(`"text"`))
			}
			return reply(id, []byte("false"))
		})
	}), Options{})
	var n int
	good, bad, none := &Req{Method: "text"}, &Req{Method: "bad"}, &Req{Method: "none"}
	shape, no, never := &Req{Method: "text", Result: &n}, &Req{Method: "no"}, &Req{Method: "x", Params: func() {}}
	if err := c.Round(context.Background(), good, bad, none, shape, no, never); err != nil {
		t.Error("every request was answered, yet:", err)
	}
	if good.Err != nil {
		t.Error(good.Err)
	}
	mustBe(t, bad.Err, NotFound)
	mustBe(t, none.Err, Unsupported)
	mustBe(t, shape.Err, Other)
	mustBe(t, no.Err, Other)
	mustBe(t, never.Err, Invalid)
}

// While other replies come, a late one does not cost the connection, and is
// nobody's when it comes.
// A silent connection takes no more calls, but those in flight with more
// patience still get their answers on it.
// A target that reads nothing: the caller gets away in time, what was never in
// the socket is certain not to be carried out, also later.
// The same with a real socket and its buffers.
// A target that closes after each answer costs nobody a call.
func TestClose(t *testing.T) {
	got := make(chan bool)
	c := client(t, serve(t, func(nc net.Conn) {
		answerAll(nc, func(string, string) []byte { close(got); return nil })
	}), Options{})
	go func() { <-got; c.Close() }()
	mustBe(t, call1(c, 1), Unknown)
	mustBe(t, call1(c, 2), Unreachable)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestMethodsOnceAConnection(t *testing.T) {
	var asked atomic.Int32
	c := client(t, serve(t, func(nc net.Conn) {
		answerAll(nc, func(id, method string) []byte {
			switch method {
			case "rpc_get_methods":
				asked.Add(1)
				return reply(id, []byte(`["rpc_get_methods","bdev_get_bdevs"]`))
			case "end":
				nc.Close()
			}
			return reply(id, []byte("true"))
		})
	}), Options{})
	ctx := context.Background()
	for range 3 {
		m, err := c.Methods(ctx)
		if err != nil || !m.Has("bdev_get_bdevs") || m.Has("bdev_raid_grow_base_bdev") {
			t.Error(m, err)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
	c.Call(ctx, "end", nil, nil)
	var m Methods
	if err := c.Round(ctx, GetMethods(&m)); err != nil || len(m) != 2 {
		t.Error(m, err)
	}
	if _, err := c.Methods(ctx); err != nil || asked.Load() != 2 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
}

func TestTrace(t *testing.T) {
	var mu sync.Mutex
	var got []string
	trace := func(method string, params, result json.RawMessage, err error, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, fmt.Sprintf("%s(%s) %s %v", method, params, result, err))
	}
	c := client(t, serve(t, func(nc net.Conn) {
		answerAll(nc, func(id, method string) []byte {
			if method == "cut" {
				nc.Close()
			}
			return reply(id, []byte("[1]"))
		})
	}), Options{Trace: trace})
	call1(c, 1)
	c.Call(context.Background(), "cut", nil, nil)
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 2 || got[0] != "echo([1]) [1] <nil>" || !strings.HasPrefix(got[1], "cut()  cut: outcome unknown: ") {
		t.Errorf("%q", got)
	}
}

func TestTypedCalls(t *testing.T) {
	c := client(t, serve(t, func(nc net.Conn) {
		answerAll(nc, func(id, method string) []byte {
			switch method {
			case "bdev_lvol_create":
				return reply(id, []byte(`"u-1"`))
			case "bdev_get_bdevs":
				return reply(id, []byte(`[{"name":"b","block_size":512,"num_blocks":8,"driver_specific":{"nvme":[{"ns_data":{"id":3}}]}}]`))
			case "nvmf_subsystem_add_ns":
				return reply(id, []byte("4"))
			}
			return reply(id, []byte("true"))
		})
	}), Options{})
	ctx := context.Background()
	if uuid, err := c.LvolCreate(ctx, LvolCreate{LvolName: "a", LvsName: "l", SizeMiB: 4}); uuid != "u-1" || err != nil {
		t.Error(uuid, err)
	}
	if b, err := c.GetBdev(ctx, "b"); err != nil || b.Size() != 4096 || b.Driver.NVMe[0].NS.ID != 3 {
		t.Error(b, err)
	}
	if nsid, err := c.NamespaceAdd(ctx, NamespaceAdd{}); nsid != 4 || err != nil {
		t.Error(nsid, err)
	}
	if err := c.DisableController(ctx, "n2"); err != nil {
		t.Error(err)
	}
}
