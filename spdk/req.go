package spdk

import (
	"encoding/json"
	"time"
)

// Params are the parameters of one method. Every method's own type implements
// it, so that a value is a complete, printable request.
type Params interface {
	Method() string // the RPC's name
	Object() string // what the call is about, for messages; "" if it names nothing
}

// Req is one request of a [Client.Round]. A Req serves one round.
type Req struct {
	Method string
	Params any // encoded as JSON; nil for none
	Result any // pointer to decode into; nil to only learn of success
	Err    error

	// Timeout is how long the target may take, if that is longer than
	// Options.Timeout.
	Timeout time.Duration

	whole  func() error    // says what a result lacks; nil for results that lack nothing
	raw    json.RawMessage // Params, encoded
	start  time.Time
	object string
}

// NewReq is the request that p describes, decoding its result into result
// (a pointer, or nil).
func NewReq(p Params, result any) *Req {
	r := &Req{Method: p.Method(), Params: p, Result: result}
	if slow, ok := p.(interface{ Timeout() time.Duration }); ok {
		r.Timeout = slow.Timeout()
	}
	return r
}

const (
	connectTimeout = 30 * time.Second // a target gives up a fabric peer after 10 s
	copyTimeout    = 24 * time.Hour   // answered only when data has been copied
)

// encode prepares r for sending. Parameters that come out as {} are left out:
// methods without parameters refuse even an empty object.
func (r *Req) encode() error {
	r.raw, r.Err = nil, nil
	if o, ok := r.Params.(interface{ Object() string }); ok {
		r.object = o.Object()
	}
	if r.Params == nil {
		return nil
	}
	raw, err := json.Marshal(r.Params)
	if err != nil {
		return err
	}
	if s := string(raw); s != "{}" && s != "null" {
		r.raw = raw
	}
	return nil
}

// fail is r's error for lack of an answer.
func (r *Req) fail(class Class, err error) *Error {
	return &Error{Method: r.Method, Object: r.object, Class: class, Err: err}
}

// refused is r's error when the target answered with one.
func (r *Req) refused(code int, message string) *Error {
	return &Error{
		Method: r.Method, Object: r.object, Code: code, Message: clip(message),
		Class: classify(r.Method, code, message),
	}
}
