package spdk

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"strata/spdk/reachtest"
)

// proxy starts one in front of the target at a Unix socket.
func proxy(tb testing.TB, socket string, cert *tls.Certificate) *reachtest.Proxy {
	tb.Helper()
	p, err := reachtest.StartProxy(strings.TrimPrefix(socket, "unix://"), "admin", "s3cret", cert)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.Close)
	return p
}

// proxied returns a client that reaches handler through a proxy like SPDK's.
func proxied(tb testing.TB, opts Options, handler func(net.Conn)) (*Client, *reachtest.Proxy) {
	p := proxy(tb, serve(tb, handler), nil)
	opts.Password = "s3cret"
	return client(tb, "http://admin@"+p.Addr, opts), p
}

func TestPost(t *testing.T) {
	c, p := proxied(t, Options{}, func(nc net.Conn) {
		answerAll(nc, func(id, method string) []byte {
			switch method {
			case "none":
				return []byte(`{"jsonrpc":"2.0","id":` + id + `,"error":{"code":-32601,"message":"Method not found"}}`)
			case "garbled":
				return []byte(`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}`)
			case "rpc_get_methods":
				return reply(id, []byte(`["rpc_get_methods","a"]`))
			}
			return reply(id, []byte("[7]"))
		})
	})
	var got, other []int
	good, none, garbled := &Req{Method: "x", Result: &got}, &Req{Method: "none"}, &Req{Method: "garbled"}
	ctx := context.Background()
	if err := c.Round(ctx, good, none, garbled, &Req{Method: "x", Result: &other}); err != nil {
		t.Fatal(err)
	}
	if good.Err != nil || len(got) != 1 || got[0] != 7 || len(other) != 1 {
		t.Error(good.Err, got, other)
	}
	mustBe(t, none.Err, Unsupported)
	mustBe(t, garbled.Err, Invalid)
	if c.Rounds() != 1 || p.Served.Load() != 4 {
		t.Errorf("%d rounds, %d calls", c.Rounds(), p.Served.Load())
	}
	// There is no connection that could tell that the target is the same.
	for range 2 {
		if m, err := c.Methods(ctx); err != nil || !m.Has("a") {
			t.Error(m, err)
		}
	}
	if n := p.Served.Load(); n != 6 {
		t.Errorf("%d calls", n)
	}
}

