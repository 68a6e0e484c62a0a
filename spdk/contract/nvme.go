package contract

import "time"

var nvmeCases = []example{
	{name: "attaching answers with the names of bdevs", nodes: 2, run: func(c *run) {
		a, b := c.n1.pool().thin("a", 4), c.n1.thin("b", 8)
		c.n1.offer(a)
		c.n1.add(7, b)
		c.equal("names", c.n2.attach(c.n1), []string{"n1n1", "n1n7"})
		c.equal("a namespace keeps the UUID of its lvol", c.n2.bdev("n1n7").UUID, b)
		c.equal("by UUID", c.n2.bdev(a).Name, "n1n1")
		c.n2.ok("bdev_nvme_detach_controller", M{"name": "n1"})
		c.equal("afterwards", c.n2.has("n1n1"), false)
		c.equal("the name is free", c.n2.attach(c.n1), []string{"n1n1", "n1n7"})
	}},
	{name: "attaching to nothing", nodes: 2, run: func(c *run) {
		c.n1.offer()
		c.equal("names", c.n2.attach(c.n1), []string{})
		c.equal("controllers", c.n2.controllers(), M{"n1": "enabled"})
	}},
	{name: "what cannot be attached", nodes: 2, run: func(c *run) {
		c.n1.offer()
		c.n2.attach(c.n1)
		other := with(c.n1.path(), M{"name": "x"})
		c.n2.refusals([]refusal{
			{"bdev_nvme_attach_controller", c.n1.path(), -114, "A controller named n1 already exists with the specified network path"},
			{"bdev_nvme_attach_controller", with(other, M{"subnqn": "nqn.2026-01.io.example:none"}), -5, "Input/output error"},
			{"bdev_nvme_attach_controller", other, -17, "File exists"}, // the same path under another name
			{"bdev_nvme_attach_controller", with(other, M{"trtype": "none"}), -19, "No such device"},
			{"bdev_nvme_attach_controller", with(other, M{"subnqn": "nqn.2026-01.io.example:x", "fast_io_fail_timeout_sec": 9}), -22, "Invalid argument"},
			{"bdev_nvme_detach_controller", M{"name": "x"}, -19, "No such device"},
			{"bdev_nvme_disable_controller", M{"name": "x"}, -19, "No such device"},
			{"bdev_nvme_get_controllers", M{"name": "x"}, by(c, -22, 22), "Controller x does not exist"},
		})
		nobody := by(c, refusal{code: -5, message: "Input/output error"}, refusal{code: -19, message: "No such device"})
		c.n2.refuses(nobody.code, nobody.message, "bdev_nvme_attach_controller", with(other, M{"trsvcid": "9"}))
	}},
	{name: "a host that is not admitted", nodes: 2, run: func(c *run) {
		c.n1.offer()
		c.n1.ok("nvmf_subsystem_allow_any_host", M{"nqn": c.n1.nqn(), "allow_any_host": false})
		us := with(c.n1.path(), M{"hostnqn": "nqn.2026-01.io.example:h"})
		c.n2.refuses(-5, "Input/output error", "bdev_nvme_attach_controller", us)
		c.n1.ok("nvmf_subsystem_add_host", M{"nqn": c.n1.nqn(), "host": "nqn.2026-01.io.example:h"})
		c.n2.gives([]string{}, "bdev_nvme_attach_controller", us)
		c.n1.ok("nvmf_subsystem_remove_host", M{"nqn": c.n1.nqn(), "host": "nqn.2026-01.io.example:h"})
		c.until("it is thrown out", func() bool { return c.n2.controllers()["n1"] == "reconnect_is_delayed" })
	}},
	{name: "a target attached to itself hangs at the first event", run: func(c *run) {
		a := c.n1.pool().thin("a", 4)
		c.n1.offer()
		c.equal("names", c.n1.attach(c.n1), []string{})
		c.unrecorded(func() {
			c.n1.begin("nvmf_subsystem_add_ns", M{"nqn": c.n1.nqn(), "namespace": M{"bdev_name": a, "nsid": 1}})
		})
		time.Sleep(time.Second)
		asked := c.n1.begin("bdev_get_bdevs", nil)
		time.Sleep(5 * time.Second)
		c.equal("answered", asked.answered(), false)
		c.kill(c.n1)
	}},
	{name: "two targets with events of each other stand still", nodes: 2, run: func(c *run) {
		for _, n := range []*node{c.n1, c.n2} {
			n.pool().thin("a", 4)
			n.offer()
		}
		c.equal("names", c.n1.attach(c.n2), []string{})
		c.equal("names", c.n2.attach(c.n1), []string{})
		c.unrecorded(func() {
			method, more := "nvmf_subsystem_add_ns", M{"namespace": M{"bdev_name": "lvs0/a", "nsid": 1}}
			next, other := "nvmf_subsystem_remove_ns", M{"nsid": 1}
			for range 100 {
				if c.cross(method, more) {
					return
				}
				method, more, next, other = next, other, method, more
			}
			c.Errorf("the events have never crossed")
		})
		c.kill(c.n1)
		c.kill(c.n2)
	}},
	{name: "namespaces come and go and grow by themselves", nodes: 2, run: func(c *run) {
		a := c.n1.pool().thin("a", 4)
		c.n1.offer()
		c.n2.attach(c.n1)
		c.n1.add(1, a)
		c.until("it has come", func() bool { return c.n2.has("n1n1") })
		c.n1.ok("bdev_lvol_resize", M{"name": a, "size_in_mib": 8})
		c.until("it has grown", func() bool { return c.n2.bdev("n1n1").mib() == 8 })
		c.n1.remove(1)
		c.until("it has gone", func() bool { return !c.n2.has("n1n1") })
	}},
	{name: "another lvol under a number is another bdev while connected", nodes: 2, run: func(c *run) {
		a, b := c.n1.pool().thin("a", 4), c.n1.thin("b", 4)
		c.n1.offer(a)
		c.n2.attach(c.n1)
		c.n1.remove(1)
		c.until("it has gone", func() bool { return !c.n2.has("n1n1") })
		c.n1.add(1, b)
		c.until("it has come", func() bool { return c.n2.has("n1n1") })
		c.equal("UUID", c.n2.bdev("n1n1").UUID, b)
	}},
	{name: "another lvol under a number before its user looks is taken for the old one", nodes: 2, run: func(c *run) {
		a, b := c.n1.pool().thin("a", 4), c.n1.thin("b", 4)
		c.n1.offer(a)
		c.n2.attach(c.n1)
		swapped := c.n1.round(call{"nvmf_subsystem_remove_ns", M{"nqn": c.n1.nqn(), "nsid": 1}},
			call{"nvmf_subsystem_add_ns", M{"nqn": c.n1.nqn(), "namespace": M{"bdev_name": b, "nsid": 1}}})
		c.equal("codes", []int{swapped[0].code, swapped[1].code}, []int{0, 0})
		c.n1.add(2, c.n1.thin("d", 4))
		c.until("another has come", func() bool { return c.n2.has("n1n2") })
		c.equal("UUID", c.n2.bdev("n1n1").UUID, a)
		c.equal("the other lvol", c.n2.has(b), false)
	}},
	{name: "once away for longer than I/O waits, it has I/O fail at once whenever it is away", nodes: 2, run: func(c *run) {
		c.n1.offer(c.n1.pool().thin("a", 8))
		c.n2.pool().thick("x", 8)
		c.n2.snapshot("lvs0/x", "s")
		c.equal("names", c.n2.attach(c.n1, M{"ctrlr_loss_timeout_sec": -1, "fast_io_fail_timeout_sec": 4}), []string{"n1n1"})
		listener := M{"nqn": c.n1.nqn(), "listen_address": c.n1.address()}
		away := func() {
			c.n1.ok("nvmf_subsystem_remove_listener", listener)
			c.until("it is cut off", func() bool { return c.n2.controllers()["n1"] == "reconnect_is_delayed" })
		}
		back := func() {
			c.n1.ok("nvmf_subsystem_add_listener", listener)
			c.until("it is back", func() bool { return c.n2.controllers()["n1"] == "enabled" })
		}
		away()
		op := c.n2.copyTo("lvs0/s", "n1n1")
		back()
		c.equal("a write while it is away for less", c.n2.copied(op), progress{8, 8, "complete", ""})
		away()
		c.equal("a write while it is away for longer", c.n2.copied(c.n2.copyTo("lvs0/s", "n1n1")), progress{0, 8, "error", "Input/output error"})
		back()
		c.equal("a write when it is back", c.n2.copied(c.n2.copyTo("lvs0/s", "n1n1")), progress{8, 8, "complete", ""})
		away()
		from := time.Now()
		c.equal("a write while it is away once more", c.n2.copied(c.n2.copyTo("lvs0/s", "n1n1")), progress{0, 8, "error", "Input/output error"})
		c.near("its stall", time.Since(from), 0)
		back()
	}},
	{name: "reconnecting takes another lvol under a number for the old one", nodes: 2, run: func(c *run) {
		a, b := c.n1.pool().thin("a", 4), c.n1.thin("b", 4)
		c.n1.offer(a)
		c.equal("names", c.n2.attach(c.n1, forever), []string{"n1n1"})
		c.n1.ok("nvmf_subsystem_remove_listener", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address()})
		c.until("it is cut off", func() bool { return c.n2.controllers()["n1"] == "reconnect_is_delayed" })
		c.n1.remove(1)
		c.n1.add(1, b)
		c.n1.add(2, a)
		c.n1.ok("nvmf_subsystem_add_listener", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address()})
		c.until("it is back", func() bool { return c.n2.controllers()["n1"] == "enabled" })
		c.equal("UUID under the number that now holds another", c.n2.bdev("n1n1").UUID, a)
		c.equal("the new number", c.n2.has("n1n2"), false)
		c.n1.add(3, c.n1.thin("c", 4))
		c.until("another has come", func() bool { return c.n2.has("n1n3") })
		c.equal("UUID after an event", c.n2.bdev("n1n1").UUID, a)
	}},
	{name: "what changed while its peer was away", nodes: 2, run: func(c *run) {
		a, b := c.n1.pool().thin("a", 4), c.n1.thin("b", 4)
		c.n1.offer(a, b)
		c.equal("names", c.n2.attach(c.n1, forever), []string{"n1n1", "n1n2"})
		c.n1.ok("nvmf_subsystem_remove_listener", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address()})
		c.until("it is cut off", func() bool { return c.n2.controllers()["n1"] == "reconnect_is_delayed" })
		c.n1.ok("bdev_lvol_resize", M{"name": a, "size_in_mib": 8})
		c.n1.remove(2)
		c.n1.add(3, c.n1.thin("c", 4))
		c.n1.ok("nvmf_subsystem_add_listener", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address()})
		c.until("it is back", func() bool { return c.n2.controllers()["n1"] == "enabled" })
		time.Sleep(500 * time.Millisecond)
		c.equal("MiB of what grew", c.n2.bdev("n1n1").mib(), 4)
		c.equal("what went", c.n2.has("n1n2"), true)
		c.equal("what came", c.n2.has("n1n3"), false)
		// Stock goes by what an event says; the fork looks at everything again.
		c.n1.add(4, c.n1.thin("d", 4))
		c.until("another has come", func() bool { return c.n2.has("n1n4") })
		time.Sleep(500 * time.Millisecond)
		c.equal("MiB of what grew, after another event", c.n2.bdev("n1n1").mib(), by(c, 4, 8))
		c.equal("what went, after another event", c.n2.has("n1n2"), by(c, true, false))
		c.equal("what came, after another event", c.n2.has("n1n3"), by(c, false, true))
		c.n1.remove(1)
		c.until("it has gone", func() bool { return !c.n2.has("n1n1") })
		c.n1.add(1, a)
		c.until("it is shown again", func() bool { return c.n2.has("n1n1") })
		c.equal("MiB when shown again", c.n2.bdev("n1n1").mib(), 8)
	}},
	{name: "options only before the first controller", nodes: 2, run: func(c *run) {
		c.n1.offer()
		c.n2.ok("bdev_nvme_set_options", M{"bdev_retry_count": 3})
		c.n2.attach(c.n1)
		c.n2.refuses(-1, "RPC not permitted with nvme controllers already attached", "bdev_nvme_set_options", M{"bdev_retry_count": 3})
		c.n2.ok("bdev_nvme_detach_controller", M{"name": "n1"})
		c.n2.ok("bdev_nvme_set_options", M{"bdev_retry_count": 3})
		c.n2.refuses(-22, "Invalid argument", "bdev_nvme_set_options", M{"ctrlr_loss_timeout_sec": 1, "reconnect_delay_sec": 2})
	}},
	{name: "a subsystem deleted under its user", nodes: 2, run: func(c *run) {
		c.n1.offer(c.n1.pool().thin("a", 4))
		c.n2.attach(c.n1)
		c.n1.ok("nvmf_delete_subsystem", M{"nqn": c.n1.nqn()})
		c.until("it is cut off", func() bool { return c.n2.controllers()["n1"] == "reconnect_is_delayed" })
		c.equal("its bdev", c.n2.has("n1n1"), true)
		c.until("it is given up", func() bool { return len(c.n2.controllers()) == 0 })
		c.equal("its bdev", c.n2.has("n1n1"), false)
	}},
	{name: "resetting and enabling one whose peer is gone", nodes: 2, run: func(c *run) {
		c.n1.offer(c.n1.pool().thin("a", 4))
		c.equal("names", c.n2.attach(c.n1, forever), []string{"n1n1"})
		c.n2.ok("bdev_nvme_reset_controller", M{"name": "n1"})
		c.equal("state", c.n2.controllers(), M{"n1": "enabled"})
		c.kill(c.n1)
		c.until("the loss is seen", func() bool { return c.n2.controllers()["n1"] == "reconnect_is_delayed" })
		c.n2.refuses(-1, "Operation not permitted", "bdev_nvme_reset_controller", M{"name": "n1"})
		c.equal("state", c.n2.controllers(), M{"n1": "reconnect_is_delayed"})
		c.n2.ok("bdev_nvme_disable_controller", M{"name": "n1"})
		c.n2.ok("bdev_nvme_reset_controller", M{"name": "n1"}) // nothing is done
		c.equal("state", c.n2.controllers(), M{"n1": "disabled"})
		c.n2.refuses(-1, "Operation not permitted", "bdev_nvme_enable_controller", M{"name": "n1"})
		c.equal("state", c.n2.controllers(), M{"n1": "reconnect_is_delayed"})
		c.n2.ok("bdev_nvme_detach_controller", M{"name": "n1"})
	}},
	{name: "disabling is repeatable and undone by enabling", nodes: 2, run: func(c *run) {
		c.n1.offer(c.n1.pool().thin("a", 4))
		c.n2.attach(c.n1)
		c.n2.ok("bdev_nvme_disable_controller", M{"name": "n1"})
		c.n2.ok("bdev_nvme_disable_controller", M{"name": "n1"})
		c.equal("state", c.n2.controllers(), M{"n1": "disabled"})
		c.equal("its bdev", c.n2.has("n1n1"), true)
		c.n2.ok("bdev_nvme_enable_controller", M{"name": "n1"})
		c.equal("state", c.n2.controllers(), M{"n1": "enabled"})
		c.n2.ok("bdev_nvme_disable_controller", M{"name": "n1"})
		c.n2.ok("bdev_nvme_detach_controller", M{"name": "n1"})
		c.equal("names", c.n2.attach(c.n1), []string{"n1n1"})
	}},
}

// cross has two targets make the same call at once, and says whether both have stood
// still since.
func (c *run) cross(method string, more M) bool {
	for _, n := range []*node{c.n1, c.n2} {
		n.begin(method, with(M{"nqn": n.nqn()}, more))
	}
	time.Sleep(50 * time.Millisecond)
	asked := []*pending{c.n1.begin("bdev_get_bdevs", nil), c.n2.begin("bdev_get_bdevs", nil)}
	for range 40 {
		time.Sleep(500 * time.Millisecond)
		if asked[0].answered() || asked[1].answered() {
			return false
		}
	}
	return true
}
