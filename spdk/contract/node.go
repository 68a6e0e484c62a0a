package contract

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"strata/spdk"
)

// M is an object of parameters.
type M = map[string]any

// node is a target as the cases use it.
type node struct {
	c      *run
	target Target
	name   string
}

// call makes one call; code and message are those of a refusal.
func (n *node) call(method string, params any) (result json.RawMessage, code int, message string, err error) {
	req := &spdk.Req{Method: method, Params: params, Result: &result, Timeout: time.Minute}
	if err := n.target.Client().Round(context.Background(), req); err != nil {
		return nil, 0, "", err
	}
	var refusal *spdk.Error
	if errors.As(req.Err, &refusal) && refusal.Code != 0 {
		return nil, refusal.Code, refusal.Message, nil
	}
	return result, 0, "", req.Err
}

// must expects success and returns the result.
func (n *node) must(method string, params any) json.RawMessage {
	n.c.Helper()
	result, code, message, err := n.call(method, params)
	if err != nil || code != 0 {
		n.c.Fatalf("%s: %s %s: %d %q %v", n.name, method, text(params), code, message, err)
	}
	return result
}

// ok expects the result true.
func (n *node) ok(method string, params any) {
	n.c.Helper()
	n.gives(true, method, params)
}

// gives expects a result.
func (n *node) gives(want any, method string, params any) {
	n.c.Helper()
	if got := n.must(method, params); string(got) != text(want) {
		n.c.Errorf("%s: %s %s: got %s, want %s", n.name, method, text(params), got, text(want))
	}
}

// refuses expects an error.
func (n *node) refuses(code int, message, method string, params any) {
	n.c.Helper()
	result, c, m, err := n.call(method, params)
	switch {
	case err != nil:
		n.c.Errorf("%s: %s %s: %v", n.name, method, text(params), err)
	case c != code || m != message:
		n.c.Errorf("%s: %s %s: got %s %d %q, want %d %q", n.name, method, text(params), result, c, m, code, message)
	}
}

// into decodes the result of a call that has to succeed.
func (n *node) into(v any, method string, params any) {
	n.c.Helper()
	if err := json.Unmarshal(n.must(method, params), v); err != nil {
		n.c.Fatalf("%s: %s: %v", n.name, method, err)
	}
}

// str is the result of a call that answers with a string.
func (n *node) str(method string, params any) string {
	n.c.Helper()
	var s string
	n.into(&s, method, params)
	return s
}

// refusal is a line of a table of calls that are refused.
type refusal struct {
	method  string
	params  any
	code    int
	message string
}

func (n *node) refusals(table []refusal) {
	n.c.Helper()
	for _, r := range table {
		n.refuses(r.code, r.message, r.method, r.params)
	}
}

// pending is a call under way.
type pending struct {
	done    chan struct{}
	took    time.Duration
	result  json.RawMessage
	code    int
	message string
	err     error
}

// begin starts a call and does not wait for its answer.
func (n *node) begin(method string, params any) *pending {
	p := &pending{done: make(chan struct{})}
	from := time.Now()
	go func() {
		defer close(p.done)
		p.result, p.code, p.message, p.err = n.call(method, params)
		p.took = time.Since(from)
	}()
	return p
}

// answered says whether there is an answer yet.
func (p *pending) answered() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// ends waits for the answer and expects it to be an error, or success if code is 0.
func (c *run) ends(what string, p *pending, code int, message string) {
	c.Helper()
	<-p.done
	if p.err != nil || p.code != code || p.message != message {
		c.Errorf("%s: got %s %d %q %v, want %d %q", what, p.result, p.code, p.message, p.err, code, message)
	}
}

// burst sends calls together and expects each to succeed.
func (n *node) burst(reqs ...*spdk.Req) {
	n.c.Helper()
	if err := n.target.Client().Round(context.Background(), reqs...); err != nil {
		n.c.Fatal(err)
	}
	for _, r := range reqs {
		if r.Err != nil {
			n.c.Errorf("%s: %v", n.name, r.Err)
		}
	}
}

// raw sends bytes on a connection of its own and returns so many answers.
func (n *node) raw(bytes string, answers int) []string {
	n.c.Helper()
	nc, err := n.target.Dial()
	if err != nil {
		n.c.Fatal(err)
	}
	defer nc.Close()
	got, err := exchange(nc, bytes, answers)
	if err != nil {
		n.c.Fatalf("%s: %s: %v", n.name, bytes, err)
	}
	return got
}

func exchange(nc net.Conn, bytes string, answers int) ([]string, error) {
	if err := nc.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := nc.Write([]byte(bytes)); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bufio.NewReader(nc))
	var got []string
	for range answers {
		var one json.RawMessage
		if err := d.Decode(&one); err != nil {
			return got, fmt.Errorf("answer %d: %w", len(got)+1, err)
		}
		got = append(got, string(one))
	}
	return got, nil
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
