package spdk

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strata/spdk/reachtest"
)

// trickle writes text a byte at a time, then goes on with spaces, for good.
func trickle(nc net.Conn, text string) {
	for i := 0; ; i++ {
		b := byte(' ')
		if i < len(text) {
			b = text[i]
		}
		if _, err := nc.Write([]byte{b}); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// flood writes a text, and then a byte again and again as fast as it is taken.
func flood(nc net.Conn, text, more string) {
	io.WriteString(nc, text)
	block := bytes.Repeat([]byte(more), 4096)
	for {
		if _, err := nc.Write(block); err != nil {
			return
		}
	}
}

// Whatever a target, a proxy or a host does, a call ends in time, and what is
// said of it can be read. Where the peer's words end it, there is all the time that a slow
// machine takes.
func TestHostilePeers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
	asked := func(nc net.Conn) { nc.Read(make([]byte, 1<<16)) }
	for _, c := range []struct {
		name, scheme string
		tls          bool
		quiet        bool // nothing that it does ends the call
		peer         func(net.Conn)
		want         string
	}{
		{"silent target", "tcp", false, true, func(nc net.Conn) { io.Copy(io.Discard, nc) }, "no answer within"},
		{"trickling target", "tcp", false, true, func(nc net.Conn) { trickle(nc, `{"jsonrpc":"2.0","id":1,"result":[`) }, "no answer within"},
		{"target that reads nothing", "tcp", false, true, func(net.Conn) { time.Sleep(time.Minute) }, ""},
		{"target that refuses at length", "tcp", false, false, func(nc net.Conn) {
			asked(nc)
			io.WriteString(nc, `{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"`+strings.Repeat("é", 1<<20)+`"}}`)
			io.Copy(io.Discard, nc)
		}, "éé… (2097152 bytes)"},
		{"target of odd members", "tcp", false, false, func(nc net.Conn) {
			asked(nc)
			io.WriteString(nc, `{"jsonrpc":"2.0","id":1,"result":{"`+strings.Repeat("n", 1<<20)+`":1}}`)
			io.Copy(io.Discard, nc)
		}, "unexpected result"},
		{"silent proxy", "http", false, true, func(nc net.Conn) { io.Copy(io.Discard, nc) }, "no answer within"},
		{"proxy that reads nothing", "http", false, true, func(net.Conn) { time.Sleep(time.Minute) }, ""},
		{"proxy that trickles headers", "http", false, true, func(nc net.Conn) { asked(nc); trickle(nc, "HTTP/1.1 200 OK\r\nX: ") }, "no answer within"},
		{"proxy that trickles an answer", "http", false, true, func(nc net.Conn) { asked(nc); io.WriteString(nc, ok); trickle(nc, "{") }, "no answer within"},
		{"proxy that refuses and trickles", "http", false, true, func(nc net.Conn) {
			asked(nc)
			io.WriteString(nc, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 100000\r\n\r\n")
			trickle(nc, "")
		}, "the proxy wants a user"},
		{"endless headers", "http", false, false, func(nc net.Conn) { asked(nc); flood(nc, "HTTP/1.1 200 OK\r\n", "X: y\r\n") }, "64 KiB of headers"},
		{"one endless header", "http", false, false, func(nc net.Conn) { asked(nc); flood(nc, "HTTP/1.1 200 OK\r\nX: ", "y") }, "64 KiB of headers"},
		{"endless preliminary answers", "http", false, false, func(nc net.Conn) { asked(nc); flood(nc, "", "HTTP/1.1 100 Continue\r\n\r\n") }, "64 KiB of headers"},
		{"long status", "http", false, false, func(nc net.Conn) {
			asked(nc)
			io.WriteString(nc, "HTTP/1.1 500 "+strings.Repeat("s", 50000)+"\r\n\r\n")
		}, "the proxy says 500"},
		{"long redirection", "http", false, false, func(nc net.Conn) {
			asked(nc)
			io.WriteString(nc, "HTTP/1.1 302 Found\r\nLocation: "+strings.Repeat("s", 50000)+"\r\n\r\n")
		}, "302 Found"},
		{"silent in the handshake", "https", false, true, func(nc net.Conn) { io.Copy(io.Discard, nc) }, "tls with"},
		{"trickling in the handshake", "https", false, true, func(nc net.Conn) { trickle(nc, "\x16\x03\x03\x40\x00\x02") }, "tls with"},
		{"silent behind the handshake", "https", true, true, func(nc net.Conn) { io.Copy(io.Discard, nc) }, "no answer within"},
		{"reads nothing behind the handshake", "https", true, true, func(nc net.Conn) { nc.(*tls.Conn).Handshake(); time.Sleep(time.Minute) }, ""},
		{"silent sshd", "ssh", false, true, func(nc net.Conn) { io.Copy(io.Discard, nc) }, "not sent: "},
		{"trickling sshd", "ssh", false, true, func(nc net.Conn) { trickle(nc, "SSH-2.0-x\r\n") }, "not sent: "},
		{"sshd that says much", "ssh", false, true, func(nc net.Conn) { flood(nc, "", "hello\r\n") }, "not sent: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			opts := Options{Timeout: time.Minute, SSH: &SSH{}}
			if c.quiet {
				opts.Timeout = 4 * time.Second
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if c.tls {
				cert, ca, err := reachtest.Certificate()
				if err != nil {
					t.Fatal(err)
				}
				opts.RootCAs = x509.NewCertPool()
				opts.RootCAs.AppendCertsFromPEM(ca)
				l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*cert}})
			}
			go func() {
				for {
					nc, err := l.Accept()
					if err != nil {
						return
					}
					go func() { defer nc.Close(); c.peer(nc) }()
				}
			}()
			addr := c.scheme + "://" + l.Addr().String()
			if c.scheme == "ssh" {
				addr = "ssh://root@" + l.Addr().String() + "/s"
				opts.SSH.Key = filepath.Join(t.TempDir(), "key")
				newKey(t, opts.SSH.Key, "")
			}
			x := client(t, addr, opts)
			size := 10
			if c.want == "" {
				size = 16 << 20 // more than fits into sockets
			}
			params := []string{strings.Repeat("x", size)}
			start := time.Now()
			err = x.Call(context.Background(), "echo", params, new([]int))
			took := time.Since(start)
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 3<<10 {
				t.Errorf("%d bytes: %.400v", len(err.Error()), err)
			}
			if silent := errors.Is(err, context.DeadlineExceeded); x.Silent() != silent || strings.HasPrefix(c.want, "no answer") && !silent {
				t.Errorf("it was silent: %v, and said to be: %v", silent, x.Silent())
			}
			if took > opts.Timeout+time.Minute {
				t.Errorf("it took %v", took)
			}
		})
	}
}
