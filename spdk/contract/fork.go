package contract

import "slices"

var forkCases = []example{
	{name: "members that only one build lists", nodes: 2, run: func(c *run) {
		b := c.n2.pool().thin("b", 4)
		c.n2.offer(b)
		c.n1.pool().thin("a", 4)
		c.n1.attach(c.n2)
		c.n1.mirror("lvs0/a", b)
		seen := map[string][]string{}
		for _, call := range []struct {
			method string
			params M
		}{
			{"bdev_get_bdevs", M{"name": "lvs0/a"}}, {"bdev_lvol_get_lvols", nil}, {"bdev_lvol_get_lvstores", nil},
			{"bdev_raid_get_bdevs", M{"category": "all"}}, {"nvmf_get_transports", nil},
		} {
			var l []M
			c.n1.into(&l, call.method, call.params)
			for k := range l[0] {
				seen[call.method] = append(seen[call.method], k)
			}
		}
		theirs := map[string][]string{
			"bdev_get_bdevs": {"creation_time"}, "bdev_lvol_get_lvols": {"creation_time"}, "bdev_raid_get_bdevs": {"delta_bitmap_enabled"},
			"nvmf_get_transports": {"io_unit_size", "num_shared_buffers", "buf_cache_size"},
		}
		ours := map[string][]string{
			"bdev_get_bdevs": {"preferred_write_alignment"}, "bdev_lvol_get_lvols": {"num_allocated_clusters"},
			"bdev_lvol_get_lvstores": {"max_growable_size"}, "nvmf_get_transports": {"kas", "min_kato", "iobuf_small_cache_size"},
		}
		has, hasNot := ours, theirs
		if c.build == longhorn {
			has, hasNot = theirs, ours
		}
		for method, keys := range has {
			c.equal("missing in "+method, missing(keys, seen[method]), []string{})
		}
		for method, keys := range hasNot {
			c.equal("not in "+method, missing(keys, seen[method]), keys)
		}
	}},
	{name: "a RAID grows by a member that is not rebuilt", only: longhorn, nodes: 2, run: func(c *run) {
		b := c.n2.pool().thin("b", 4)
		c.n2.offer(b)
		a := c.n1.pool().thin("a", 4)
		c.n1.attach(c.n2)
		c.n1.mirror(a)
		grow := func(raid, base string) M { return M{"raid_name": raid, "base_name": base} }
		c.n1.refusals([]refusal{
			{"bdev_raid_grow_base_bdev", grow("none", b), -19, "raid bdev none not found"},
			{"bdev_raid_grow_base_bdev", grow("r", "none"), -19, "base bdev none not found"},
			{"bdev_raid_grow_base_bdev", M{"raid_name": "r"}, -32700, undecoded},
		})
		c.n1.ok("bdev_raid_grow_base_bdev", grow("r", b))
		r := c.n1.raid()
		c.equal("RAID", []any{r.State, r.Bases, r.Discovered, r.Operational, r.Process == nil}, []any{"online", 2, 2, 2, true})
		c.equal("clusters", c.n2.bdev(b).Driver.Lvol.Clusters, 0)
		c.n1.ok("bdev_raid_grow_base_bdev", grow("r", b)) // a member already
		c.equal("bases", c.n1.raid().Bases, 2)
		c.n1.ok("bdev_raid_remove_base_bdev", M{"name": b})
		c.n1.ok("bdev_raid_grow_base_bdev", grow("r", b)) // into the vacancy
		r = c.n1.raid()
		c.equal("RAID", []int{r.Bases, r.Discovered}, []int{2, 2})
		c.n1.refuses(-32603, "Operation not permitted", "bdev_raid_grow_base_bdev", grow("r", "disk0"))
	}},
	{name: "a configuring RAID does not grow", only: longhorn, run: func(c *run) {
		c.n1.pool().thin("a", 4)
		b := c.n1.thin("b", 4)
		c.n1.mirror("lvs0/a", "later")
		c.n1.refuses(-22, "Failed to grow raid r adding base bdev "+b+": Invalid argument", "bdev_raid_grow_base_bdev", M{"raid_name": "r", "base_name": b})
	}},
	{name: "no growing and no attributes", only: stock, run: func(c *run) {
		for _, method := range []string{"bdev_raid_grow_base_bdev", "bdev_lvol_set_xattr", "bdev_lvol_get_xattr", "bdev_lvol_detach_parent",
			"bdev_lvol_get_fragmap"} {
			c.n1.refuses(-32601, "Method not found", method, M{"name": "x"})
		}
	}},
	{name: "attributes of lvols", only: longhorn, run: func(c *run) {
		c.n1.pool().thin("a", 4)
		snap := c.n1.snapshot("lvs0/a", "s")
		c.n1.ok("bdev_lvol_set_xattr", M{"name": "lvs0/a", "xattr_name": "k", "xattr_value": "v"})
		c.n1.gives("v", "bdev_lvol_get_xattr", M{"name": "lvs0/a", "xattr_name": "k"})
		c.n1.refusals([]refusal{
			{"bdev_lvol_get_xattr", M{"name": "lvs0/a", "xattr_name": "none"}, -32603, "No such file or directory"},
			{"bdev_lvol_get_xattr", M{"name": "none", "xattr_name": "k"}, -19, "No such device"},
			{"bdev_lvol_set_xattr", M{"name": snap, "xattr_name": "k", "xattr_value": "v"}, -32602, "Operation not permitted"},
			{"bdev_lvol_set_xattr", M{"name": "none", "xattr_name": "k", "xattr_value": "v"}, -19, "No such device"},
			{"bdev_lvol_set_xattr", M{"name": "lvs0/a", "xattr_name": "k"}, -32603, undecoded},
		})
		c.restart(c.n1)
		c.n1.disk()
		c.n1.gives("v", "bdev_lvol_get_xattr", M{"name": "lvs0/a", "xattr_name": "k"})
	}},
	{name: "a clone let go of its parent", only: longhorn, run: func(c *run) {
		c.n1.pool().thick("a", 4)
		c.n1.snapshot("lvs0/a", "s")
		c.n1.ok("bdev_lvol_detach_parent", M{"name": "lvs0/a"})
		a := c.n1.bdev("lvs0/a").Driver.Lvol
		c.equal("head", []any{a.Clusters, a.Base}, []any{0, ""})
		c.n1.refuses(-32602, "Invalid argument", "bdev_lvol_detach_parent", M{"name": "lvs0/a"})
		c.n1.refuses(-19, "No such device", "bdev_lvol_detach_parent", M{"name": "none"})
	}},
}

// missing lists what want has and got has not.
func missing(want, got []string) []string {
	return slices.DeleteFunc(slices.Clone(want), func(s string) bool { return slices.Contains(got, s) })
}