func TestPostIsASCII(t *testing.T) {
	c, _ := proxied(t, Options{}, func(nc net.Conn) {
		var r request
		b := make([]byte, 1000)
		n, _ := nc.Read(b)
		fmt.Sscanf(string(b[:n]), `{"jsonrpc":"2.0","id":%s`, &r.ID)
		nc.Write(reply("1", fmt.Appendf(nil, "%q", b[strings.Index(string(b), "params"):n])))
	})
	var got string
	if err := c.Call(context.Background(), "echo", []string{"aü😀\n"}, &got); err != nil {
		t.Fatal(err)
	}
	if want := `params":["a\u00fc\ud83d\ude00\n"]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What is wrong in front of the target certainly never reached it.
func TestPostNotDelivered(t *testing.T) {
	var calls atomic.Int32
	socket := serve(t, func(nc net.Conn) {
		answerAll(nc, func(id, _ string) []byte { calls.Add(1); return reply(id, []byte("true")) })
	})
	cert, ca, err := reachtest.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	plain, secure := proxy(t, socket, nil).Addr, proxy(t, socket, cert).Addr
	for _, x := range []struct {
		url, password, want string
	}{
		{"http://admin@" + plain, "wr0ng", "the proxy does not accept user admin with this password (401 Unauthorized)"},
		{"http://" + plain, "s3cret", "the proxy wants a user and a password (401 Unauthorized)"},
		{"https://admin@" + secure, "s3cret", "certificate signed by unknown authority"},
		{"https://admin@" + plain, "s3cret", "tls with "},
		{"http://admin@127.0.0.1:1", "s3cret", "connection refused"},
		{"http://admin@" + plain, "wr0ng\r\nX: y", "401"},
	} {
		c := client(t, x.url, Options{Password: x.password, Timeout: 5 * time.Second})
		err := c.Call(context.Background(), "x", nil, nil)
		mustBe(t, err, Unreachable)
		if !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("%s: %v", x.url, err)
		}
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("%d calls reached the target", n)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	c := client(t, "https://admin@"+secure, Options{Password: "s3cret", RootCAs: pool})
	if err := c.Call(context.Background(), "x", nil, nil); err != nil || calls.Load() != 1 {
		t.Error(err, calls.Load())
	}
}

func TestPostTargetGone(t *testing.T) {
	p := proxy(t, filepath.Join(t.TempDir(), "absent"), nil)
	c := client(t, "http://admin@"+p.Addr, Options{Password: "s3cret"})
	err := c.Call(context.Background(), "x", nil, nil)
	mustBe(t, err, Unknown) // as far as the proxy lets anybody know
	if want := "x: outcome unknown: the proxy closed the connection without an answer; does its target run?"; err.Error() != want {
		t.Error(err)
	}
	c, _ = proxied(t, Options{}, func(nc net.Conn) { nc.Read(make([]byte, 100)) })
	mustBe(t, c.Call(context.Background(), "x", nil, nil), Unknown)
}

// posted returns a client whose connections lead to handler.
func posted(opts Options, handler func(nc net.Conn, r *http.Request, id string)) *Client {
	opts.Dial = func(context.Context, string, string) (net.Conn, error) {
		a, b := net.Pipe()
		go func() {
			defer b.Close()
			var call request
			r, err := http.ReadRequest(bufio.NewReader(b))
			if err == nil && json.NewDecoder(r.Body).Decode(&call) == nil {
				handler(b, r, string(call.ID))
			}
		}()
		return a, nil
	}
	c, err := New("http://u@proxy:8000/path/", opts)
	if err != nil {
		panic(err)
	}
	return c
}

func TestPostAnswers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, x := range []struct {
		answer string
		class  Class // Other: the call succeeds
		want   string
	}{
		{ok + "Content-Length: 37\r\n\r\n" + `{"id":1,"jsonrpc":"2.0","result":true}`[:37], Unknown, "not one JSON object"},
		{ok + "Content-Length: 38\r\n\r\n" + `{"id":1,"jsonrpc":"2.0","result":true}`, Other, ""},
		{ok + "Transfer-Encoding: chunked\r\n\r\n6\r\n{\"id\":\r\n10\r\n1,\"result\":true}\r\n0\r\n\r\n", Other, ""},
		{"HTTP/1.1 100 Continue\r\n\r\n" + ok + "\r\n" + `{"id":1,"result":true}`, Other, ""},
		{ok + "\r\n \n" + `{"id":1,"result":true}` + "\n", Other, ""},
		{ok + "\r\n", Unknown, "empty"},
		{ok + "\r\n" + `{"id":1,"res`, Unknown, "not one JSON object"},
		{ok + "\r\n" + `{"id":1,"result":true}{}`, Unknown, "not one JSON object"},
		{ok + "\r\n" + `{"id":7,"result":true}`, Unknown, "another call"},
		{ok + "\r\n" + `{"id":1}`, Unknown, "not a JSON-RPC object"},
		{ok + "\r\n" + `<html>`, Unknown, "not a JSON object"},
		{ok + "\r\n" + `{"id":1,"result":false}`, Other, "answered false"},
		{"HTTP/1.1 301 Moved\r\nLocation: https://u:s3cret@other/\r\n\r\n", Unreachable, "the proxy says 301 Moved, to https://u:[removed]@other/; strata follows no redirection"},
		{"HTTP/1.1 401 No\r\n\r\n", Unreachable, "user u"},
		{"HTTP/1.1 403 Forbidden\r\n\r\n", Unreachable, "the proxy says 403 Forbidden"},
		{"HTTP/1.1 404 Not Found\r\n\r\n", Unreachable, "404"},
		{"HTTP/1.1 500 Oops\r\n\r\n", Unknown, "its target may have gone away"},
		{"HTTP/1.1 502 Bad Gateway\r\n\r\n", Unknown, "502"},
		{"HTTP/1.1 504 Gateway Timeout\r\n\r\n", Unknown, "504"},
		{"", Unknown, "without an answer"},
		{"HTTP/1.1 2", Unknown, "malformed HTTP"},
		{"HTTP/1.1 200 OK\r\nX: y\r\n", Unknown, "without an answer"},
		{"SSH-2.0-OpenSSH\r\n", Unknown, "malformed HTTP"},
	} {
		c := posted(Options{Password: "s3cret"}, func(nc net.Conn, _ *http.Request, _ string) { io.WriteString(nc, x.answer) })
		err := c.Call(context.Background(), "x", nil, nil)
		if x.want == "" {
			if err != nil {
				t.Errorf("%q: %v", x.answer, err)
			}
			continue
		}
		mustBe(t, err, x.class)
		if err != nil && !strings.Contains(err.Error(), x.want) {
			t.Errorf("%q: %v", x.answer, err)
		}
	}
}

