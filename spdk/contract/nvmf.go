package contract

import "strings"

var nvmfCases = []example{
	{name: "subsystems", run: func(c *run) {
		c.n1.offer()
		c.n1.refusals([]refusal{
			{"nvmf_create_transport", M{"trtype": "TCP"}, -32603, "Transport type 'TCP' already exists"},
			{"nvmf_create_subsystem", M{"nqn": c.n1.nqn()}, -32603, "Unable to create subsystem " + c.n1.nqn()},
			{"nvmf_create_subsystem", M{"nqn": "bad"}, -32603, "Unable to create subsystem bad"},
			{"nvmf_delete_subsystem", M{"nqn": "nqn.2026-01.io.example:none"}, -32602, "Invalid parameters"},
			{"nvmf_get_subsystems", M{"nqn": "nqn.2026-01.io.example:none"}, -19, "No such device"},
		})
		c.n1.ok("nvmf_delete_subsystem", M{"nqn": c.n1.nqn()})
		c.n1.refuses(-32602, "Invalid parameters", "nvmf_delete_subsystem", M{"nqn": c.n1.nqn()})
	}},
	{name: "namespaces are refused with one answer for everything", run: func(c *run) {
		a, b := c.n1.pool().thin("a", 4), c.n1.thin("b", 4)
		c.n1.offer(a)
		c.n1.ok("nvmf_create_subsystem", M{"nqn": "nqn.2026-01.io.example:small", "max_namespaces": 4})
		ns := func(nqn string, ns M) refusal {
			return refusal{"nvmf_subsystem_add_ns", M{"nqn": nqn, "namespace": ns}, -32602, "Invalid parameters"}
		}
		c.n1.refusals([]refusal{
			ns(c.n1.nqn(), M{"bdev_name": b, "nsid": 1}),                     // taken
			ns(c.n1.nqn(), M{"bdev_name": "none"}),                           // no such bdev
			ns(c.n1.nqn(), M{"bdev_name": a, "nsid": 2}),                     // exported already
			ns("nqn.2026-01.io.example:small", M{"bdev_name": a}),            // exported elsewhere
			ns("nqn.2026-01.io.example:none", M{"bdev_name": b}),             // no such subsystem
			ns("nqn.2026-01.io.example:small", M{"bdev_name": b, "nsid": 5}), // beyond max_namespaces
			ns(c.n1.nqn(), M{"bdev_name": b, "nguid": "abc"}),                // not an NGUID
			ns(c.n1.nqn(), M{"bdev_name": b, "uuid": "abc"}),                 // not a UUID
			ns(c.n1.nqn(), M{"bdev_name": "disk0"}),                          // claimed by the lvstore
			{"nvmf_subsystem_remove_ns", M{"nqn": c.n1.nqn(), "nsid": 9}, -32602, "Invalid parameters"},
		})
		c.equal("claim", c.n1.bdev(a).Claim, "exclusive_write")
		c.n1.remove(1)
		c.equal("claimed afterwards", c.n1.bdev(a).Claimed, false)
		c.n1.gives(4, "nvmf_subsystem_add_ns", M{"nqn": "nqn.2026-01.io.example:small", "namespace": M{"bdev_name": b, "nsid": 4}})
	}},
	{name: "an exported lvol cannot join a RAID", run: func(c *run) {
		a, b := c.n1.pool().thin("a", 4), c.n1.thin("b", 4)
		c.n1.offer(a)
		c.n1.refuses(-1, "Failed to create RAID bdev r: Operation not permitted", "bdev_raid_create",
			M{"name": "r", "raid_level": "raid1", "base_bdevs": []string{b, a}})
		c.equal("RAIDs", len(c.n1.raids()), 0)
		c.equal("claimed", c.n1.bdev(b).Claimed, false)
	}},
	{name: "a RAID member cannot be exported", run: func(c *run) {
		a, b := c.n1.pool().thin("a", 4), c.n1.thin("b", 4)
		c.n1.mirror(a, b)
		c.n1.offer()
		c.n1.refuses(-32602, "Invalid parameters", "nvmf_subsystem_add_ns", M{"nqn": c.n1.nqn(), "namespace": M{"bdev_name": a}})
	}},
	{name: "a namespace has the identity it is given or that of its bdev", run: func(c *run) {
		a, b := c.n1.pool().thin("a", 4), c.n1.thin("b", 4)
		const uuid, nguid = "11111111-2222-3333-4444-555555555555", "11111111222233334444555555555555"
		c.n1.offer(a)
		c.n1.gives(2, "nvmf_subsystem_add_ns", M{"nqn": c.n1.nqn(), "namespace": M{"bdev_name": b, "uuid": uuid, "nguid": nguid}})
		c.equal("namespaces", c.n1.subsystem(c.n1.nqn()).Namespaces, []namespaceInfo{
			{1, a, a, strings.ToUpper(strings.ReplaceAll(a, "-", "")), 1},
			{2, b, uuid, nguid, 2},
		})
	}},
	{name: "listeners", nodes: 2, run: func(c *run) {
		c.n1.offer()
		c.n2.ok("nvmf_create_subsystem", M{"nqn": c.n2.nqn()})
		add := func(n *node, address M) refusal {
			return refusal{"nvmf_subsystem_add_listener", M{"nqn": n.nqn(), "listen_address": address}, -32602, "Invalid parameters"}
		}
		c.n1.refusals([]refusal{
			add(c.n1, c.n1.address()),
			add(c.n1, with(c.n1.address(), M{"trtype": "RDMA"})),
			{"nvmf_subsystem_remove_listener", M{"nqn": c.n1.nqn(), "listen_address": with(c.n1.address(), M{"trsvcid": "9"})}, -32602, "Invalid parameters"},
		})
		c.n2.refusals([]refusal{add(c.n2, c.n1.address())}) // another target has the port
		c.n1.ok("nvmf_subsystem_remove_listener", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address()})
		c.n1.refuses(-32602, "Invalid parameters", "nvmf_subsystem_remove_listener", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address()})
		c.equal("listeners", len(c.n1.subsystem(c.n1.nqn()).Listeners), 0)
	}},
	{name: "discovery", run: func(c *run) {
		const nqn = "nqn.2014-08.org.nvmexpress.discovery"
		listen := M{"nqn": nqn, "listen_address": c.n1.address()}
		c.n1.ok("nvmf_subsystem_add_listener", listen)
		c.n1.refuses(-32602, "Invalid parameters", "nvmf_subsystem_add_listener", listen)
		c.equal("listeners", len(c.n1.subsystem(nqn).Listeners), 1)

		// One that is there is accepted again, and is there once.
		to := with(c.n1.address(), M{"traddr": "10.0.0.9"})
		c.n1.ok("nvmf_discovery_add_referral", M{"address": to})
		c.n1.ok("nvmf_discovery_add_referral", M{"address": to, "subnqn": nqn})
		var all []struct {
			Address M
			Subnqn  string
		}
		c.n1.into(&all, "nvmf_discovery_get_referrals", nil)
		c.equal("referrals", len(all), 1)
		c.equal("address", all[0].Address["traddr"], any("10.0.0.9"))
		c.equal("NQN", all[0].Subnqn, nqn)
	}},
	{name: "hosts", run: func(c *run) {
		c.n1.ok("nvmf_create_subsystem", M{"nqn": c.n1.nqn()})
		host := func(name string) M { return M{"nqn": c.n1.nqn(), "host": name} }
		c.n1.ok("nvmf_subsystem_add_host", host("nqn.2026-01.io.example:h"))
		c.n1.refusals([]refusal{
			{"nvmf_subsystem_add_host", host("nqn.2026-01.io.example:h"), -32603, "Internal error"},
			{"nvmf_subsystem_add_host", host("bad"), -32603, "Internal error"},
			{"nvmf_subsystem_remove_host", host("nqn.2026-01.io.example:other"), -32603, "Internal error"},
		})
		c.equal("hosts", c.n1.subsystem(c.n1.nqn()).Hosts, []struct{ NQN string }{{"nqn.2026-01.io.example:h"}})
		c.n1.ok("nvmf_subsystem_remove_host", host("nqn.2026-01.io.example:h"))
	}},
}

