package contract

import "time"

// Links that wait: nothing is dropped, refused or failed until somebody acts.
// Attached with forever, and with as many tries for a command as targets have by
// themselves: a lost connection uses none of them up.

// waits expects that the host's write waits for longer than anything c.path sets,
// that the leg on n2 stays configured all the while, and that the controller is
// in a state.
func (c *run) waits(op int, state string) {
	c.Helper()
	for range 4 {
		c.hold("the host's write", op, c.n3)
	}
	c.both()
	c.until("the controller is "+state, func() bool { return c.n1.controllers()["n2"] == state })
}

// both expects that the RAID has both legs.
func (c *run) both() {
	c.Helper()
	r := c.n1.raid()
	c.equal("RAID", []any{r.State, r.Discovered, r.List[1].Configured}, []any{"online", 2, true})
}

// again makes what n2 has lost with its process, but for the namespace.
func (c *run) again() {
	c.Helper()
	c.start(c.n2)
	c.n2.disk()
	c.n2.ok("nvmf_create_transport", M{"trtype": "TCP"})
	c.n2.offer()
}

// dropped lets go of n2, and expects that the host's write goes on without it at once.
func (c *run) dropped(op int) {
	c.Helper()
	from := time.Now()
	c.n1.ok("bdev_nvme_disable_controller", M{"name": "n2"})
	c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
	c.near("going on", time.Since(from), 0)
	r := c.n1.raid()
	c.equal("RAID", []any{r.State, r.Discovered, r.List[1].Name, r.List[1].Configured}, []any{"online", 1, nil, false})
	c.n1.ok("bdev_nvme_detach_controller", M{"name": "n2"})
	c.equal("controllers", c.n1.controllers(), M{})
}

var patientCases = []example{
	{name: "killed and let go of", nodes: 3, run: func(c *run) {
		c.mirrored(forever)
		c.kill(c.n2)
		c.until("the loss is seen", func() bool { return c.n1.controllers()["n2"] == "reconnect_is_delayed" })
		op := c.write()
		c.waits(op, "reconnect_is_delayed")
		c.n1.ok("bdev_lvol_rename", M{"old_name": "lvs0/a", "new_name": "next"}) // while the write waits in it
		c.dropped(op)
	}},
	{name: "killed and back without the namespace", nodes: 3, run: func(c *run) {
		c.mirrored(forever)
		c.kill(c.n2)
		op := c.write()
		c.hold("the host's write", op, c.n3)
		c.again()
		c.waits(op, "enabled")
		c.n2.add(1, "lvs0/b")
		c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
		c.both()
	}},
	{name: "killed, back without the namespace, and let go of", nodes: 3, run: func(c *run) {
		c.mirrored(forever)
		c.kill(c.n2)
		op := c.write()
		c.hold("the host's write", op, c.n3)
		c.again()
		c.waits(op, "enabled")
		c.dropped(op)
	}},
	{name: "back without the namespace before anything is written", nodes: 3, run: func(c *run) {
		c.mirrored(forever)
		c.kill(c.n2)
		c.again()
		c.until("it is back", func() bool { return c.n1.controllers()["n2"] == "enabled" })
		op := c.write()
		c.waits(op, "enabled")
		c.n2.add(1, "lvs0/b")
		c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
		c.both()
	}},
	{name: "back in time without the namespace, over a link that does not wait", nodes: 3, run: func(c *run) {
		long := M{"ctrlr_loss_timeout_sec": 15, "fast_io_fail_timeout_sec": 10}
		c.mirrored(long)
		c.kill(c.n2)
		c.again()
		c.until("it is back", func() bool { return c.n1.controllers()["n2"] == "enabled" })
		op := c.write()
		c.waits(op, "enabled")
		time.Sleep(15 * time.Second)
		c.waits(op, "enabled")
		c.dropped(op)
	}},
	{name: "the host is not admitted any more", nodes: 3, run: func(c *run) {
		engine := "nqn.2026-01.io.example:engine"
		host := M{"nqn": c.n2.nqn(), "host": engine}
		b := c.n2.pool().thin("b", 8)
		c.n2.offer(b)
		c.n2.ok("nvmf_subsystem_allow_any_host", M{"nqn": c.n2.nqn(), "allow_any_host": false})
		c.n2.ok("nvmf_subsystem_add_host", host)
		a := c.n1.pool().thin("a", 8)
		c.equal("names", c.n1.attach(c.n2, forever, M{"hostnqn": engine}), []string{"n2n1"})
		c.n1.mirror(a, b)
		c.n1.offer("r")
		c.n3.pool().thick("x", 8)
		c.n3.snapshot("lvs0/x", "s")
		c.equal("names", c.n3.attach(c.n1, forever), []string{"n1n1"})
		c.equal("the host's write", c.n3.copied(c.write()), progress{8, 8, "complete", ""})
		c.n2.ok("nvmf_subsystem_remove_host", host)
		op := c.write()
		c.waits(op, "reconnect_is_delayed")
		c.n2.ok("nvmf_subsystem_add_host", host)
		c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
		c.both()
	}},
	{name: "what drains waits, too", nodes: 3, run: func(c *run) {
		c.mirrored(forever)
		c.kill(c.n2)
		op := c.write()
		c.hold("the host's write", op, c.n3)
		c.n1.ok("nvmf_subsystem_listener_set_ana_state", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address(), "ana_state": "inaccessible"})
		barrier := c.n1.begin("nvmf_subsystem_set_ns_ana_group", M{"nqn": c.n1.nqn(), "nsid": 1, "anagrpid": 1})
		time.Sleep(5 * time.Second)
		c.equal("the barrier is answered", barrier.answered(), false)
		c.n1.ok("bdev_nvme_disable_controller", M{"name": "n2"})
		c.ends("the barrier", barrier, 0, "")
		c.n1.ok("nvmf_subsystem_listener_set_ana_state", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address(), "ana_state": "optimized"})
		c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
	}},
	{name: "another controller beside it is refused until it is detached", nodes: 2, run: func(c *run) {
		c.n2.offer(c.n2.pool().thin("b", 8))
		c.equal("names", c.n1.attach(c.n2), []string{"n2n1"})
		wait := with(with(c.n2.path(), forever), M{"name": "n2~wait"})
		refused := func() { c.Helper(); c.n1.refuses(-17, "File exists", "bdev_nvme_attach_controller", wait) }
		refused()
		c.n1.ok("bdev_nvme_disable_controller", M{"name": "n2"})
		refused()
		c.n1.ok("bdev_nvme_detach_controller", M{"name": "n2"})
		c.n1.gives([]string{"n2~waitn1"}, "bdev_nvme_attach_controller", wait)
		c.kill(c.n2)
		c.until("the loss is seen", func() bool { return c.n1.controllers()["n2~wait"] == "reconnect_is_delayed" })
		c.n1.refuses(-17, "File exists", "bdev_nvme_attach_controller", c.n2.path())
	}},
}
