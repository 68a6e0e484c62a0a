package reachtest

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestProxyIsAsSPDKs holds the proxy to what SPDK's own answers. Set
// SPDK_HTTP_PROXY to the path of scripts/rpc_http_proxy.py, in an SPDK source
// tree, to have that one asked, too.
func TestProxyIsAsSPDKs(t *testing.T) {
	t.Run("ours", func(t *testing.T) {
		socket := oddTarget(t)
		p, err := StartProxy(socket, "u", "p", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		mustAnswer(t, p.Addr, socket)
	})
	if script := os.Getenv("SPDK_HTTP_PROXY"); script != "" {
		t.Run("SPDK's", func(t *testing.T) {
			socket := oddTarget(t)
			mustAnswer(t, StartScript(t, script, socket, "u", "p"), socket)
		})
	}
}

// oddTarget does what a request's method says.
func oddTarget(t *testing.T) string {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			var r struct{ Method string }
			json.NewDecoder(nc).Decode(&r)
			io.WriteString(nc, map[string]string{
				"ok": `{"jsonrpc":"2.0","id":1,"result":true}` + "\n", "no": `{"id":1,"error":{"code":-19,"message":"No such device"}}`,
				"close": "", "partly": `{"id":1,`, "text": `{"id":1,"result":"ü"}`,
			}[r.Method])
			nc.Close()
		}
	}()
	return socket
}

func mustAnswer(t *testing.T, addr, socket string) {
	auth := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("u:p")) + "\r\n"
	post := func(header, body string) string {
		return fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", header, len(body), body)
	}
	const good = `{"id":1,"method":"ok"}`
	for _, c := range []struct{ name, request, want string }{
		{"a result", post(auth, good), `^HTTP/1\.0 200 OK\r\n(.+\r\n)+\r\n{"jsonrpc":"2.0","id":1,"result":true}\n?$`},
		{"an error", post(auth, `{"id":1,"method":"no"}`), `^HTTP/1\.0 200 OK\r\n(.+\r\n)+\r\n{"id":1,"error":{"code":-19,"message":"No such device"}}$`},
		{"no length", "POST / HTTP/1.1\r\n" + auth + "\r\n", `^$`},
		{"in chunks", "POST / HTTP/1.1\r\nHost: x\r\n" + auth + "Transfer-Encoding: chunked\r\n\r\n10\r\n" + good[:16] + "\r\n6\r\n" + good[16:] + "\r\n0\r\n\r\n", `^HTTP/1\.0 200 OK\r\n(.+\r\n)+\r\n{"jsonrpc"`},
		{"target closes", post(auth, `{"id":1,"method":"close"}`), `^HTTP/1\.0 200 OK\r\n(.+\r\n)+\r\n$`},
		{"target breaks off", post(auth, `{"id":1,"method":"partly"}`), `^$`},
		{"not ASCII", post(auth, `{"id":1,"method":"ok","params":["ü"]}`), `^HTTP/1\.0 500 Internal Server Error\r\n(.+\r\n)+\r\n$`},
		{"reply not ASCII", post(auth, `{"id":1,"method":"text"}`), `^HTTP/1\.0 500 Internal Server Error\r\n(.+\r\n)+\r\n$`},
		{"without an id", post(auth, `{"method":"ok"}`), `^$`},
		{"a batch", post(auth, "["+good+"]"), `^$`},
		{"no password", post("", good), `^HTTP/1\.0 401 Unauthorized\r\n(.+\r\n)+\r\n$`},
		{"another password", post("Authorization: Basic eDp5\r\n", good), `^HTTP/1\.0 401 Unauthorized\r\n(.+\r\n)+\r\n$`},
		{"HEAD", "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", `^HTTP/1\.0 200 OK\r\n(.+\r\n)+\r\n$`},
		{"GET", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", `^HTTP/1\.0 501 `},
		{"kept open", strings.Repeat(post(auth+"Connection: keep-alive\r\n", good), 2), `^HTTP/1\.0 200 OK\r\n(.+\r\n)+\r\n{"jsonrpc":"2.0","id":1,"result":true}\n?$`},
	} {
		t.Run(c.name, func(t *testing.T) { mustMatch(t, addr, c.request, c.want) })
	}
	os.Remove(socket)
	mustMatch(t, addr, post(auth, good), `^$`)
}

func mustMatch(t *testing.T, addr, request, want string) {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(time.Minute))
	io.WriteString(nc, request)
	// A second request in the socket makes the end a reset.
	got, err := io.ReadAll(bufio.NewReader(nc))
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		t.Fatal("no answer")
	}
	if !regexp.MustCompile(want).Match(got) {
		t.Errorf("got %q, want %s", got, want)
	}
}
