package contract

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"testing"
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

// call is a method and its parameters.
type call struct {
	method string
	params any
}

// answer is what a target says to a call. code and message are those of a
// refusal.
type answer struct {
	result  json.RawMessage
	code    int
	message string
}

// call makes one call.
func (n *node) call(method string, params any) (answer, error) {
	a, err := n.send(call{method, params})
	if err != nil {
		n.c.rec.begun(n.name, method, params)
		return answer{}, err
	}
	n.c.rec.exchanged(n.name, method, params, a[0])
	return a[0], nil
}

// round makes calls together; each has to be answered.
func (n *node) round(calls ...call) []answer {
	n.c.Helper()
	answers, err := n.send(calls...)
	if err != nil {
		n.c.Fatalf("%s: %v", n.name, err)
	}
	n.c.rec.together(n.name, calls, answers)
	return answers
}

// send makes calls together, past the recorder.
func (n *node) send(calls ...call) ([]answer, error) {
	answers, reqs := make([]answer, len(calls)), make([]*spdk.Req, len(calls))
	for i, c := range calls {
		reqs[i] = &spdk.Req{Method: c.method, Params: c.params, Result: &answers[i].result, Timeout: time.Minute}
	}
	if err := n.target.Client().Round(context.Background(), reqs...); err != nil {
		return nil, err
	}
	for i, r := range reqs {
		var refusal *spdk.Error
		if errors.As(r.Err, &refusal) && refusal.Code != 0 {
			answers[i] = answer{code: refusal.Code, message: refusal.Message}
		} else if r.Err != nil {
			return nil, r.Err
		}
	}
	return answers, nil
}

// must expects success and returns the result.
func (n *node) must(method string, params any) json.RawMessage {
	n.c.Helper()
	a, err := n.call(method, params)
	if err != nil || a.code != 0 {
		n.c.Fatalf("%s: %s %s: %d %q %v", n.name, method, text(params), a.code, a.message, err)
	}
	return a.result
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
	a, err := n.call(method, params)
	switch {
	case err != nil:
		n.c.Errorf("%s: %s %s: %v", n.name, method, text(params), err)
	case !a.refused(code, message):
		n.c.Errorf("%s: %s %s: got %s, want %d %q", n.name, method, text(params), a, code, message)
	}
}

// into decodes the result of a call that has to succeed.
func (n *node) into(v any, method string, params any) {
	n.c.Helper()
	if err := json.Unmarshal(n.must(method, params), v); err != nil {
		n.c.Fatalf("%s: %s: %v", n.name, method, err)
	}
}

// decode decodes the result of a call that has to have succeeded.
func (c *run) decode(a answer, v any) {
	c.Helper()
	if err := json.Unmarshal(a.result, v); err != nil {
		c.Fatalf("%s: %v", a, err)
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

func (a answer) refused(code int, message string) bool {
	return a.code == code && a.message == message
}

func (a answer) String() string {
	if a.code == 0 {
		return string(a.result)
	}
	return fmt.Sprintf("%d %q", a.code, a.message)
}

// pending is a call under way.
type pending struct {
	n      *node
	number int // in the transcript
	done   chan struct{}
	took   time.Duration
	answer
	err error
}

// begin starts a call and does not wait for its answer.
func (n *node) begin(method string, params any) *pending {
	p := &pending{n: n, number: n.c.rec.begun(n.name, method, params), done: make(chan struct{})}
	from := time.Now()
	go func() {
		defer close(p.done)
		answers, err := n.send(call{method, params})
		if p.took, p.err = time.Since(from), err; err == nil {
			p.answer = answers[0]
		}
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
	if p.err != nil {
		c.Fatalf("%s: %v", what, p.err)
	}
	c.rec.ended(p.n.name, p.number, p.answer)
	if !p.refused(code, message) {
		c.Errorf("%s: got %s, want %d %q", what, p.answer, code, message)
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
	patience(n.c.T, nc, 30*time.Second)
	got, err := exchange(nc, bytes, answers)
	if err != nil {
		n.c.Fatalf("%s: %s: %v", n.name, bytes, err)
	}
	return got
}

// patience is how long a connection may take for all that is done on it.
func patience(t *testing.T, nc net.Conn, d time.Duration) {
	t.Helper()
	if err := nc.SetDeadline(time.Now().Add(d)); err != nil {
		t.Fatal(err)
	}
}

func exchange(nc net.Conn, bytes string, answers int) ([]string, error) {
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
