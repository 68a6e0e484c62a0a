package contract

var raidCases = []example{
	{name: "two bases make it online", run: func(c *run) {
		a, b := c.n1.pool().thin("a", 4), c.n1.thin("b", 4)
		const uuid = "11111111-2222-3333-4444-555555555555"
		c.n1.ok("bdev_raid_create", M{"name": "r", "raid_level": "raid1", "base_bdevs": []string{a, "lvs0/b"}, "uuid": uuid})
		r := c.n1.raid()
		c.equal("RAID", []any{r.UUID, r.State, r.Bases, r.Discovered, r.Operational}, []any{uuid, "online", 2, 2, 2})
		c.equal("labels are as given", []string{*r.List[0].Name, *r.List[1].Name}, []string{a, "lvs0/b"})
		c.equal("UUIDs are those of the bdevs", []string{r.List[0].UUID, r.List[1].UUID}, []string{a, b})
		c.equal("bdev", c.n1.bdev("r").UUID, uuid)
		c.equal("claim", c.n1.bdev(a).Claim, "exclusive_write")
		c.n1.refuses(-17, "Failed to create RAID bdev r: File exists", "bdev_raid_create",
			M{"name": "r", "raid_level": "raid1", "base_bdevs": []string{a, b}})
		c.n1.ok("bdev_raid_delete", M{"name": "r"})
		c.n1.refuses(-19, "raid bdev r not found", "bdev_raid_delete", M{"name": "r"})
		c.equal("claimed afterwards", c.n1.bdev(a).Claimed, false)
	}},
	{name: "its limits go with it and those of its bases stay", run: func(c *run) {
		a, b := c.n1.pool().thin("a", 4), c.n1.thin("b", 4)
		c.n1.ok("bdev_set_qos_limit", M{"name": a, "rw_ios_per_sec": 0, "rw_mbytes_per_sec": 0, "r_mbytes_per_sec": 3, "w_mbytes_per_sec": 0})
		c.n1.mirror(a, b)
		c.equal("new", c.n1.bdev("r").Limits.IOPS, 0)
		c.n1.ok("bdev_set_qos_limit", M{"name": "r", "rw_ios_per_sec": 2000, "rw_mbytes_per_sec": 0, "r_mbytes_per_sec": 0, "w_mbytes_per_sec": 7})
		c.n1.ok("bdev_lvol_rename", M{"old_name": "lvs0/a", "new_name": "a2"})
		r, leg := c.n1.bdev("r").Limits, c.n1.bdev(a).Limits
		c.equal("limits", []int64{r.IOPS, r.Read, r.Write, leg.IOPS, leg.Read, leg.Write}, []int64{2000, 0, 7, 0, 3, 0})
		c.n1.ok("bdev_set_qos_limit", M{"name": a, "rw_ios_per_sec": 0, "rw_mbytes_per_sec": 0, "r_mbytes_per_sec": 0, "w_mbytes_per_sec": 0})
		c.equal("lifted", c.n1.bdev(a).Limits.Read, 0)
		c.n1.ok("bdev_raid_delete", M{"name": "r"})
		c.n1.mirror(a, b)
		c.equal("made again", c.n1.bdev("r").Limits.IOPS, 0)
	}},
	{name: "one base is too few", only: stock, run: func(c *run) {
		c.n1.pool().thin("a", 4)
		for _, bases := range [][]string{{}, {"lvs0/a"}} {
			c.n1.refuses(-22, "Failed to create RAID bdev r: Invalid argument", "bdev_raid_create",
				M{"name": "r", "raid_level": "raid1", "base_bdevs": bases})
		}
		c.equal("RAIDs", len(c.n1.raids()), 0)
		c.equal("claimed", c.n1.bdev("lvs0/a").Claimed, false)
	}},
	{name: "one base is enough", only: longhorn, run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.mirror("lvs0/a")
		r := c.n1.raid()
		c.equal("RAID", []any{r.State, r.Bases, r.Discovered, r.Operational}, []any{"online", 1, 1, 1})
	}},
	{name: "a base that is not there leaves it configuring", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.mirror("lvs0/a", "later")
		r := c.n1.raid()
		c.equal("RAID", []any{r.State, r.Bases, r.Discovered, r.Operational}, []any{"configuring", 2, 1, 2})
		c.equal("bdev", c.n1.has("r"), false)
		c.equal("claim on the one that is there", c.n1.bdev("lvs0/a").Claim, "exclusive_write")
		c.n1.gives("later", "bdev_null_create", M{"name": "later", "num_blocks": 1024, "block_size": 4096})
		c.until("it is online", func() bool { return c.n1.raid().State == "online" })
	}},
	{name: "a base given by alias is not recognised when it comes", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.mirror("lvs0/a", "lvs0/later")
		c.n1.thin("later", 4)
		c.equal("state", c.n1.raid().State, "configuring")
		c.n1.refuses(-22, "Failed to add base bdev lvs0/later to RAID bdev r: Invalid argument", "bdev_raid_add_base_bdev",
			M{"raid_bdev": "r", "base_bdev": "lvs0/later"})
		c.n1.ok("bdev_raid_delete", M{"name": "r"})
	}},
	{name: "bases that do not fit", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.gives("x", "bdev_null_create", M{"name": "x", "num_blocks": 8192, "block_size": 512})
		c.n1.refusals([]refusal{
			{"bdev_raid_create", M{"name": "r", "raid_level": "raid1", "base_bdevs": []string{"lvs0/a", "x"}}, -22, "Failed to create RAID bdev r: Invalid argument"},
			{"bdev_raid_create", M{"name": "r", "raid_level": "raid1", "base_bdevs": []string{"lvs0/a", ""}}, -22, "The base bdev name cannot be empty: Invalid argument"},
			{"bdev_raid_create", M{"name": "r", "raid_level": "raid1", "base_bdevs": []string{"lvs0/a", "disk0"}}, -1, "Failed to create RAID bdev r: Operation not permitted"},
		})
		c.equal("claimed", c.n1.bdev("lvs0/a").Claimed, false)
	}},
	{name: "the smallest base makes the size", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.thin("b", 8)
		c.n1.mirror("lvs0/a", "lvs0/b")
		c.equal("MiB", c.n1.bdev("r").mib(), 4)
	}},
	{name: "bases are taken out online and the last one takes the RAID along", run: func(c *run) {
		a, b := c.n1.pool().thin("a", 4), c.n1.thin("b", 4)
		c.n1.mirror(a, b)
		c.n1.ok("bdev_raid_remove_base_bdev", M{"name": b})
		r := c.n1.raid()
		c.equal("RAID", []any{r.State, r.Bases, r.Discovered, r.Operational}, []any{"online", 2, 1, 1})
		c.equal("slot", []any{r.List[1].Name, r.List[1].Configured}, []any{nil, false})
		c.equal("claimed", c.n1.bdev(b).Claimed, false)
		c.n1.refuses(-19, "Failed to remove base bdev from raid bdev", "bdev_raid_remove_base_bdev", M{"name": b})
		c.n1.ok("bdev_raid_remove_base_bdev", M{"name": a})
		c.until("the RAID is gone", func() bool { return len(c.n1.raids()) == 0 })
	}},
	{name: "a base deleted under it is dropped", run: func(c *run) {
		a, b := c.n1.pool().thin("a", 4), c.n1.thin("b", 4)
		c.n1.mirror(a, b)
		c.n1.ok("bdev_lvol_delete", M{"name": b})
		r := c.n1.raid()
		c.equal("RAID", []any{r.State, r.Discovered}, []any{"online", 1})
	}},
	{name: "there has to be a vacancy", run: func(c *run) {
		c.n1.pool().mirror(c.n1.thin("a", 4), c.n1.thin("b", 4))
		c.n1.thin("x", 4)
		c.n1.refusals([]refusal{
			{"bdev_raid_add_base_bdev", M{"raid_bdev": "r", "base_bdev": "lvs0/x"}, -22, "Failed to add base bdev lvs0/x to RAID bdev r: Invalid argument"},
			{"bdev_raid_add_base_bdev", M{"raid_bdev": "none", "base_bdev": "lvs0/x"}, -19, "raid bdev none is not found in config"},
		})
	}},
	{name: "an added base is rebuilt block by block", run: func(c *run) {
		a, b := c.n1.pool().thin("a", 64), c.n1.thin("b", 64)
		c.n1.mirror(a, b)
		c.n1.ok("bdev_raid_remove_base_bdev", M{"name": b})
		var during []raidInfo
		c.n1.ok("bdev_raid_add_base_bdev", M{"raid_bdev": "r", "base_bdev": b})
		c.unrecorded(func() { during = c.n1.raids() })
		if p := during[0].Process; p != nil {
			c.equal("process", []string{p.Type, p.Target}, []string{"rebuild", b})
			c.equal("configured while it runs", during[0].List[1].Configured, true)
		}
		c.until("it is rebuilt", func() bool { return c.n1.raid().Process == nil })
		r := c.n1.raid()
		c.equal("RAID", []int{r.Discovered, r.Operational}, []int{2, 2})
		c.equal("clusters", c.n1.bdev(b).Driver.Lvol.Clusters, 64)
		c.equal("clusters of the source", c.n1.bdev(a).Driver.Lvol.Clusters, 0)
	}},
	{name: "a member is renamed and keeps its label", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.thin("b", 4)
		c.n1.mirror("lvs0/a", "lvs0/b")
		c.n1.ok("bdev_lvol_rename", M{"old_name": "lvs0/a", "new_name": "c"})
		c.equal("label", *c.n1.raid().List[0].Name, "lvs0/a")
		c.equal("lvols", c.n1.lvolNames(), []string{"b", "c"})
	}},
	{name: "it grows once all members have grown", nodes: 2, run: func(c *run) {
		b := c.n2.pool().thin("b", 4)
		c.n2.offer(b)
		a := c.n1.pool().thin("a", 4)
		c.n1.attach(c.n2)
		c.n1.mirror(a, b)
		c.n1.ok("bdev_lvol_resize", M{"name": a, "size_in_mib": 8})
		c.equal("MiB with one grown", c.n1.bdev("r").mib(), 4)
		c.n2.ok("bdev_lvol_resize", M{"name": b, "size_in_mib": 8})
		c.until("it has grown", func() bool { return c.n1.bdev("r").mib() == 8 })
	}},
	{name: "a remote leg is named by the UUID of its lvol", nodes: 2, run: func(c *run) {
		b := c.n2.pool().thin("b", 4)
		c.n2.offer(b)
		a := c.n1.pool().thin("a", 4)
		c.n1.attach(c.n2)
		c.n1.mirror(a, b)
		c.equal("leg", *c.n1.raid().List[1].Name, b)
		c.n2.remove(1)
		c.until("the leg is dropped", func() bool { return c.n1.raid().Discovered == 1 })
	}},
	{name: "a superblock makes the replica's own target claim it", nodes: 2, run: func(c *run) {
		b := c.n2.pool().thin("b", 8)
		c.n2.offer(b)
		a := c.n1.pool().thin("a", 8)
		c.n1.attach(c.n2)
		c.n1.ok("bdev_raid_create", M{"name": "r", "raid_level": "raid1", "base_bdevs": []string{a, b}, "superblock": true})
		c.restart(c.n2)
		c.n2.disk()
		r := c.n2.raid()
		c.equal("RAID on the replica's own node", []any{r.Name, r.State}, []any{"r", "configuring"})
		c.equal("claim", c.n2.bdev(b).Claim, "exclusive_write")
		c.n2.ok("nvmf_create_transport", M{"trtype": "TCP"})
		c.n2.ok("nvmf_create_subsystem", M{"nqn": c.n2.nqn()})
		c.n2.refuses(-32602, "Invalid parameters", "nvmf_subsystem_add_ns", M{"nqn": c.n2.nqn(), "namespace": M{"bdev_name": b}})
	}},
}
