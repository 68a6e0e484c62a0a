package sim

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// method is one RPC.
type method struct {
	name    string
	writes  bool
	bad     *Error // the answer to parameters that do not decode
	relaxed bool   // unknown parameters are passed over
	run     func(p *process, raw json.RawMessage) (any, error)
}

// methods holds every RPC of any profile by name; files that implement a
// group of them add it in their init.
var methods = map[string]*method{}

func register(ms ...*method) {
	for _, m := range ms {
		if m.bad == nil {
			m.bad = errDecode
		}
		methods[m.name] = m
	}
}

// reads makes a method that changes nothing, writes one that does.
func reads[P any](name string, f func(*process, *P) (any, error)) *method {
	return &method{name: name, run: decoded(f)}
}

func writes[P any](name string, f func(*process, *P) (any, error)) *method {
	return &method{name: name, writes: true, run: decoded(f)}
}

func (m *method) refusing(e *Error) *method { m.bad = e; return m }

func (m *method) passing() *method { m.relaxed = true; return m }

func decoded[P any](f func(*process, *P) (any, error)) func(*process, json.RawMessage) (any, error) {
	return func(p *process, raw json.RawMessage) (any, error) {
		v := new(P)
		if len(raw) > 0 {
			if json.Unmarshal(raw, v) != nil && json.Unmarshal(wholeNumbers(raw), v) != nil {
				return nil, errDecode
			}
			if g, ok := any(v).(interface{ present() }); ok {
				g.present()
			}
		}
		return f(p, v)
	}
}

// given in a handler's parameters tells whether there were any at all: some
// methods treat an empty object unlike none.
type given struct{ params bool }

func (g *given) present() { g.params = true }

// none is for methods without parameters.
type none struct{}

// later is returned as an error by a handler that cannot answer yet: it is
// answered with done once ready holds or after the limit.
type later struct {
	ready func() bool
	limit time.Duration // 0: none
	done  func(expired bool) (any, error)
}

func (*later) Error() string { return "answered later" }

// errNeverAnswered is returned by a handler whose caller hears nothing more.
var errNeverAnswered = errors.New("never answered")

// dispatch is the one place every call goes through.
func (t *Target) dispatch(c *conn, name string, params json.RawMessage, answer func(json.RawMessage, *Error)) {
	m := methods[name]
	if m != nil && t.c.opts.Profile.without[name] {
		m = nil
	}
	t.c.mu.Lock()
	p := t.p
	if p == nil || p != c.p {
		t.c.mu.Unlock()
		return
	}
	call := t.calls.add(Call{Node: t.name, Method: name, Params: params, Writes: m != nil && m.writes})
	f := t.c.fault(t, call)
	if f.Hang > 0 {
		t.freeze(true)
		time.AfterFunc(f.Hang, t.Thaw)
	}
	if f.Delay > 0 || p.stuck() {
		t.c.mu.Unlock()
		go func() {
			time.Sleep(f.Delay)
			t.c.mu.Lock()
			for p.stuck() && !p.dead {
				if t.c.wait(context.Background()) != nil {
					break
				}
			}
			t.handle(p, c, m, params, f, answer)
		}()
		return
	}
	t.handle(p, c, m, params, f, answer)
}

// handle runs a call and gives up the lock, which the caller holds.
func (t *Target) handle(p *process, c *conn, m *method, params json.RawMessage, f Fault, answer func(json.RawMessage, *Error)) {
	var result any
	var err error
	switch {
	case p.dead || f.LoseBefore:
		err = errNeverAnswered
	case f.Err != nil:
		err = f.Err
	case m == nil:
		err = &Error{codeNoMethod, "Method not found"}
	case !validParams(&t.c.opts.Profile, m, params):
		err = m.bad
	default:
		result, err = m.run(p, params)
		t.c.notify()
		if m.writes {
			t.c.observe()
		}
	}
	var l *later
	if errors.As(err, &l) {
		t.c.mu.Unlock()
		go t.finish(p, c, l, f, answer)
		return
	}
	b, e, ok := encode(result, err)
	t.c.mu.Unlock()
	t.conclude(c, f, ok, b, e, answer)
}

// finish waits until a call can be answered.
func (t *Target) finish(p *process, c *conn, l *later, f Fault, answer func(json.RawMessage, *Error)) {
	ctx, cancel := context.Background(), func() {}
	if l.limit > 0 {
		ctx, cancel = context.WithTimeout(ctx, l.limit)
	}
	defer cancel()
	t.c.mu.Lock()
	expired := false
	for !expired && !p.dead && (!l.ready() || p.stuck()) {
		expired = t.c.wait(ctx) != nil
	}
	var result any
	err := errNeverAnswered
	if !p.dead {
		result, err = l.done(expired)
		t.c.notify()
		t.c.observe()
	}
	var again *later
	if errors.As(err, &again) {
		t.c.mu.Unlock()
		t.finish(p, c, again, f, answer)
		return
	}
	b, e, ok := encode(result, err)
	t.c.mu.Unlock()
	t.conclude(c, f, ok, b, e, answer)
}

func (t *Target) conclude(c *conn, f Fault, answered bool, b json.RawMessage, e *Error, answer func(json.RawMessage, *Error)) {
	switch {
	case f.Kill:
		t.Stop()
	case f.KillCaller && c != nil:
		killCaller(c.nc)
	case answered && !f.LoseAfter && !f.Cut && f.Late > 0:
		time.AfterFunc(f.Late, func() { answer(b, e) })
	case answered && !f.LoseAfter && !f.Cut:
		answer(b, e)
	case c != nil:
		c.done()
	}
	if f.Cut && c != nil {
		c.close()
	}
}

// encode turns what a handler returned into an answer; false means none.
func encode(result any, err error) (json.RawMessage, *Error, bool) {
	if err != nil {
		if errors.Is(err, errNeverAnswered) {
			return nil, nil, false
		}
		var e *Error
		if !errors.As(err, &e) {
			e = errInternal
		}
		return nil, e, true
	}
	if raw, ok := result.(json.RawMessage); ok {
		return raw, nil, true
	}
	b, err := json.Marshal(result)
	if err != nil {
		return nil, errInternal, true
	}
	return b, nil, true
}
