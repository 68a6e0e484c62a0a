package contract

import (
	"time"
)

// What happens to a RAID1 with a leg on a peer that dies or hangs.

func (c *run) kill(n *node) {
	n.target.Kill()
	c.rec.Note("kill " + n.name)
}

// start waits until the client has a connection again.
func (c *run) start(n *node) {
	c.Helper()
	n.target.Start()
	c.rec.Note("start " + n.name)
	c.until(n.name+" answers", func() bool {
		_, err := n.send(call{"spdk_get_version", nil})
		return err == nil
	})
}

// crashed expects that a node has ended by itself.
func (c *run) crashed(n *node) {
	c.Helper()
	if !n.target.Crashed() {
		c.Errorf("%s has not ended by itself", n.name)
	}
	c.rec.Note("crash " + n.name)
}

func (c *run) restart(n *node) {
	c.kill(n)
	c.start(n)
}

func (c *run) freeze(n *node) {
	n.target.Freeze()
	c.rec.Note("freeze " + n.name)
}

func (c *run) thaw(n *node) {
	n.target.Thaw()
	c.rec.Note("thaw " + n.name)
}

func (c *run) vanish(n *node) {
	c.Helper()
	if !n.target.Vanish(true) {
		c.Skip("this lab has no power over the network")
	}
	c.Cleanup(func() { n.target.Vanish(false) })
	c.rec.Note("vanish " + n.name)
}

func (c *run) comeBack(n *node) {
	n.target.Vanish(false)
	c.rec.Note("return " + n.name)
}

// mirrored makes the RAID r on n1 with a leg a there and a leg b on n2,
// exports it, and lets n3 be its host, with a layer s of 8 MiB to write. more
// are parameters of the attachment of the leg.
func (c *run) mirrored(more ...M) (legs [2]string) {
	c.Helper()
	legs[1] = c.n2.pool().thin("b", 8)
	c.n2.offer(legs[1])
	legs[0] = c.n1.pool().thin("a", 8)
	c.equal("names", c.n1.attach(c.n2, more...), []string{"n2n1"})
	c.n1.mirror(legs[:]...)
	c.n1.offer("r")
	c.n3.pool().thick("x", 8)
	c.n3.snapshot("lvs0/x", "s")
	c.equal("names", c.n3.attach(c.n1, forever), []string{"n1n1"})
	return legs
}

// stuck has a host whose write waits for n2, which hangs; it returns the copy
// that writes, and how the host reaches n1.
func (c *run) stuck(more ...M) (op int, listener M) {
	c.Helper()
	c.mirrored(more...)
	c.freeze(c.n2)
	op = c.write()
	c.hold("the host's write", op, c.n3)
	return op, M{"nqn": c.n1.nqn(), "listen_address": c.n1.address()}
}

// write lets the host write 8 MiB; it returns the copy that does so.
func (c *run) write() int {
	c.Helper()
	return c.n3.copyTo("lvs0/s", "n1n1")
}

// hold expects that a copy does not get on for a while.
func (c *run) hold(what string, op int, n *node) {
	c.Helper()
	time.Sleep(300 * time.Millisecond) // for what goes on without asking
	var before progress
	c.unrecorded(func() { before = n.progress(op) })
	time.Sleep(1200 * time.Millisecond)
	if after := n.progress(op); before != after || after.State != "in progress" {
		c.Errorf("%s went on: %+v, then %+v", what, before, after)
	}
}

