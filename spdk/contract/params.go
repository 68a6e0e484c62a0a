package contract

import "fmt"

// shape is a call with every parameter that is required and no other, and
// how a call that does not decode is refused. Nothing it names exists.
type shape struct {
	method  string
	params  M
	code    int
	message string
	// passes: parameters that nobody knows are passed over.
	passes bool
}

const undecoded = "spdk_json_decode_object failed"

var listen = M{"trtype": "TCP", "traddr": "127.0.0.1", "trsvcid": "1"}

var shapes = map[string][]shape{
	"lvstores and disks": {
		{method: "bdev_aio_create", params: M{"name": "x", "filename": "/none"}, code: -32603, message: undecoded},
		{method: "bdev_aio_delete", params: M{"name": "x"}, code: -32603, message: undecoded},
		{method: "bdev_null_create", params: M{"name": "x", "num_blocks": 0, "block_size": 512}, code: -32603, message: undecoded},
		{method: "bdev_null_delete", params: M{"name": "x"}, code: -32603, message: undecoded},
		{method: "bdev_null_resize", params: M{"name": "x", "new_size": 1}, code: -32603, message: undecoded},
		{method: "bdev_malloc_delete", params: M{"name": "x"}, code: -32603, message: undecoded},
		{method: "bdev_lvol_create_lvstore", params: M{"bdev_name": "x", "lvs_name": "l"}, code: -32603, message: undecoded},
		{method: "bdev_lvol_rename_lvstore", params: M{"old_name": "x", "new_name": "l"}, code: -32603, message: undecoded},
	},
	"lvols": {
		{method: "bdev_lvol_create", params: M{"lvol_name": "x", "size_in_mib": 4}, code: -32603, message: undecoded},
		{method: "bdev_lvol_delete", params: M{"name": "x"}, code: -32603, message: undecoded},
		{method: "bdev_lvol_rename", params: M{"old_name": "x", "new_name": "y"}, code: -32603, message: undecoded},
		{method: "bdev_lvol_resize", params: M{"name": "x", "size_in_mib": 4}, code: -32603, message: undecoded},
		{method: "bdev_lvol_set_read_only", params: M{"name": "x"}, code: -32603, message: undecoded},
		{method: "bdev_lvol_snapshot", params: M{"lvol_name": "x", "snapshot_name": "s"}, code: -32603, message: undecoded},
		{method: "bdev_lvol_clone_bdev", params: M{"bdev": "x", "lvs_name": "l", "clone_name": "k"}, code: -32603, message: undecoded},
		{method: "bdev_lvol_set_parent", params: M{"lvol_name": "x", "parent_name": "s"}, code: -32603, message: undecoded},
		{method: "bdev_lvol_set_parent_bdev", params: M{"lvol_name": "x", "parent_name": "s"}, code: -32603, message: undecoded},
		{method: "bdev_lvol_inflate", params: M{"name": "x"}, code: -32603, message: undecoded},
		{method: "bdev_lvol_decouple_parent", params: M{"name": "x"}, code: -32603, message: undecoded},
		{method: "bdev_lvol_start_shallow_copy", params: M{"src_lvol_name": "x", "dst_bdev_name": "y"}, code: -32603, message: undecoded},
		{method: "bdev_lvol_check_shallow_copy", params: M{"operation_id": 999}, code: -32603, message: undecoded},
	},
	"raid": {
		{method: "bdev_raid_create", params: M{"name": "x", "raid_level": "raid1", "base_bdevs": []string{""}}, code: -32700, message: undecoded},
		{method: "bdev_raid_delete", params: M{"name": "x"}, code: -32700, message: undecoded},
		{method: "bdev_raid_get_bdevs", params: M{"category": "all"}, code: -32700, message: undecoded},
		{method: "bdev_raid_add_base_bdev", params: M{"raid_bdev": "x", "base_bdev": "y"}, code: -32603, message: undecoded},
		{method: "bdev_raid_remove_base_bdev", params: M{"name": "x"}, code: -32700, message: undecoded},
	},
	"nvme": {
		{method: "bdev_nvme_attach_controller", params: M{"name": "x", "trtype": "none", "traddr": "127.0.0.1"}, code: -32603, message: undecoded},
		{method: "bdev_nvme_detach_controller", params: M{"name": "x"}, code: -32603, message: undecoded},
		{method: "bdev_nvme_disable_controller", params: M{"name": "x"}, code: -32602, message: "Invalid argument"},
		{method: "bdev_nvme_enable_controller", params: M{"name": "x"}, code: -32602, message: "Invalid argument"},
		{method: "bdev_nvme_reset_controller", params: M{"name": "x"}, code: -32602, message: "Invalid argument"},
	},
	"nvmf": {
		{method: "nvmf_create_subsystem", params: M{"nqn": "bad"}, code: -32602, message: "Invalid parameters"},
		{method: "nvmf_delete_subsystem", params: M{"nqn": "bad"}, code: -32602, message: "Invalid parameters"},
		{method: "nvmf_subsystem_add_host", params: M{"nqn": "bad", "host": "h"}, code: -32602, message: "Invalid parameters", passes: true},
		{method: "nvmf_subsystem_remove_host", params: M{"nqn": "bad", "host": "h"}, code: -32602, message: "Invalid parameters"},
		{method: "nvmf_subsystem_allow_any_host", params: M{"nqn": "bad", "allow_any_host": true}, code: -32602, message: "Invalid parameters"},
		{method: "nvmf_subsystem_add_ns", params: M{"nqn": "bad", "namespace": M{"bdev_name": "x"}}, code: -32602, message: "Invalid parameters", passes: true},
		{method: "nvmf_subsystem_remove_ns", params: M{"nqn": "bad", "nsid": 1}, code: -32602, message: "Invalid parameters"},
		{method: "nvmf_subsystem_set_ns_ana_group", params: M{"nqn": "bad", "nsid": 1, "anagrpid": 1}, code: -32602, message: "Invalid parameters"},
		{method: "nvmf_subsystem_add_listener", params: M{"nqn": "bad", "listen_address": listen}, code: -32602, message: "Invalid parameters", passes: true},
		{method: "nvmf_subsystem_remove_listener", params: M{"nqn": "bad", "listen_address": listen}, code: -32602, message: "Invalid parameters"},
		{method: "nvmf_subsystem_get_listeners", params: M{"nqn": "bad"}, code: -32602, message: "Invalid parameters"},
		{method: "nvmf_subsystem_listener_set_ana_state", params: M{"nqn": "bad", "listen_address": listen, "ana_state": "optimized"},
			code: -32602, message: "Invalid parameters"},
	},
}

