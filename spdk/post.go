package spdk

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf16"
)

// poster makes calls through a proxy that takes each as the body of an HTTP
// POST, as SPDK's scripts/rpc_http_proxy.py does.
//
// That proxy serves one connection after another, one call each, and does
// nothing else until its target has answered: a call that takes long holds up
// all others, even when its caller has given up. So each call has a connection
// of its own, none is kept open, and few are under way at a time.
type poster struct {
	to      endpoint
	opts    *Options
	closing context.Context // ends with the client
	tls     *tls.Config     // nil: plain http
	head    string          // of every request, up to the length of its body
	ids     atomic.Int64
	heardAt atomic.Int64 // UnixNano of the last answer
	heard   atomic.Int64 // bytes of answers
	turns   turns
}

func newPoster(to endpoint, opts *Options, closing context.Context) *poster {
	p := &poster{to: to, opts: opts, closing: closing, turns: newTurns()}
	if to.scheme == "https" {
		host, _, _ := net.SplitHostPort(to.address)
		p.tls = &tls.Config{ServerName: host, RootCAs: opts.RootCAs, NextProtos: []string{"http/1.1"}}
	}
	auth := ""
	if to.user != "" {
		auth = "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(to.user+":"+opts.Password)) + "\r\n"
	}
	path := to.path
	if path == "" {
		path = "/"
	}
	p.head = "POST " + path + " HTTP/1.1\r\nHost: " + to.address + "\r\n" + auth +
		"User-Agent: strata\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
	return p
}

// round makes calls side by side, as far as the proxy bears it, and sets every
// Err. Unlike on a connection to a target, a call's time begins with its turn.
func (p *poster) round(ctx context.Context, reqs []*Req) {
	var wg sync.WaitGroup
	for _, r := range reqs {
		wg.Go(func() {
			kind := p.turns.of(ctx, r, p.opts.Timeout)
			if err := p.turns.take(ctx, p.closing, kind); err != nil {
				r.Err = r.fail(Unreachable, err)
				return
			}
			defer p.turns.give(kind)
			r.Err = p.call(ctx, r)
		})
	}
	wg.Wait()
}

// call makes one call and judges what became of it.
func (p *poster) call(caller context.Context, r *Req) error {
	r.start = time.Now()
	ctx, cancel := context.WithTimeout(caller, max(p.opts.Timeout, r.Timeout))
	defer cancel()
	defer context.AfterFunc(p.closing, cancel)()

	id := p.ids.Add(1)
	body, sent, err := p.exchange(ctx, p.request(id, r))
	if err == nil {
		p.heardAt.Store(time.Now().UnixNano())
		p.heard.Add(int64(len(body)))
		var answer error
		if answer, err = r.reply(id, body, p.opts.Trace); err == nil {
			return answer
		}
	}
	class := Unknown
	if !sent {
		class = Unreachable
	}
	own := caller.Err() == nil && p.closing.Err() == nil
	if own && (!sent || ctx.Err() != nil && p.heardAt.Load() < r.start.UnixNano()) {
		// The proxy cannot be reached, or is stuck: the others need not find
		// out one by one.
		p.turns.sendAway(err)
	}
	switch {
	case p.closing.Err() != nil:
		err = errClientClosed
	case sent && errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = noAnswer(time.Since(r.start).Round(time.Millisecond))
	case caller.Err() != nil:
		err = caller.Err()
	}
	return r.fail(class, err)
}

// request is a whole HTTP request.
func (p *poster) request(id int64, r *Req) []byte {
	body := []byte(`{"jsonrpc":"2.0","id":` + strconv.FormatInt(id, 10) + `,"method":` + strconv.Quote(r.Method))
	if r.raw != nil {
		body = append(append(body, `,"params":`...), r.raw...)
	}
	body = ascii(append(body, '}'))
	return append([]byte(p.head+strconv.Itoa(len(body))+"\r\n\r\n"), body...)
}

// ascii escapes what is not ASCII in JSON: SPDK's proxy takes nothing else.
func ascii(b []byte) []byte {
	if !bytes.ContainsFunc(b, func(r rune) bool { return r > 0x7e }) {
		return b
	}
	var out []byte
	for _, c := range utf16.Encode([]rune(string(b))) {
		if c > 0x7e {
			out = fmt.Appendf(out, `\u%04x`, c)
		} else {
			out = append(out, byte(c))
		}
	}
	return out
}