func TestPostRequest(t *testing.T) {
	c := posted(Options{Password: "p:w"}, func(nc net.Conn, r *http.Request, _ string) {
		user, password, _ := r.BasicAuth()
		if r.Method != "POST" || r.URL.Path != "/path/" || r.Host != "proxy:8000" || user != "u" || password != "p:w" || !r.Close {
			t.Errorf("%+v", r)
		}
		io.WriteString(nc, "HTTP/1.0 200 OK\r\n\r\n{\"id\":1,\"result\":true}")
	})
	if err := c.Call(context.Background(), "x", nil, nil); err != nil {
		t.Error(err)
	}
}

// A proxy that takes calls and answers none holds its caller up once, however
// many calls there are, and gets no more than it has.
func TestPostStuckProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var took atomic.Int32
		end := make(chan bool)
		defer close(end)
		c := posted(Options{}, func(nc net.Conn, _ *http.Request, _ string) { took.Add(1); <-end })
		defer c.Close()
		var reqs []*Req
		for range 100 {
			reqs = append(reqs, &Req{Method: "x"})
		}
		start := time.Now()
		err := c.Round(context.Background(), reqs...)
		if err == nil || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		count := map[Class]int{}
		for _, r := range reqs {
			count[ClassOf(r.Err)]++
			if ClassOf(r.Err) == Unknown && !errors.Is(r.Err, context.DeadlineExceeded) {
				t.Error(r.Err)
			}
		}
		if count[Unknown] != int(took.Load()) || count[Unknown]+count[Unreachable] != 100 || count[Unknown] > 4 {
			t.Error(count, took.Load())
		}
	})
}

func TestPostProxyThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New("http://proxy", Options{Dial: func(context.Context, string, string) (net.Conn, error) {
			a, _ := net.Pipe()
			return a, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		start := time.Now()
		mustBe(t, c.Call(context.Background(), "x", nil, nil), Unreachable)
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("after %v", took)
		}
	})
}

// A slow proxy is not a stuck one: a call's time begins with its turn. A call
// whose caller has a deadline does not wait behind those of others.
func TestPostTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := make(chan bool, 1)
		c := posted(Options{}, func(nc net.Conn, _ *http.Request, id string) {
			one <- true
			time.Sleep(time.Second)
			io.WriteString(nc, "HTTP/1.0 200 OK\r\n\r\n"+string(reply(id, []byte("true"))))
			<-one
		})
		defer c.Close()
		var reqs []*Req
		for range 60 {
			reqs = append(reqs, &Req{Method: "x"})
		}
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { c.Round(context.Background(), reqs...) })
		time.Sleep(1500 * time.Millisecond)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := c.Call(ctx, "x", nil, nil); err != nil || time.Since(start) > 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		wg.Wait()
		if took := time.Since(start); took != 61*time.Second {
			t.Errorf("took %v", took)
		}
		for _, r := range reqs {
			if r.Err != nil {
				t.Error(r.Err)
			}
		}
	})
}

func TestPostCanceledAndClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan bool)
		defer close(end)
		c := posted(Options{}, func(net.Conn, *http.Request, string) { <-end })
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Second, cancel)
		err := c.Call(ctx, "x", nil, nil)
		mustBe(t, err, Unknown)
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		time.AfterFunc(time.Second, func() { c.Close() })
		reqs := []*Req{{Method: "x"}, {Method: "x"}, {Method: "x"}, {Method: "x"}}
		c.Round(context.Background(), reqs...)
		count := map[Class]int{}
		for _, r := range reqs {
			count[ClassOf(r.Err)]++
		}
		if count[Unknown] != 2 || count[Unreachable] != 2 {
			t.Error(count)
		}
		mustBe(t, c.Call(context.Background(), "x", nil, nil), Unreachable)
	})
}