var paramCases = []example{
	paramCase("lvstores and disks"), paramCase("lvols"), paramCase("raid"), paramCase("nvme"), paramCase("nvmf"),
	{name: "an empty object is not the same as none", run: func(c *run) {
		for _, m := range []string{"bdev_lvol_get_lvols", "bdev_lvol_get_lvstores", "bdev_lvol_delete_lvstore"} {
			c.verbatim(m, `{}`, -22, "Invalid argument")
		}
		c.verbatim("bdev_wait_for_examine", `{}`, -32602, "bdev_wait_for_examine requires no parameters")
		c.verbatim("spdk_get_version", `{}`, -32602, "spdk_get_version method requires no parameters")
		c.verbatim("bdev_get_bdevs", `[1]`, -32603, undecoded)
	}},
	{name: "a parameter given twice", run: func(c *run) {
		c.verbatim("bdev_lvol_delete", `{"name":"x","name":"x"}`, -32603, undecoded)
	}},
	{name: "numbers have to fit", run: func(c *run) {
		for _, n := range []string{`-1`, `"4"`, `1.5`, `99999999999999999999`} {
			c.verbatim("bdev_lvol_resize", `{"name":"x","size_in_mib":`+n+`}`, -32603, undecoded)
		}
		c.verbatim("bdev_lvol_resize", `{"name":"x","size_in_mib":4.0}`, -19, "No such device")
	}},
}

// paramCase leaves out each parameter in turn, gives each a wrong type, and
// adds one that the method does not have.
func paramCase(kind string) example {
	return example{name: "unknown, missing and mistyped parameters of " + kind, run: func(c *run) {
		for _, s := range shapes[kind] {
			refused := func(p M) {
				c.Helper()
				c.n1.refuses(s.code, s.message, s.method, p)
			}
			for name := range s.params {
				less := with(s.params, nil)
				delete(less, name)
				refused(with(less, M{"another": 1}))
				refused(with(s.params, M{name: nil}))
			}
			if a, err := c.n1.call(s.method, with(s.params, M{"another": 1})); err != nil ||
				s.passes == a.refused(s.code, s.message) && !s.passesAnyway() {
				c.Errorf("%s with a parameter too many: %s %v", s.method, a, err)
			}
		}
	}}
}

// passesAnyway says whether passing over a parameter looks like refusing it:
// what the call names does not exist, and the answer to that is the same.
func (s shape) passesAnyway() bool { return s.passes && s.message == "Invalid parameters" }

// verbatim sends parameters as they are written.
func (c *run) verbatim(method, params string, code int, message string) {
	c.Helper()
	got := c.n1.raw(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, params), 1)[0]
	want := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"error":{"code":%d,"message":%q}}`, code, message)
	if got != want {
		c.Errorf("%s %s: got %s, want %s", method, params, got, want)
	}
}
