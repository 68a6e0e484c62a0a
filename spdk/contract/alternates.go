package contract

import "strconv"

// elsewhere is another port at which the node can be reached.
func (n *node) elsewhere() string {
	port, err := strconv.Atoi(n.target.Port())
	if err != nil {
		n.c.Fatal(err)
	}
	return strconv.Itoa(port + 100)
}

// goesBy is at which port a controller has reached its peer, or looks for it, and by which
// it goes when it does not.
func (n *node) goesBy(name string) (all []string) {
	n.c.Helper()
	type trid struct{ Trsvcid string }
	var l []struct {
		Name   string
		Ctrlrs []struct {
			State      string
			Trid       trid
			Alternates []trid `json:"alternate_trids"`
		}
	}
	n.into(&l, "bdev_nvme_get_controllers", nil)
	for _, ct := range l {
		if ct.Name == name {
			all = append(all, ct.Ctrlrs[0].State, ct.Ctrlrs[0].Trid.Trsvcid)
			for _, t := range ct.Ctrlrs[0].Alternates {
				all = append(all, t.Trsvcid)
			}
		}
	}
	return all
}

var failover = M{"multipath": "failover"}

var alternateCases = []example{
	{name: "another address, by which a controller goes on", nodes: 2, run: func(c *run) {
		b, first, second := c.n2.pool().thin("b", 8), c.n2.target.Port(), c.n2.elsewhere()
		c.n2.offer(b)
		c.n2.ok("nvmf_subsystem_add_listener", M{"nqn": c.n2.nqn(), "listen_address": with(c.n2.address(), M{"trsvcid": c.n2.elsewhere()})})
		c.equal("names", c.n1.attach(c.n2, forever, failover), []string{"n2n1"})
		other := with(with(with(c.n2.path(), forever), failover), M{"trsvcid": c.n2.elsewhere()})
		c.n1.gives([]string{}, "bdev_nvme_attach_controller", other)
		c.n1.refuses(-114, "Operation already in progress", "bdev_nvme_attach_controller", other)
		c.equal("it goes by", c.n1.goesBy("n2"), []string{"enabled", first, second})
		c.n2.ok("nvmf_subsystem_remove_listener", M{"nqn": c.n2.nqn(), "listen_address": c.n2.address()})
		c.until("it goes by the other", func() bool { by := c.n1.goesBy("n2"); return by[0] == "enabled" && by[1] == second })
		c.equal("it goes by", c.n1.goesBy("n2"), []string{"enabled", second, first})
		c.n2.ok("nvmf_subsystem_add_listener", M{"nqn": c.n2.nqn(), "listen_address": c.n2.address()})
		c.n1.ok("bdev_nvme_detach_controller", with(c.n2.address(), M{"name": "n2"}))
		c.equal("it goes by", c.n1.goesBy("n2"), []string{"enabled", second})
		c.n1.gives([]string{}, "bdev_nvme_attach_controller", with(other, M{"trsvcid": first}))
		c.restart(c.n2)
		c.until("the loss is seen", func() bool { return c.n1.controllers()["n2"] != "enabled" })
		c.n2.ok("nvmf_create_transport", M{"trtype": "TCP"})
		c.n2.disk()
		c.n2.ok("nvmf_create_subsystem", M{"nqn": c.n2.nqn(), "allow_any_host": true, "ana_reporting": true, "max_namespaces": 64})
		c.n2.add(1, b)
		c.n2.ok("nvmf_subsystem_add_listener", M{"nqn": c.n2.nqn(), "listen_address": c.n2.address()})
		c.until("it is back by the first", func() bool { by := c.n1.goesBy("n2"); return by[0] == "enabled" && by[1] == first })
		c.n1.ok("bdev_nvme_disable_controller", M{"name": "n2"})
		c.n1.ok("bdev_nvme_detach_controller", M{"name": "n2"})
		c.equal("controllers", c.n1.controllers(), M{})
	}},
	{name: "another way that is not to be had", nodes: 2, run: func(c *run) {
		c.n2.offer(c.n2.pool().thin("b", 8))
		c.n1.attach(c.n2, failover)
		other := with(with(c.n2.path(), failover), M{"trsvcid": c.n2.elsewhere()})
		nobody := by(c, refusal{code: -5, message: "Input/output error"}, refusal{code: -19, message: "No such device"})
		c.n1.refuses(nobody.code, nobody.message, "bdev_nvme_attach_controller", other)
		c.n1.ok("bdev_nvme_detach_controller", M{"name": "n2"})
		c.n1.attach(c.n2) // one that would have several at a time
		c.n2.ok("nvmf_subsystem_add_listener", M{"nqn": c.n2.nqn(), "listen_address": with(c.n2.address(), M{"trsvcid": c.n2.elsewhere()})})
		if c.build == longhorn {
			c.n1.gives([]string{}, "bdev_nvme_attach_controller", other)
			return
		}
		c.n1.refuses(-22, "Invalid argument", "bdev_nvme_attach_controller", other)
	}},
	{name: "a peer that is silent everywhere is tried without end, and let go once one address is left", nodes: 3, run: func(c *run) {
		c.n1.ok("bdev_nvme_set_options", M{"transport_ack_timeout": 10})
		often := M{"reconnect_delay_sec": 1}
		c.mirrored(forever, failover, often)
		second := M{"trsvcid": c.n2.elsewhere()}
		c.n2.ok("nvmf_subsystem_add_listener", M{"nqn": c.n2.nqn(), "listen_address": with(c.n2.address(), second)})
		c.n1.gives([]string{}, "bdev_nvme_attach_controller", with(with(with(with(c.n2.path(), forever), failover), often), second))
		c.vanish(c.n2)
		op := c.write()
		c.until("the loss is seen", func() bool { return c.n1.controllers()["n2"] == "resetting" })
		for range 6 {
			c.hold("the host's write", op, c.n3)
			c.n1.refuses(-16, "Device or resource busy", "bdev_nvme_disable_controller", M{"name": "n2"})
		}
		attempt := func(method string, params M) bool {
			a, err := c.n1.call(method, params)
			if err != nil || a.code != 0 && !a.refused(-16, "Device or resource busy") && !a.refused(-115, "Operation now in progress") {
				c.Fatalf("%s: %s %v", method, a, err)
			}
			return a.code == 0
		}
		c.until("one address is left", func() bool { // it may have gone on to the other meanwhile
			by := c.n1.goesBy("n2")
			return len(by) == 2 || attempt("bdev_nvme_detach_controller", with(c.n2.address(), M{"name": "n2", "trsvcid": by[2]}))
		})
		c.until("it is let go of", func() bool { return attempt("bdev_nvme_disable_controller", M{"name": "n2"}) })
		c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
		c.equal("RAID", c.n1.raid().Discovered, 1)
		c.n1.ok("bdev_nvme_detach_controller", M{"name": "n2"})
		c.equal("controllers", c.n1.controllers(), M{})
		c.comeBack(c.n2)
	}},
	{name: "another way while something is missing ends the target", nodes: 2, run: func(c *run) {
		c.n2.offer(c.n2.pool().thin("b", 8))
		c.n1.attach(c.n2, forever, failover)
		c.restart(c.n2)
		c.until("the loss is seen", func() bool { return c.n1.controllers()["n2"] != "enabled" })
		c.n2.ok("nvmf_create_transport", M{"trtype": "TCP"})
		c.n2.offer()
		c.n2.ok("nvmf_subsystem_add_listener", M{"nqn": c.n2.nqn(), "listen_address": with(c.n2.address(), M{"trsvcid": c.n2.elsewhere()})})
		c.until("it is back", func() bool { return c.n1.controllers()["n2"] == "enabled" })
		c.unrecorded(func() {
			c.n1.begin("bdev_nvme_attach_controller", with(with(with(c.n2.path(), forever), failover), M{"trsvcid": c.n2.elsewhere()}))
		})
		c.crashed(c.n1)
	}},
}