var peerCases = []example{
	{name: "killed", nodes: 3, run: func(c *run) {
		c.mirrored()
		c.kill(c.n2)
		from := time.Now()
		c.until("the loss is seen", func() bool { return c.n1.controllers()["n2"] == "reconnect_is_delayed" })
		r := c.n1.raid()
		c.equal("RAID", []any{r.State, r.Discovered, r.List[1].Configured}, []any{"online", 2, true})
		c.equal("the host's write", c.n3.copied(c.write()), progress{8, 8, "complete", ""})
		c.near("the stall, fast_io_fail_timeout_sec", time.Since(from), 2*time.Second)
		c.until("the peer is given up", func() bool { return len(c.n1.controllers()) == 0 })
		c.near("giving up, ctrlr_loss_timeout_sec", time.Since(from), 4*time.Second)
		r = c.n1.raid()
		c.equal("RAID", []any{r.State, r.Discovered, r.List[1].Name, r.List[1].Configured}, []any{"online", 1, nil, false})
	}},
	{name: "killed and no I/O tried again", nodes: 3, run: func(c *run) {
		c.n1.ok("bdev_nvme_set_options", M{"bdev_retry_count": 0})
		c.mirrored(M{"ctrlr_loss_timeout_sec": 30, "fast_io_fail_timeout_sec": 20})
		c.kill(c.n2)
		from := time.Now()
		c.equal("the host's write", c.n3.copied(c.write()), progress{8, 8, "complete", ""})
		c.near("the stall", time.Since(from), 0)
		c.equal("RAID", c.n1.raid().Discovered, 1)
	}},
	{name: "vanished", nodes: 3, run: func(c *run) {
		c.mirrored()
		c.vanish(c.n2)
		op := c.write()
		for range 10 { // longer than anything c.path sets
			c.hold("the host's write", op, c.n3)
		}
		c.equal("nothing is noticed", c.n1.controllers(), M{"n2": "enabled"})
		c.comeBack(c.n2)
		c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
		c.equal("RAID", c.n1.raid().Discovered, 2)
	}},
	{name: "vanished, missed and never given up", only: longhorn, nodes: 3, run: func(c *run) {
		c.n1.ok("bdev_nvme_set_options", M{"transport_ack_timeout": 10})
		c.mirrored()
		c.vanish(c.n2)
		op := c.write()
		c.until("the loss is seen", func() bool { return c.n1.controllers()["n2"] != "enabled" })
		for range 10 { // longer than anything c.path sets
			c.hold("the host's write", op, c.n3)
		}
		c.equal("controllers", len(c.n1.controllers()), 1)
		c.until("it is let go of", func() bool {
			a, err := c.n1.call("bdev_nvme_disable_controller", M{"name": "n2"})
			if err != nil || a.code != 0 && !a.refused(-16, "Device or resource busy") {
				c.Fatalf("disabling: %s %v", a, err)
			}
			return a.code == 0
		})
		c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
		c.equal("RAID", c.n1.raid().Discovered, 1)
		c.n1.ok("bdev_nvme_detach_controller", M{"name": "n2"})
	}},
	{name: "vanished and attached", nodes: 2, run: func(c *run) {
		c.n2.offer()
		c.n1.ok("bdev_nvme_set_options", M{"transport_ack_timeout": 10})
		c.vanish(c.n2)
		from := time.Now()
		attaching := c.n1.begin("bdev_nvme_attach_controller", c.n2.path())
		time.Sleep(200 * time.Millisecond)
		c.unrecorded(func() { c.n1.gives([]string{}, "bdev_get_bdevs", nil) })
		meanwhile := time.Since(from)
		c.ends("attaching", attaching, by(c, -5, -19), by(c, "Input/output error", "No such device"))
		c.near("attaching, transport_ack_timeout", attaching.took, time.Second)
		c.near("another call meanwhile", meanwhile, by(c, 0, time.Second))
	}},
	{name: "vanished and missed", only: stock, nodes: 3, run: func(c *run) {
		c.n1.ok("bdev_nvme_set_options", M{"transport_ack_timeout": 10})
		c.mirrored()
		c.vanish(c.n2)
		from := time.Now()
		op := c.write()
		c.until("the loss is seen", func() bool { return c.n1.controllers()["n2"] != "enabled" })
		c.near("seeing it, transport_ack_timeout", time.Since(from), time.Second)
		c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
		c.near("the stall, fast_io_fail_timeout_sec more", time.Since(from), 3*time.Second)
		c.equal("RAID", c.n1.raid().Discovered, 1)
	}},
	{name: "hung and a command timed", nodes: 3, run: func(c *run) {
		c.n1.ok("bdev_nvme_set_options", M{"timeout_us": 1000000})
		c.mirrored()
		c.freeze(c.n2)
		op := c.write()
		time.Sleep(3 * time.Second)
		asking := c.n1.begin("bdev_nvme_get_controllers", nil)
		time.Sleep(5 * time.Second)
		c.equal("anything is answered", asking.answered(), by(c, false, true))
		c.thaw(c.n2)
		c.ends("asking", asking, 0, "")
		c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
	}},
	{name: "hung and reset", nodes: 3, run: func(c *run) {
		op, _ := c.stuck(M{"ctrlr_loss_timeout_sec": 30, "fast_io_fail_timeout_sec": 20})
		resetting := c.n1.begin("bdev_nvme_reset_controller", M{"name": "n2"})
		time.Sleep(500 * time.Millisecond)
		c.equal("other calls are answered", c.n1.has("r"), true)
		c.ends("resetting", resetting, -1, "Operation not permitted")
		c.near("resetting", resetting.took, 10*time.Second)
		c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
		c.thaw(c.n2)
	}},
	{name: "hung and let go of while it is tried", nodes: 3, run: func(c *run) {
		op, _ := c.stuck(M{"ctrlr_loss_timeout_sec": 30, "fast_io_fail_timeout_sec": 20})
		from := time.Now()
		resetting := c.n1.begin("bdev_nvme_reset_controller", M{"name": "n2"})
		time.Sleep(500 * time.Millisecond)
		c.equal("state", c.n1.controllers(), M{"n2": "resetting"})
		for _, method := range []string{"bdev_nvme_disable_controller", "bdev_nvme_enable_controller", "bdev_nvme_reset_controller"} {
			c.n1.refuses(-16, "Device or resource busy", method, M{"name": "n2"})
		}
		detaching := c.n1.begin("bdev_nvme_detach_controller", M{"name": "n2"})
		c.ends("resetting", resetting, -1, "Operation not permitted")
		c.ends("detaching", detaching, 0, "")
		c.near("detaching, once the attempt is over", time.Since(from), 10*time.Second)
		c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
		c.equal("RAID", c.n1.raid().Discovered, 1)
		c.thaw(c.n2)
	}},
	{name: "killed without I/O", nodes: 3, run: func(c *run) {
		legs := c.mirrored()
		c.kill(c.n2)
		c.until("the loss is seen", func() bool { return c.n1.controllers()["n2"] == "reconnect_is_delayed" })
		c.until("the leg is dropped", func() bool { return c.n1.raid().Discovered == 1 })
		c.until("the peer is given up", func() bool { return len(c.n1.controllers()) == 0 })
		r := c.n1.raid()
		c.equal("RAID", []any{r.State, r.Bases, r.Operational, r.List[1].Name}, []any{"online", 2, 1, nil})
		c.equal("its bdev", c.n1.has(legs[1]), false)
	}},
	{name: "killed and back in time", nodes: 3, run: func(c *run) {
		c.mirrored()
		c.n1.ok("bdev_raid_remove_base_bdev", M{"name": "n2n1"})
		c.n1.ok("bdev_nvme_detach_controller", M{"name": "n2"})
		c.equal("names", c.n1.attach(c.n2, forever), []string{"n2n1"})
		c.n1.ok("bdev_raid_add_base_bdev", M{"raid_bdev": "r", "base_bdev": "n2n1"})
		c.until("it is rebuilt", func() bool { return c.n1.raid().Process == nil })
		c.kill(c.n2)
		op := c.write()
		c.hold("the host's write", op, c.n3)
		c.start(c.n2)
		c.n2.disk()
		c.n2.ok("nvmf_create_transport", M{"trtype": "TCP"})
		c.n2.offer("lvs0/b")
		c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
		c.equal("RAID", c.n1.raid().Discovered, 2)
		c.equal("controller", c.n1.controllers(), M{"n2": "enabled"})
	}},
	{name: "hung and let go", nodes: 3, run: func(c *run) {
		op, _ := c.stuck()
		c.equal("nothing is noticed", c.n1.controllers(), M{"n2": "enabled"})
		c.n1.ok("nvmf_subsystem_listener_set_ana_state", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address(), "ana_state": "inaccessible"})
		barrier := c.n1.begin("nvmf_subsystem_set_ns_ana_group", M{"nqn": c.n1.nqn(), "nsid": 1, "anagrpid": 1})
		time.Sleep(500 * time.Millisecond)
		c.equal("the barrier is answered", barrier.answered(), false)
		c.equal("other calls are", c.n1.has("r"), true)
		from := time.Now()
		c.n1.ok("bdev_nvme_disable_controller", M{"name": "n2"})
		c.n1.ok("bdev_nvme_disable_controller", M{"name": "n2"})
		c.ends("the barrier", barrier, 0, "")
		c.n1.ok("nvmf_subsystem_listener_set_ana_state", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address(), "ana_state": "optimized"})
		c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
		c.near("going on", time.Since(from), 0)
		c.equal("RAID", c.n1.raid().Discovered, 1)
		from = time.Now()
		c.n1.ok("bdev_nvme_detach_controller", M{"name": "n2"})
		c.near("detaching", time.Since(from), 0)
		c.thaw(c.n2)
		c.equal("the name is free", c.n1.attach(c.n2), []string{"n2n1"})
	}},
	{name: "hung: what changes the export waits behind a barrier", nodes: 3, run: func(c *run) {
		c.mirrored()
		c.n1.thin("z", 4)
		c.freeze(c.n2)
		op := c.write()
		c.hold("the host's write", op, c.n3)
		ana := func(state string) *pending {
			return c.n1.begin("nvmf_subsystem_listener_set_ana_state", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address(), "ana_state": state})
		}
		c.ends("holding", ana("inaccessible"), 0, "")
		barrier := c.n1.begin("nvmf_subsystem_set_ns_ana_group", M{"nqn": c.n1.nqn(), "nsid": 1, "anagrpid": 1})
		time.Sleep(100 * time.Millisecond)
		resuming := ana("optimized")
		time.Sleep(100 * time.Millisecond)
		adding := c.n1.begin("nvmf_subsystem_add_ns", M{"nqn": c.n1.nqn(), "namespace": M{"bdev_name": "lvs0/z", "nsid": 2}})
		c.n1.ok("nvmf_subsystem_add_host", M{"nqn": c.n1.nqn(), "host": "nqn.2026-01.io.example:guest"})
		time.Sleep(time.Second)
		c.equal("answered", []bool{barrier.answered(), resuming.answered(), adding.answered()}, []bool{false, false, false})
		c.n1.ok("bdev_nvme_disable_controller", M{"name": "n2"})
		c.ends("the barrier", barrier, 0, "")
		c.ends("resuming", resuming, 0, "")
		c.ends("adding", adding, 0, "")
		c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
		c.thaw(c.n2)
	}},
	{name: "hung: a removal takes effect late, and before what came after it", nodes: 3, only: stock, run: func(c *run) {
		op, listener := c.stuck()
		c.n1.ok("nvmf_subsystem_remove_listener", listener)
		removing := c.n1.begin("nvmf_subsystem_remove_ns", M{"nqn": c.n1.nqn(), "nsid": 1})
		time.Sleep(100 * time.Millisecond)
		listening := c.n1.begin("nvmf_subsystem_add_listener", listener)
		time.Sleep(100 * time.Millisecond)
		barrier := c.n1.begin("nvmf_subsystem_set_ns_ana_group", M{"nqn": c.n1.nqn(), "nsid": 1, "anagrpid": 1})
		time.Sleep(time.Second)
		c.equal("answered", []bool{removing.answered(), listening.answered(), barrier.answered()}, []bool{false, false, false})
		c.equal("namespaces", len(c.n1.subsystem(c.n1.nqn()).Namespaces), 1)
		c.n1.ok("bdev_nvme_disable_controller", M{"name": "n2"})
		c.ends("removing", removing, 0, "")
		c.ends("listening", listening, 0, "")
		c.ends("a barrier on nothing", barrier, -32602, "Invalid parameters")
		c.equal("namespaces", len(c.n1.subsystem(c.n1.nqn()).Namespaces), 0)
		c.equal("the host's write", c.n3.progress(op).State, "in progress")
		c.thaw(c.n2)
		c.kill(c.n3) // its write waits for the namespace for good
	}},
	{name: "hung: a listener goes when nothing is outstanding", nodes: 3, only: longhorn, run: func(c *run) {
		op, listener := c.stuck()
		hiding := c.n1.begin("nvmf_subsystem_remove_listener", listener)
		time.Sleep(100 * time.Millisecond)
		c.n1.ok("nvmf_subsystem_set_ns_ana_group", M{"nqn": c.n1.nqn(), "nsid": 1, "anagrpid": 1}) // nobody is there
		c.n1.ok("nvmf_subsystem_add_listener", listener)
		time.Sleep(time.Second)
		c.equal("answered", hiding.answered(), false)
		c.n1.ok("bdev_nvme_disable_controller", M{"name": "n2"})
		c.ends("hiding", hiding, 0, "")
		c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
		c.thaw(c.n2)
	}},
	{name: "hung: a namespace that goes while a listener does ends the target", nodes: 3, only: longhorn, run: func(c *run) {
		_, listener := c.stuck()
		hiding := c.n1.begin("nvmf_subsystem_remove_listener", listener)
		time.Sleep(100 * time.Millisecond)
		removing := c.n1.begin("nvmf_subsystem_remove_ns", M{"nqn": c.n1.nqn(), "nsid": 1})
		time.Sleep(time.Second)
		c.equal("answered", []bool{hiding.answered(), removing.answered()}, []bool{false, false})
		c.n1.begin("bdev_nvme_disable_controller", M{"name": "n2"}) // is answered or not, as it happens
		c.crashed(c.n1)
		c.thaw(c.n2)
		c.kill(c.n3) // its write waits for n1 for good
	}},
	{name: "hung and not let go", nodes: 3, run: func(c *run) {
		legs := c.mirrored()
		c.n2.ok("nvmf_create_subsystem", M{"nqn": "nqn.2026-01.io.example:second", "allow_any_host": true})
		c.n2.ok("nvmf_subsystem_add_listener", M{"nqn": "nqn.2026-01.io.example:second", "listen_address": c.n2.address()})
		second := with(c.n2.path(), M{"name": "second", "subnqn": "nqn.2026-01.io.example:second"})
		c.n1.gives([]string{}, "bdev_nvme_attach_controller", second)
		c.freeze(c.n2)
		op := c.write()
		c.hold("the host's write", op, c.n3)
		attaching := c.n1.begin("bdev_nvme_attach_controller", with(second, M{"name": "third", "subnqn": "nqn.2026-01.io.example:third"}))
		removing := c.n1.begin("bdev_raid_remove_base_bdev", M{"name": legs[1]})
		time.Sleep(500 * time.Millisecond)
		detaching := c.n1.begin("bdev_nvme_detach_controller", M{"name": "n2"})
		time.Sleep(500 * time.Millisecond)
		c.equal("other calls are answered", c.n1.has("r"), true)
		c.ends("attaching", attaching, -5, "Input/output error")
		c.near("attaching", attaching.took, 10*time.Second)
		c.ends("detaching", detaching, -110, "Connection timed out")
		c.near("detaching", detaching.took, 10*time.Second)
		c.equal("removing the leg is answered", removing.answered(), false)
		c.equal("controllers", c.n1.controllers(), M{"n2": "deleting", "second": "enabled"})
		c.hold("the host's write", op, c.n3)
		c.thaw(c.n2)
		c.equal("the host's write", c.n3.copied(op).State, "complete")
		<-removing.done
	}},
	{name: "hung and a dead one's leg as destination", nodes: 2, run: func(c *run) {
		dst := c.n2.pool().thin("dst", 8)
		c.n2.offer(dst)
		c.n1.pool().thick("a", 8)
		c.n1.snapshot("lvs0/a", "s")
		c.n1.attach(c.n2)
		c.freeze(c.n2)
		op := c.n1.copyTo("lvs0/s", dst)
		c.hold("the copy", op, c.n1)
		c.n1.ok("bdev_nvme_disable_controller", M{"name": "n2"})
		c.equal("the copy", c.n1.copied(op).State, "error")
		c.thaw(c.n2)
	}},
}
