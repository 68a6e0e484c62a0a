package contract

// laid makes RAID r of bases that it lays out.
func (n *node) laid(level string, strip int, bases ...string) {
	n.c.Helper()
	n.ok("bdev_raid_create", M{"name": "r", "raid_level": level, "strip_size_kb": strip, "base_bdevs": bases})
}

// written copies so many clusters of 1 MiB to the start of r, and returns how many each of
// the lvols has then.
func (n *node) written(mib int, lvols ...string) (clusters []int) {
	n.c.Helper()
	n.thick("src", mib)
	n.snapshot("lvs0/src", "s")
	n.c.equal("copy", n.copied(n.copyTo("lvs0/s", "r")), progress{mib, mib, "complete", ""})
	for _, l := range lvols {
		clusters = append(clusters, n.bdev(l).Driver.Lvol.Clusters)
	}
	return clusters
}

var laidCases = []example{
	{name: "one behind the other", only: stock, run: func(c *run) {
		a, b, x := c.n1.pool().thin("a", 2), c.n1.thin("b", 4), c.n1.thin("c", 8)
		const uuid = "11111111-2222-3333-4444-555555555555"
		c.n1.ok("bdev_raid_create", M{"name": "r", "raid_level": "concat", "strip_size_kb": 1024, "base_bdevs": []string{a, b, x}, "uuid": uuid})
		r := c.n1.raid()
		c.equal("RAID", []any{r.UUID, r.State, r.Level, r.Strip, r.Bases, r.Discovered, r.Operational}, []any{uuid, "online", "concat", 1024, 3, 3, 3})
		c.equal("bases in their order", []string{r.List[0].UUID, r.List[1].UUID, r.List[2].UUID}, []string{a, b, x})
		c.equal("MiB", c.n1.bdev("r").mib(), 14)
		c.equal("clusters of each", c.n1.written(5, a, b, x), []int{2, 3, 0})
		c.n1.ok("bdev_raid_delete", M{"name": "r"})
		c.equal("claimed afterwards", c.n1.bdev(a).Claimed, false)
	}},
	{name: "strips go round", only: stock, run: func(c *run) {
		a, b, x := c.n1.pool().thin("a", 4), c.n1.thin("b", 4), c.n1.thin("c", 8)
		c.n1.laid("raid0", 64, a, b, x)
		r := c.n1.raid()
		c.equal("RAID", []any{r.State, r.Level, r.Strip, r.Discovered}, []any{"online", "raid0", 64, 3})
		c.equal("MiB, by the smallest", c.n1.bdev("r").mib(), 12)
		c.equal("clusters of each", c.n1.written(3, a, b, x), []int{1, 1, 1})
	}},
	{name: "what is laid out needs a strip", only: stock, run: func(c *run) {
		c.n1.pool().thin("a", 4)
		for _, level := range []string{"concat", "raid0"} {
			for _, strip := range []int{0, 3, 48} {
				c.n1.refuses(-22, "Failed to create RAID bdev r: Invalid argument", "bdev_raid_create",
					M{"name": "r", "raid_level": level, "strip_size_kb": strip, "base_bdevs": []string{"lvs0/a"}})
			}
			c.n1.laid(level, 4, "lvs0/a")
			c.equal("one is enough", c.n1.raid().State, "online")
			c.n1.ok("bdev_raid_delete", M{"name": "r"})
		}
	}},
	{name: "only whole strips count", only: stock, run: func(c *run) {
		c.n1.pool().gives("x", "bdev_null_create", M{"name": "x", "num_blocks": 300, "block_size": 4096})
		c.n1.gives("y", "bdev_null_create", M{"name": "y", "num_blocks": 600, "block_size": 4096})
		c.n1.laid("concat", 1024, "x", "y")
		c.equal("one behind the other", c.n1.bdev("r").mib(), 3)
		c.n1.ok("bdev_raid_delete", M{"name": "r"})
		c.n1.laid("raid0", 1024, "x", "y")
		c.equal("strips go round", c.n1.bdev("r").mib(), 2)
	}},
	{name: "without one of them nothing is there", only: stock, run: func(c *run) {
		for _, level := range []string{"concat", "raid0"} {
			if level == "concat" {
				c.n1.pool()
			}
			a, b := c.n1.thin("a", 4), c.n1.thin("b", 4)
			c.n1.laid(level, 64, a, b)
			c.n1.ok("bdev_lvol_delete", M{"name": a})
			c.until("it is offline", func() bool { return c.n1.raid().State == "offline" })
			r := c.n1.raid()
			c.equal("RAID", []any{r.Discovered, r.List[0].Configured, r.List[1].Configured}, []any{1, false, true})
			c.equal("bdev", c.n1.has("r"), false)
			c.equal("claim on the other", c.n1.bdev(b).Claim, "exclusive_write")
			c.n1.ok("bdev_raid_delete", M{"name": "r"})
			c.equal("RAIDs", len(c.n1.raids()), 0)
			c.equal("claimed afterwards", c.n1.bdev(b).Claimed, false)
			c.n1.ok("bdev_lvol_delete", M{"name": b})
		}
	}},
	{name: "none comes beside them", only: stock, run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.thin("b", 4)
		c.n1.laid("concat", 64, "lvs0/a")
		c.n1.refuses(-22, "Failed to add base bdev lvs0/b to RAID bdev r: Invalid argument", "bdev_raid_add_base_bdev", M{"raid_bdev": "r", "base_bdev": "lvs0/b"})
	}},
	{name: "only strips that go round follow parts that grow", only: stock, run: func(c *run) {
		a, b := c.n1.pool().thin("a", 4), c.n1.thin("b", 4)
		c.n1.laid("concat", 64, a, b)
		c.n1.ok("bdev_lvol_resize", M{"name": b, "size_in_mib": 8})
		c.equal("MiB, one behind the other", c.n1.bdev("r").mib(), 8)
		c.n1.ok("bdev_raid_delete", M{"name": "r"})
		c.n1.laid("concat", 64, a, b)
		c.equal("MiB, made again", c.n1.bdev("r").mib(), 12)
		c.n1.ok("bdev_raid_delete", M{"name": "r"})
		c.n1.laid("raid0", 64, a, b)
		c.equal("MiB, strips go round", c.n1.bdev("r").mib(), 8)
		c.n1.ok("bdev_lvol_resize", M{"name": a, "size_in_mib": 8})
		c.until("it has grown", func() bool { return c.n1.bdev("r").mib() == 16 })
	}},
	{name: "parts that are mirrors lose a leg unseen", only: stock, run: func(c *run) {
		a, b, x := c.n1.pool().thin("a", 4), c.n1.thin("b", 4), c.n1.thin("c", 4)
		c.n1.ok("bdev_raid_create", M{"name": "m", "raid_level": "raid1", "base_bdevs": []string{a, b}, "uuid": "11111111-2222-3333-4444-555555555555"})
		c.n1.laid("concat", 1024, "m", x)
		named := func(name string) raidInfo {
			for _, r := range c.n1.raids() {
				if r.Name == name {
					return r
				}
			}
			return raidInfo{}
		}
		r := named("r")
		c.equal("base", []string{*r.List[0].Name, r.List[0].UUID}, []string{"m", "11111111-2222-3333-4444-555555555555"})
		c.n1.ok("bdev_lvol_delete", M{"name": b})
		c.equal("laid out", []any{named("r").State, named("m").State, named("m").Discovered}, []any{"online", "online", 1})
		c.equal("clusters of each", c.n1.written(6, a, x), []int{4, 2})
		c.n1.ok("bdev_lvol_delete", M{"name": a})
		c.until("it is offline", func() bool { return named("r").State == "offline" })
		c.equal("the mirror", named("m").Name, "")
	}},
}
