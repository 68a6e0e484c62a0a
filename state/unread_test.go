package state

import (
	"errors"
	"fmt"
	"testing"

	"strata/spdk"
)

// TestWhyUnread: what a node that is not reached says does not hang on which call it was.
func TestWhyUnread(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{&spdk.Error{Method: "rpc_get_methods", Class: spdk.Unreachable, Err: errors.New("connection refused")}, "it cannot be reached: connection refused"},
		{fmt.Errorf("read: %w", &spdk.Error{Method: "bdev_get_bdevs", Class: spdk.Unreachable, Err: errors.New("connection refused")}), "it cannot be reached: connection refused"},
		{&spdk.Error{Method: "bdev_get_bdevs", Class: spdk.Unknown, Err: errors.New("no answer within 3s")}, "no answer within 3s"},
		{&spdk.Error{Method: "bdev_get_bdevs", Class: spdk.Unknown, Err: errors.New("EOF")}, "it gave no answer: EOF"},
		{&spdk.Error{Method: "bdev_get_bdevs", Class: spdk.Other, Code: -32603, Message: "Internal error"}, "bdev_get_bdevs: internal error"},
		{errors.New("it stalls"), "it stalls"},
	} {
		if got := whyUnread(test.err); got != test.want {
			t.Errorf("%v: %q, want %q", test.err, got, test.want)
		}
	}
}
