package spdk

import (
	"context"
	"errors"

	"github.com/go-json-experiment/json"
)

// Methods is the set of RPCs a target offers. Builds differ: ask before
// relying on one.
type Methods map[string]struct{}

// Has reports whether the target offers the named method.
func (m Methods) Has(name string) bool {
	_, ok := m[name]
	return ok
}

// UnmarshalJSON decodes the list that rpc_get_methods answers.
func (m *Methods) UnmarshalJSON(b []byte) error {
	var names []string
	if err := json.Unmarshal(b, &names); err != nil {
		return err
	}
	*m = make(Methods, len(names))
	for _, n := range names {
		(*m)[n] = struct{}{}
	}
	return nil
}

const getMethods = "rpc_get_methods"

// GetMethods reads the set of methods (rpc_get_methods), as part of a round.
// What it reads is also what [Client.Methods] answers from then on.
func GetMethods(out *Methods) *Req {
	return &Req{Method: getMethods, Result: out, whole: func() error {
		if !out.Has(getMethods) {
			return errors.New("a list of methods that has not " + getMethods)
		}
		return nil
	}}
}

// Methods returns the RPCs the target offers (rpc_get_methods). It asks once a
// connection, as a target that restarted may be another build. The set is
// shared: it must not be changed.
func (c *Client) Methods(ctx context.Context) (Methods, error) {
	if cn := c.standing(); cn != nil {
		if m := cn.methods.Load(); m != nil {
			return *m, nil
		}
	}
	var out Methods
	err := c.do(ctx, GetMethods(&out))
	return out, err
}