var anaCases = []example{
	{name: "states of a listener", run: func(c *run) {
		c.n1.offer(c.n1.pool().thin("a", 4))
		set := M{"nqn": c.n1.nqn(), "listen_address": c.n1.address(), "ana_state": "inaccessible"}
		states := func() (of [3]string) {
			var l []struct {
				States []struct {
					Group int    `json:"ana_group"`
					State string `json:"ana_state"`
				} `json:"ana_states"`
			}
			c.n1.into(&l, "nvmf_subsystem_get_listeners", M{"nqn": c.n1.nqn()})
			if len(l[0].States) != 64 {
				c.Errorf("%d groups, want max_namespaces", len(l[0].States))
			}
			for i := range of {
				of[i] = l[0].States[i].State
			}
			return of
		}
		c.equal("at first", states(), []string{"optimized", "optimized", "optimized"})
		c.n1.ok("nvmf_subsystem_listener_set_ana_state", with(set, M{"anagrpid": 2}))
		c.equal("one group", states(), []string{"optimized", "inaccessible", "optimized"})
		c.n1.ok("nvmf_subsystem_listener_set_ana_state", set)
		c.equal("all", states(), []string{"inaccessible", "inaccessible", "inaccessible"})
		c.n1.ok("nvmf_subsystem_listener_set_ana_state", with(set, M{"ana_state": "optimized"}))
		c.equal("all again", states(), []string{"optimized", "optimized", "optimized"})
	}},
	{name: "what has no states", run: func(c *run) {
		c.n1.offer()
		plain := M{"nqn": "nqn.2026-01.io.example:plain"}
		c.n1.ok("nvmf_create_subsystem", plain)
		c.n1.ok("nvmf_subsystem_add_listener", with(plain, M{"listen_address": c.n1.address()}))
		set := M{"listen_address": c.n1.address(), "ana_state": "inaccessible"}
		c.n1.refusals([]refusal{
			{"nvmf_subsystem_listener_set_ana_state", with(set, plain), -32603, "error setting ANA state: -22"},
			{"nvmf_subsystem_listener_set_ana_state", with(set, M{"nqn": "nqn.2026-01.io.example:none"}), -32602,
				"Unable to find subsystem with NQN nqn.2026-01.io.example:none"},
			{"nvmf_subsystem_listener_set_ana_state", with(set, M{"nqn": c.n1.nqn(), "listen_address": with(c.n1.address(), M{"trsvcid": "9"})}), -32603,
				"error setting ANA state: -22"},
		})
	}},
	{name: "the barrier without I/O", run: func(c *run) {
		c.n1.offer(c.n1.pool().thin("a", 4))
		c.n1.ok("nvmf_subsystem_listener_set_ana_state", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address(), "ana_state": "inaccessible"})
		c.n1.ok("nvmf_subsystem_set_ns_ana_group", M{"nqn": c.n1.nqn(), "nsid": 1, "anagrpid": 1})
		c.n1.ok("nvmf_subsystem_listener_set_ana_state", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address(), "ana_state": "optimized"})
		c.n1.refusals([]refusal{
			{"nvmf_subsystem_set_ns_ana_group", M{"nqn": c.n1.nqn(), "nsid": 2, "anagrpid": 1}, -32602, "Invalid parameters"},
			{"nvmf_subsystem_set_ns_ana_group", M{"nqn": c.n1.nqn(), "nsid": 1, "anagrpid": 65}, -32602, "Invalid parameters"},
			{"nvmf_subsystem_set_ns_ana_group", M{"nqn": "nqn.2026-01.io.example:none", "nsid": 1, "anagrpid": 1}, -32602, "Invalid parameters"},
		})
	}},
	{name: "taking a listener away behind a change of its state ends the target", run: func(c *run) {
		c.n1.offer(c.n1.pool().thin("a", 4))
		this := M{"nqn": c.n1.nqn(), "listen_address": c.n1.address()}
		c.unrecorded(func() {
			if answers, err := c.n1.send(call{"nvmf_subsystem_listener_set_ana_state", with(this, M{"ana_state": "inaccessible"})},
				call{"nvmf_subsystem_remove_listener", this}); err == nil {
				c.Errorf("answered %v", answers)
			}
			c.crashed(c.n1)
		})
	}},
	{name: "an inaccessible namespace holds its user's I/O until it is optimized", nodes: 2, run: func(c *run) {
		c.n1.offer(c.n1.pool().thin("a", 4))
		c.n2.pool().thick("b", 4)
		c.n2.snapshot("lvs0/b", "s")
		c.n2.attach(c.n1)
		set := M{"nqn": c.n1.nqn(), "listen_address": c.n1.address(), "ana_state": "inaccessible"}
		c.n1.ok("nvmf_subsystem_listener_set_ana_state", set)
		c.n1.ok("nvmf_subsystem_set_ns_ana_group", M{"nqn": c.n1.nqn(), "nsid": 1, "anagrpid": 1})
		op := c.n2.copyTo("lvs0/s", "n1n1")
		c.hold("the copy", op, c.n2)
		c.equal("clusters", c.n1.bdev("lvs0/a").Driver.Lvol.Clusters, 0)
		c.n1.ok("nvmf_subsystem_listener_set_ana_state", with(set, M{"ana_state": "optimized"}))
		c.equal("the copy", c.n2.copied(op), progress{4, 4, "complete", ""})
	}},
}