// exchange sends a request and reads the answer's body. Not sent means that
// the proxy certainly handed nothing to the target.
func (p *poster) exchange(ctx context.Context, request []byte) (body []byte, sent bool, err error) {
	nc, raw, err := p.connect(ctx)
	if err != nil {
		return nil, false, err
	}
	defer raw.Close() // a proxy that reads nothing would hold up the end of TLS
	defer context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })()
	if n, err := nc.Write(request); n < len(request) {
		return nil, false, err // the body is not whole, so nobody can make anything of it
	}
	limit := &io.LimitedReader{R: nc, N: maxHead}
	in := bufio.NewReader(limit)
	resp, err := http.ReadResponse(in, nil)
	for err == nil && resp.StatusCode < 200 {
		resp, err = http.ReadResponse(in, nil)
	}
	switch {
	case err != nil && limit.N <= 0:
		return nil, true, errLongHead
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return nil, true, errors.New("the proxy closed the connection without an answer; does its target run?")
	case err != nil:
		return nil, true, err
	}
	defer resp.Body.Close()
	if err, sent := p.refused(resp); err != nil {
		return nil, sent, err
	}
	limit.N += maxRecord
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxRecord+1))
	if len(body) > maxRecord || err != nil && limit.N <= 0 {
		err = errTooLong
	}
	return body, true, err
}

// maxHead is how much a proxy may say before the answer's body, in bytes.
const maxHead = 64 << 10

var errLongHead = errors.New("the proxy's answer has more than 64 KiB of headers")

// connect makes a connection for one call. What raw carries is encrypted if
// need be.
func (p *poster) connect(ctx context.Context) (nc, raw net.Conn, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.opts.DialTimeout)
	defer cancel()
	raw, err = p.opts.Dial(ctx, p.to.network, p.to.address)
	if err != nil || p.tls == nil {
		return raw, raw, err
	}
	secure := tls.Client(raw, p.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, nil, fmt.Errorf("tls with %s: %w", p.to.address, err)
	}
	return secure, raw, nil
}

// refused is the error of an answer that carries no reply. Sent is false if a
// proxy that answers so has not handed the call on.
func (p *poster) refused(resp *http.Response) (err error, sent bool) {
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		return nil, true
	case code == http.StatusUnauthorized && p.to.user == "":
		return fmt.Errorf("the proxy wants a user and a password (%s)", resp.Status), false
	case code == http.StatusUnauthorized:
		return fmt.Errorf("the proxy does not accept user %s with this password (%s)", p.to.user, resp.Status), false
	case code >= 300 && code < 400:
		return fmt.Errorf("the proxy says %s, to %s; strata follows no redirection", resp.Status, RedactText(resp.Header.Get("Location"))), false
	case notHandedOn[code]:
		return fmt.Errorf("the proxy says %s", resp.Status), false
	case code == http.StatusInternalServerError:
		return fmt.Errorf("the proxy says %s; its target may have gone away", resp.Status), true
	}
	return fmt.Errorf("the proxy says %s", resp.Status), true
}

// notHandedOn are answers of a proxy itself.
var notHandedOn = map[int]bool{
	http.StatusForbidden: true, http.StatusNotFound: true, http.StatusMethodNotAllowed: true,
	http.StatusProxyAuthRequired: true, http.StatusRequestEntityTooLarge: true, http.StatusTooManyRequests: true,
}

// reply gives r what the target answered with. It fails if body is no reply.
func (r *Req) reply(id int64, body []byte, trace traceFunc) (answer, malformed error) {
	body = bytes.Trim(body, space)
	var f frame
	n, err := f.scan(body)
	switch {
	case len(body) == 0:
		return nil, errors.New("the proxy's answer is empty")
	case err != nil:
		return nil, err
	case n != len(body):
		return nil, errors.New("the proxy's answer is not one JSON object")
	}
	e, err := f.open(body)
	if err != nil {
		return nil, err
	}
	// A target that cannot make out a request answers it without its id.
	if e.id != id && (e.id != 0 || e.err == nil) {
		return nil, errors.New("the proxy's answer is that of another call")
	}
	c := &call{req: r}
	malformed = c.answer(e, trace)
	return c.err, malformed
}
