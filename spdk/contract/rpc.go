package contract

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

var rpcCases = []example{
	{name: "an unknown method is refused", run: func(c *run) {
		c.n1.refuses(-32601, "Method not found", "no_such", nil)
	}},
	{name: "calls sent together start in the order sent", run: func(c *run) {
		c.n1.pool()
		var calls []call
		var want []string
		for i := range 40 {
			name := fmt.Sprint("v", i)
			want = append(want, name)
			calls = append(calls, call{"bdev_lvol_create", M{"lvs_name": "lvs0", "lvol_name": name, "size_in_mib": 1, "thin_provision": true}})
		}
		for i, a := range c.n1.round(calls...) {
			c.equal(want[i], a.code, 0)
		}
		var got []string
		var l []lvolInfo
		c.n1.into(&l, "bdev_lvol_get_lvols", nil)
		for _, v := range l {
			got = append(got, v.Name)
		}
		c.equal("lvols", got, want)
	}},
	{name: "a batch is refused", only: longhorn, run: func(c *run) {
		got := c.n1.raw(`[{"jsonrpc":"2.0","id":1,"method":"bdev_get_bdevs"},{"jsonrpc":"2.0","id":2,"method":"no_such"}]`, 1)
		c.equal("answer", json.RawMessage(got[0]), json.RawMessage(`{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid request"}}`))
	}},
	{name: "a batch is answered with one array", only: stock, run: func(c *run) {
		got := c.n1.raw(`[{"jsonrpc":"2.0","id":1,"method":"bdev_get_bdevs"},{"jsonrpc":"2.0","id":2,"method":"no_such"}]`, 1)
		var answers []struct {
			ID     int
			Result json.RawMessage
			Error  *struct{ Code int }
		}
		if err := json.Unmarshal([]byte(got[0]), &answers); err != nil {
			c.Fatalf("%s: %v", got[0], err)
		}
		if len(answers) != 2 || string(answers[0].Result) != "[]" || answers[1].ID != 2 || answers[1].Error == nil || answers[1].Error.Code != -32601 {
			c.Errorf("answers: %s", got[0])
		}
	}},
	{name: "objects follow one another without any frame", run: func(c *run) {
		got := c.n1.raw(strings.Repeat(`{"jsonrpc":"2.0","id":7,"method":"bdev_get_bdevs"}`, 3), 3)
		for _, answer := range got {
			if !strings.Contains(answer, `"id":7`) || !strings.Contains(answer, `"result":[]`) {
				c.Errorf("answer: %s", answer)
			}
		}
	}},
	{name: "a malformed byte closes the connection without an answer", run: func(c *run) {
		nc, err := c.n1.target.Dial()
		if err != nil {
			c.Fatal(err)
		}
		defer nc.Close()
		patience(c.T, nc, 30*time.Second)
		if _, err := exchange(nc, `{"jsonrpc":"2.0","id":1,"method":"bdev_get_bdevs"}`, 1); err != nil {
			c.Fatal(err)
		}
		if got, err := exchange(nc, "}", 1); err == nil {
			c.Errorf("answered %s", got)
		}
		if got, err := exchange(nc, `{"jsonrpc":"2.0","id":2,"method":"bdev_get_bdevs"}`, 1); err == nil {
			c.Errorf("still open, answered %s", got)
		}
	}},
	{name: "a client that sends nothing more is answered what can be answered at once", run: func(c *run) {
		half := func(bytes string) (string, error) {
			nc, err := c.n1.target.Dial()
			if err != nil {
				c.Fatal(err)
			}
			defer nc.Close()
			patience(c.T, nc, 30*time.Second)
			if _, err := nc.Write([]byte(bytes)); err != nil {
				c.Fatal(err)
			}
			if err := nc.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
				c.Fatal(err)
			}
			got, err := io.ReadAll(nc)
			return string(got), err
		}
		got, err := half(`{"jsonrpc":"2.0","id":1,"method":"bdev_get_bdevs"}{"jsonrpc":"2.0","id":2,"method":"no_such"}`)
		if err != nil || !strings.Contains(got, `"id":1,"result":[]`) || !strings.Contains(got, `"id":2,"error"`) {
			c.Errorf("at once: %q %v", got, err)
		}
		got, err = half(`{"jsonrpc":"2.0","id":1,"method":"bdev_get_bdevs","params":{"name":"none","timeout":300}}`)
		if err != nil || strings.Contains(got, "Connection timed out") != (c.build == longhorn) {
			c.Errorf("later: %q %v", got, err)
		}
	}},
	{name: "connections beyond 64 wait for others to end", run: func(c *run) {
		c.n1.gives([]string{}, "bdev_get_bdevs", nil) // over the client's connection, the first
		var conns []net.Conn
		for n := 2; n <= 65; n++ {
			nc, err := c.n1.target.Dial()
			if err != nil {
				c.Fatal(err)
			}
			defer nc.Close()
			conns = append(conns, nc)
			patience(c.T, nc, 2*time.Second)
			if _, err := exchange(nc, `{"jsonrpc":"2.0","id":1,"method":"bdev_get_bdevs"}`, 1); (err == nil) != (n <= 64) {
				c.Errorf("connection %d: %v", n, err)
			}
		}
		c.n1.gives([]string{}, "bdev_get_bdevs", nil)
		conns[0].Close()
		last := conns[len(conns)-1]
		patience(c.T, last, 10*time.Second)
		if _, err := exchange(last, "", 1); err != nil {
			c.Errorf("with one connection less: %v", err)
		}
	}},
	{name: "waiting for a bdev by its UUID", run: func(c *run) {
		const uuid = "aaaaaaaa-0000-4000-8000-000000000001"
		waiting := c.n1.begin("bdev_get_bdevs", M{"name": uuid, "timeout": 20000})
		time.Sleep(300 * time.Millisecond)
		if waiting.answered() {
			c.Error("answered before there was such a bdev")
		}
		c.n1.gives("x", "bdev_null_create", M{"name": "x", "num_blocks": 1, "block_size": 512, "uuid": uuid})
		c.ends("the wait", waiting, 0, "")
		if waiting.took > 15*time.Second {
			c.Errorf("took %v", waiting.took)
		}
		c.n1.refuses(-110, "Connection timed out", "bdev_get_bdevs", M{"name": "none", "timeout": 100})
	}},
	{name: "methods tell builds apart", run: func(c *run) {
		var methods []string
		c.n1.into(&methods, "rpc_get_methods", nil)
		has := map[string]bool{}
		for _, m := range methods {
			has[m] = true
		}
		c.equal("bdev_raid_grow_base_bdev", has["bdev_raid_grow_base_bdev"], c.build == longhorn)
		c.equal("bdev_lvol_set_xattr", has["bdev_lvol_set_xattr"], c.build == longhorn)
		c.equal("bdev_lvol_detach_parent", has["bdev_lvol_detach_parent"], c.build == longhorn)
	}},
}
