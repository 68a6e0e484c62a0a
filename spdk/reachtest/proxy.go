// Package reachtest has what stands between strata and a target in tests: a
// proxy that speaks as SPDK's does, and a real sshd.
package reachtest

import (
	"bufio"
	"crypto/subtle"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// Proxy answers over HTTP as SPDK's scripts/rpc_http_proxy.py (v26.05) does:
// HTTP/1.0, one connection after another, one request on each, nothing else
// while the target is at it. A client learns little of what goes wrong behind
// it: the connection ends without an answer if the target cannot be reached or
// breaks off within its reply, and the answer is empty if the target closes
// before it. Of requests that have no id, batches included, it does not wait
// for a reply.
type Proxy struct {
	Addr   string       // host:port
	Served atomic.Int64 // POSTs let through

	l                     net.Listener
	socket, authorization string
}

// StartProxy serves the target at a Unix socket on a port of the loopback,
// over TLS if cert is not nil.
func StartProxy(socket, user, password string, cert *tls.Certificate) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{
		Addr: l.Addr().String(), l: l, socket: socket,
		authorization: "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password)),
	}
	if cert != nil {
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*cert}})
	}
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			p.serve(nc)
			nc.Close()
		}
	}()
	return p, nil
}

// Close ends it, but for a call that is under way.
func (p *Proxy) Close() { p.l.Close() }

func (p *Proxy) serve(nc net.Conn) {
	in := bufio.NewReader(nc)
	req, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	if req.Method == http.MethodHead {
		answer(nc, "200 OK", "")
		return
	}
	if req.Method != http.MethodPost {
		answer(nc, fmt.Sprintf("501 Unsupported method ('%s')", req.Method), "Connection: close\r\n")
		return
	}
	if subtle.ConstantTimeCompare([]byte(req.Header.Get("Authorization")), []byte(p.authorization)) != 1 {
		answer(nc, "401 Unauthorized", "WWW-Authenticate: text/html\r\n")
		return
	}
	if req.Header.Get("Content-Length") == "" && len(req.TransferEncoding) == 0 {
		return
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	p.Served.Add(1)
	p.forward(nc, body)
}

// forward makes a call and passes on the answer.
func (p *Proxy) forward(nc net.Conn, body []byte) {
	target, err := net.Dial("unix", p.socket)
	if err != nil {
		return
	}
	defer target.Close()
	if _, err := target.Write(body); err != nil {
		return
	}
	var request any
	if !ascii(body) || json.Unmarshal(body, &request) != nil {
		answer(nc, "500 Internal Server Error", "") // it was sent nevertheless
		return
	}
	members, _ := request.(map[string]any)
	if _, has := members["id"]; !has {
		return
	}
	var reply json.RawMessage
	switch err := json.NewDecoder(target).Decode(&reply); {
	case err != nil && err != io.EOF:
		return
	case !ascii(reply):
		answer(nc, "500 Internal Server Error", "")
		return
	}
	answer(nc, "200 OK", "")
	nc.Write(reply)
}

func answer(w io.Writer, status, header string) {
	fmt.Fprintf(w, "HTTP/1.0 %s\r\nServer: BaseHTTP/0.6 Python/3.11.7\r\n%sContent-type: text/html\r\n\r\n", status, header)
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
