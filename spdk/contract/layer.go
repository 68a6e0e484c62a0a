package contract

var layerCases = []example{
	{name: "a snapshot takes the clusters and the head keeps the UUID", run: func(c *run) {
		head := c.n1.pool().thick("a", 4)
		snap := c.n1.snapshot("lvs0/a", "s")
		c.equal("new UUID", snap != head, true)
		a, s := c.n1.bdev(head).Driver.Lvol, c.n1.bdev(snap).Driver.Lvol
		c.equal("head", []any{a.Clusters, a.Base, a.Snapshot}, []any{0, "s", false})
		c.equal("snapshot", []any{s.Clusters, s.Clones, s.Snapshot}, []any{4, []string{"a"}, true})
	}},
	{name: "a snapshot of a RAID member", run: func(c *run) {
		c.n1.pool().mirror(c.n1.thin("a", 4), c.n1.thin("b", 4))
		c.n1.snapshot("lvs0/a", "s")
		c.equal("discovered", c.n1.raid().Discovered, 2)
	}},
	{name: "names of snapshots and lvols are one", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.snapshot("lvs0/a", "s")
		c.n1.refuses(-32602, "File exists", "bdev_lvol_snapshot", M{"lvol_name": "lvs0/a", "snapshot_name": "s"})
		c.n1.refuses(-32602, "File exists", "bdev_lvol_rename", M{"old_name": "lvs0/a", "new_name": "s"})
	}},
	{name: "a snapshot cannot be changed", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.snapshot("lvs0/a", "s")
		c.n1.refusals([]refusal{
			{"bdev_lvol_resize", M{"name": "lvs0/s", "size_in_mib": 8}, -32602, "Operation not permitted"},
			{"bdev_lvol_snapshot", M{"lvol_name": "lvs0/s", "snapshot_name": "t"}, -32602, "Invalid argument"},
		})
	}},
	{name: "renaming what is read-only lasts until a restart unless its metadata is written", only: longhorn, run: func(c *run) {
		c.n1.pool().thin("a", 4)
		snap := c.n1.snapshot("lvs0/a", "s")
		c.n1.snapshot("lvs0/a", "cloned")
		rename := func(from, to string) {
			c.n1.ok("bdev_lvol_rename", M{"old_name": "lvs0/" + from, "new_name": to})
		}
		rename("s", "t")
		c.equal("aliases", c.n1.bdev(snap).Aliases, []string{"lvs0/t"})
		c.equal("parent", c.n1.bdev("lvs0/cloned").Driver.Lvol.Base, "t")
		rename("cloned", "written")
		c.n1.str("bdev_lvol_clone", M{"snapshot_name": "lvs0/written", "clone_name": "k"})
		c.n1.ok("bdev_lvol_set_read_only", M{"name": "lvs0/a"})
		rename("a", "b")
		c.equal("lvols", c.n1.lvolNames(), []string{"b", "k", "t", "written"})
		c.restart(c.n1)
		c.n1.disk()
		c.equal("lvols after a restart", c.n1.lvolNames(), []string{"a", "k", "s", "written"})
	}},
	{name: "what is read-only cannot be renamed", only: stock, run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.ok("bdev_lvol_set_read_only", M{"name": "lvs0/a"})
		c.n1.refuses(-32602, "Operation not permitted", "bdev_lvol_rename", M{"old_name": "lvs0/a", "new_name": "b"})
	}},
	{name: "a snapshot cannot be renamed but loses its alias until a restart", only: stock, run: func(c *run) {
		c.n1.pool().thin("a", 4)
		snap := c.n1.snapshot("lvs0/a", "s")
		c.n1.refuses(-32602, "Operation not permitted", "bdev_lvol_rename", M{"old_name": "lvs0/s", "new_name": "t"})
		c.equal("aliases", c.n1.bdev(snap).Aliases, []string{"lvs0/t"})
		c.equal("lvols", c.n1.lvolNames(), []string{"a", "s"})
		c.equal("by its name", c.n1.has("lvs0/s"), false)
		c.restart(c.n1)
		c.n1.disk()
		c.equal("aliases after a restart", c.n1.bdev(snap).Aliases, []string{"lvs0/s"})
	}},
	{name: "a snapshot with two children stays and with one it merges", run: func(c *run) {
		c.n1.pool().thick("a", 4)
		c.n1.snapshot("lvs0/a", "s")
		c.n1.str("bdev_lvol_clone", M{"snapshot_name": "lvs0/s", "clone_name": "k"})
		c.n1.refuses(-32603, "Operation not permitted", "bdev_lvol_delete", M{"name": "lvs0/s"})
		c.equal("lvols", c.n1.lvolNames(), []string{"a", "k", "s"})
		c.n1.ok("bdev_lvol_delete", M{"name": "lvs0/k"})
		c.n1.ok("bdev_lvol_delete", M{"name": "lvs0/s"})
		a := c.n1.bdev("lvs0/a").Driver.Lvol
		c.equal("head", []any{a.Clusters, a.Base}, []any{4, ""})
	}},
	{name: "merging in the middle of a chain", run: func(c *run) {
		c.n1.pool().thick("a", 4)
		c.n1.snapshot("lvs0/a", "s1")
		c.n1.snapshot("lvs0/a", "s2")
		c.n1.snapshot("lvs0/a", "s3")
		c.n1.ok("bdev_lvol_delete", M{"name": "lvs0/s2"})
		s3 := c.n1.bdev("lvs0/s3").Driver.Lvol
		c.equal("s3", []any{s3.Clusters, s3.Base}, []any{0, "s1"})
		c.equal("s1", c.n1.bdev("lvs0/s1").Driver.Lvol.Clones, []string{"s3"})
	}},
	{name: "only snapshots are cloned", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.snapshot("lvs0/a", "s")
		c.n1.refusals([]refusal{
			{"bdev_lvol_clone", M{"snapshot_name": "lvs0/a", "clone_name": "k"}, -32602, "Invalid argument"},
			{"bdev_lvol_clone", M{"snapshot_name": "lvs0/none", "clone_name": "k"}, -19, "No such device"},
			{"bdev_lvol_clone", M{"snapshot_name": "lvs0/s", "clone_name": "a"}, -32602, "File exists"},
		})
	}},
	{name: "a snapshot from before an expansion keeps its size", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.snapshot("lvs0/a", "s")
		c.n1.ok("bdev_lvol_resize", M{"name": "lvs0/a", "size_in_mib": 8})
		c.equal("MiB", []int64{c.n1.bdev("lvs0/a").mib(), c.n1.bdev("lvs0/s").mib()}, []int64{8, 4})
		c.equal("parent", c.n1.bdev("lvs0/a").Driver.Lvol.Base, "s")
	}},
	{name: "a parent is a snapshot of the same size", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.thin("b", 4)
		c.n1.snapshot("lvs0/a", "s")
		c.n1.thin("big", 8)
		c.n1.snapshot("lvs0/big", "t")
		c.n1.thick("thick", 4)
		c.n1.refusals([]refusal{
			{"bdev_lvol_set_parent", M{"lvol_name": "lvs0/a", "parent_name": "lvs0/s"}, -32602, "File exists"},
			{"bdev_lvol_set_parent", M{"lvol_name": "lvs0/a", "parent_name": "lvs0/t"}, -32602, "Invalid argument"},
			{"bdev_lvol_set_parent", M{"lvol_name": "lvs0/a", "parent_name": "lvs0/b"}, -32602, "Invalid argument"},
			{"bdev_lvol_set_parent", M{"lvol_name": "lvs0/a", "parent_name": "lvs0/a"}, -32602, "Invalid argument"},
			{"bdev_lvol_set_parent", M{"lvol_name": "lvs0/thick", "parent_name": "lvs0/s"}, -32602, "Invalid argument"},
			{"bdev_lvol_set_parent", M{"lvol_name": "lvs0/a", "parent_name": "lvs0/none"}, -19, "No such device"},
			{"bdev_lvol_set_parent", M{"lvol_name": "lvs0/none", "parent_name": "lvs0/s"}, -19, "No such device"},
		})
		c.n1.ok("bdev_lvol_set_parent", M{"lvol_name": "lvs0/b", "parent_name": "lvs0/s"})
		c.equal("parent", c.n1.bdev("lvs0/b").Driver.Lvol.Base, "s")
		c.equal("clones", c.n1.bdev("lvs0/s").Driver.Lvol.Clones, []string{"a", "b"})
	}},
	{name: "standing on its own", run: func(c *run) {
		c.n1.pool().thick("a", 4)
		c.n1.snapshot("lvs0/a", "s")
		c.n1.ok("bdev_lvol_inflate", M{"name": "lvs0/a"})
		a := c.n1.bdev("lvs0/a").Driver.Lvol
		c.equal("inflated", []any{a.Clusters, a.Base}, []any{4, ""})
		c.n1.str("bdev_lvol_clone", M{"snapshot_name": "lvs0/s", "clone_name": "k"})
		c.n1.ok("bdev_lvol_decouple_parent", M{"name": "lvs0/k"})
		c.equal("decoupled", c.n1.bdev("lvs0/k").Driver.Lvol.Base, "")
		c.n1.refuses(-32602, "Invalid argument", "bdev_lvol_decouple_parent", M{"name": "lvs0/k"})
	}},
}
