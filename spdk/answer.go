package spdk

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// decoding is lenient where targets are: an older build may repeat a member,
// and names are whatever bytes someone once chose.
var decoding = json.JoinOptions(
	jsontext.AllowDuplicateNames(true),
	jsontext.AllowInvalidUTF8(true),
)

// answer gives a reply to the call, unless its caller has left. It returns an
// error if the reply is not JSON, so that nothing after it can be trusted.
func (c *call) answer(e envelope, trace traceFunc) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone || c.answered {
		return nil
	}
	var malformed error
	if e.err != nil {
		c.err, malformed = c.refusal(e.err)
	} else {
		c.err, malformed = c.decode(e.result)
	}
	if malformed != nil {
		return malformed
	}
	c.answered = true
	if trace != nil {
		trace.call(c.req, e.result, c.err)
	}
	return nil
}

// refusal decodes the error that the target answered with.
func (c *call) refusal(b []byte) (refused, malformed error) {
	var e struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(b, &e, decoding); err != nil {
		return nil, fmt.Errorf("malformed error in reply: %w", err)
	}
	return c.req.refused(e.Code, e.Message), nil
}

// decode puts a result where the caller wants it. A result of another shape
// than expected is the call's error, not the connection's.
func (c *call) decode(b []byte) (mismatch, malformed error) {
	switch {
	case b == nil:
		return nil, errNotReply
	case c.req.Result == nil:
		if bytes.Equal(b, []byte("false")) {
			return c.req.fail(Other, errors.New("answered false")), nil
		}
		return nil, nil
	case bytes.Equal(b, []byte("null")):
		return c.req.fail(Other, errors.New("unexpected result: it is null, which says nothing of what there is")), nil
	case plainResult(b, c.req.Result):
		return c.incomplete(), nil
	}
	err := json.Unmarshal(b, c.req.Result, decoding)
	if err == nil {
		return c.incomplete(), nil
	}
	if syntax := (*jsontext.SyntacticError)(nil); errors.As(err, &syntax) {
		return nil, fmt.Errorf("malformed reply: %w", err)
	}
	return c.req.fail(Other, fmt.Errorf("unexpected result: %w", err)), nil
}

// incomplete is the call's error if its result lacks what it must have.
func (c *call) incomplete() error {
	if c.req.whole == nil {
		return nil
	}
	if err := c.req.whole(); err != nil {
		return c.req.fail(Other, fmt.Errorf("unexpected result: %w", err))
	}
	return nil
}

// leave ends the caller's wait. It reports whether the call was answered, and
// waits for an answer that is just being decoded.
func (c *call) leave() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	return c.answered
}
