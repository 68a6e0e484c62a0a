package contract

// Two lvstores of one target, between which a replica moves.

// second makes an lvstore lvs1 beside the pool, of some 60 clusters.
func (n *node) second() {
	n.c.Helper()
	n.gives("m", "bdev_malloc_create", M{"name": "m", "num_blocks": 16384, "block_size": 4096})
	n.str("bdev_lvol_create_lvstore", M{"bdev_name": "m", "lvs_name": "lvs1", "cluster_sz": 1 << 20, "clear_method": "none"})
}

// thinIn makes a thin lvol in an lvstore.
func (n *node) thinIn(lvs, name string, mib int) string {
	n.c.Helper()
	return n.str("bdev_lvol_create", M{"lvs_name": lvs, "lvol_name": name, "size_in_mib": mib, "thin_provision": true})
}

var poolsCases = []example{
	{name: "a layer is copied from one to the other without a link", run: func(c *run) {
		c.n1.pool().thick("a", 48)
		c.n1.second()
		c.n1.snapshot("lvs0/a", "s")
		dst := c.n1.thinIn("lvs1", "dst", 48)
		got := c.n1.round(call{"bdev_lvol_start_shallow_copy", M{"src_lvol_name": "lvs0/s", "dst_bdev_name": dst}}, call{"bdev_get_bdevs", M{"name": dst}})
		op := c.begun(got[0])
		var at []bdevInfo
		c.decode(got[1], &at)
		c.equal("claimed meanwhile", at[0].Claimed, true)
		c.equal("copy", c.n1.copied(op), progress{48, 48, "complete", ""})
		c.equal("claimed afterwards", c.n1.bdev(dst).Claimed, false)
		c.equal("clusters", c.n1.bdev(dst).Driver.Lvol.Clusters, 48)
	}},
	{name: "an lvol of one stands on a layer of the other, until it stands on a copy", run: func(c *run) {
		c.n1.pool().thick("a", 4)
		c.n1.second()
		layer := c.n1.snapshot("lvs0/a", "s")
		head := c.n1.str("bdev_lvol_clone_bdev", M{"bdev": layer, "lvs_name": "lvs1", "clone_name": "h"})
		c.equal("source", c.n1.bdev(head).Driver.Lvol.Esnap, layer)
		c.equal("claim on it", c.n1.bdev(layer).Claim, "read_many_write_none")
		dst := c.n1.thinIn("lvs1", "dst", 4)
		c.equal("copied while it is read", c.n1.copied(c.n1.copyTo("lvs0/s", dst)), progress{4, 4, "complete", ""})
		c.n1.snapshot("lvs1/dst", "copy")
		c.n1.ok("bdev_lvol_set_parent", M{"lvol_name": head, "parent_name": "lvs1/copy"})
		c.equal("source", c.n1.bdev(head).Driver.Lvol.Esnap, "")
		c.equal("claim", c.n1.bdev(layer).Claimed, false)
		c.n1.ok("bdev_lvol_delete", M{"name": layer})
		c.equal("lvols", c.n1.aliases(), []string{"lvs0/a", "lvs1/copy", "lvs1/dst", "lvs1/h"})
	}},
	{name: "a RAID has one of each as its bases", run: func(c *run) {
		a := c.n1.pool().thin("a", 4)
		c.n1.second()
		b := c.n1.thinIn("lvs1", "b", 4)
		c.n1.ok("bdev_raid_create", M{"name": "r", "raid_level": "raid1", "base_bdevs": []string{a, b}})
		c.equal("members", []int{c.n1.raid().Discovered, c.n1.raid().Operational}, []int{2, 2})
		c.n1.ok("bdev_raid_remove_base_bdev", M{"name": a})
		c.until("it is out", func() bool { return c.n1.raid().Discovered == 1 })
		c.n1.ok("bdev_lvol_delete", M{"name": a})
		c.equal("state", c.n1.raid().State, "online")
	}},
	{name: "the destination of a copy goes when that is over", run: func(c *run) {
		c.n1.pool().thick("a", 48)
		c.n1.second()
		c.n1.snapshot("lvs0/a", "s")
		dst := c.n1.thinIn("lvs1", "dst", 48)
		got := c.n1.round(call{"bdev_lvol_start_shallow_copy", M{"src_lvol_name": "lvs0/s", "dst_bdev_name": dst}}, call{"bdev_lvol_delete", M{"name": dst}})
		op := c.begun(got[0])
		c.equal("delete", string(got[1].result), "true")
		c.equal("copy", c.n1.copied(op), progress{48, 48, "complete", ""})
		c.equal("lvols", c.n1.aliases(), []string{"lvs0/a", "lvs0/s"})
	}},
}
