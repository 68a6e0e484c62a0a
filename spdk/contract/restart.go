package contract

var restartCases = []example{
	{name: "lvols survive and all else is gone", nodes: 2, run: func(c *run) {
		c.n2.offer()
		a := c.n1.pool().thick("a", 4)
		s := c.n1.snapshot("lvs0/a", "s")
		b := c.n1.thin("b", 6)
		c.n1.mirror(a, b)
		c.n1.offer("r")
		c.n1.attach(c.n2)
		c.n1.gives("lock", "bdev_null_create", M{"name": "lock", "num_blocks": 1, "block_size": 512})
		c.n1.ok("bdev_set_qos_limit", M{"name": a, "rw_ios_per_sec": 1000})
		c.restart(c.n1)
		for _, method := range []string{"bdev_get_bdevs", "bdev_lvol_get_lvstores", "bdev_lvol_get_lvols", "nvmf_get_transports",
			"bdev_nvme_get_controllers"} {
			c.n1.gives([]string{}, method, nil)
		}
		c.n1.gives([]string{}, "bdev_raid_get_bdevs", M{"category": "all"})
		c.n1.refuses(-19, "No such device", "nvmf_get_subsystems", M{"nqn": c.n1.nqn()})
		c.n1.disk()
		got := []any{}
		for _, uuid := range []string{a, b, s} {
			v := c.n1.bdev(uuid)
			got = append(got, v.Aliases[0], v.mib(), v.Driver.Lvol.Clusters, v.Driver.Lvol.Base, v.Limits.IOPS, v.Claimed)
		}
		c.equal("lvols", got, []any{"lvs0/a", 4, 0, "s", 0, false, "lvs0/b", 6, 0, "", 0, false, "lvs0/s", 4, 4, "", 0, false})
	}},
	{name: "what was answered is on the disk", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.snapshot("lvs0/a", "s")
		c.n1.ok("bdev_lvol_rename", M{"old_name": "lvs0/a", "new_name": "b"})
		c.restart(c.n1)
		c.n1.disk()
		c.equal("lvols", c.n1.lvolNames(), []string{"b", "s"})
	}},
}
