package contract

import "strings"

var diskCases = []example{
	{name: "a name is taken once", run: func(c *run) {
		c.n1.disk()
		c.n1.refusals([]refusal{
			{"bdev_aio_create", M{"filename": c.n1.target.Disk(), "name": "disk0", "block_size": 4096}, -17, "File exists"},
			{"bdev_aio_create", M{"filename": "/nowhere/disk", "name": "disk1", "block_size": 4096}, -2, "No such file or directory"},
			{"bdev_aio_create", M{"filename": c.n1.target.Disk(), "name": "disk1", "block_size": 100}, -22, "Invalid argument"},
			{"bdev_aio_delete", M{"name": "none"}, -19, "No such device"},
			{"bdev_malloc_delete", M{"name": "disk0"}, -19, "No such device"},
		})
		c.n1.ok("bdev_aio_delete", M{"name": "disk0"})
		c.equal("disk0 is there", c.n1.has("disk0"), false)
	}},
	{name: "bdev_null_create is test and set", run: func(c *run) {
		ours, theirs := "aaaaaaaa-0000-4000-8000-0000000000ff", "aaaaaaaa-0000-4000-8000-0000000000fe"
		c.n1.gives("lock", "bdev_null_create", M{"name": "lock", "num_blocks": 1, "block_size": 512, "uuid": ours})
		c.n1.refuses(-17, "File exists", "bdev_null_create", M{"name": "lock", "num_blocks": 1, "block_size": 512, "uuid": theirs})
		c.equal("holder", c.n1.bdev("lock").UUID, ours)
		c.n1.ok("bdev_null_delete", M{"name": "lock"})
		c.n1.refuses(-19, "No such device", "bdev_null_delete", M{"name": "lock"})
		c.n1.refusals([]refusal{
			{"bdev_null_create", M{"name": "x", "num_blocks": 0, "block_size": 512}, -22, "Invalid argument"},
			{"bdev_null_create", M{"name": "x", "num_blocks": 1, "block_size": 100}, -22, "Invalid argument"},
		})
	}},
	{name: "bdev_null_resize grows the bdev of a UUID", run: func(c *run) {
		ours := "aaaaaaaa-0000-4000-8000-0000000000ff"
		c.n1.gives("mark", "bdev_null_create", M{"name": "mark", "num_blocks": 1, "block_size": 512, "uuid": ours})
		c.n1.gives("m", "bdev_malloc_create", M{"name": "m", "num_blocks": 4096, "block_size": 512})
		for _, mib := range []int{1, 1, 3, 1 << 40} {
			c.n1.ok("bdev_null_resize", M{"name": ours, "new_size": mib})
			c.equal("blocks", c.n1.bdev("mark").Blocks, int64(mib)<<11)
		}
		c.n1.refusals([]refusal{
			{"bdev_null_resize", M{"name": ours, "new_size": 2}, -22, "Invalid argument"},
			{"bdev_null_resize", M{"name": "m", "new_size": 4}, -22, "Invalid argument"},
			{"bdev_null_resize", M{"name": "none", "new_size": 2}, -19, "No such device"},
		})
		c.n1.ok("bdev_null_delete", M{"name": ours})
		c.n1.refuses(-19, "No such device", "bdev_null_resize", M{"name": ours, "new_size": 1<<40 + 1})
	}},
	{name: "names aliases and UUIDs share one name space", run: func(c *run) {
		uuid := c.n1.pool().thin("a", 4)
		c.n1.refuses(-17, "File exists", "bdev_null_create", M{"name": "lvs0/a", "num_blocks": 1, "block_size": 512})
		c.n1.refuses(-17, "File exists", "bdev_null_create", M{"name": "x", "num_blocks": 1, "block_size": 512, "uuid": uuid})
		c.equal("by alias", c.n1.bdev("lvs0/a").UUID, uuid)
		c.equal("by UUID", c.n1.bdev(uuid).Aliases, []string{"lvs0/a"})
	}},
	{name: "an AIO disk has discard if holes may be made in it", run: func(c *run) {
		for _, holes := range []bool{false, true} {
			c.n1.gives("disk0", "bdev_aio_create", M{"filename": c.n1.target.Disk(), "name": "disk0", "block_size": 4096, "fallocate": holes})
			c.n1.ok("bdev_wait_for_examine", nil)
			b := c.n1.bdev("disk0")
			c.equal("it says so", b.Driver.AIO.Fallocate, holes)
			c.equal("unmap", b.IO["unmap"], holes)
			c.n1.ok("bdev_aio_delete", M{"name": "disk0"})
		}
	}},
	{name: "limits are rounded up to thousands", run: func(c *run) {
		uuid := c.n1.pool().thin("a", 4)
		c.n1.ok("bdev_set_qos_limit", M{"name": uuid, "rw_ios_per_sec": 1500})
		c.equal("limit", c.n1.bdev(uuid).Limits.IOPS, 2000)
		c.n1.refuses(-22, "No rate limits specified", "bdev_set_qos_limit", M{"name": uuid})
		c.n1.refuses(-19, "No such device", "bdev_set_qos_limit", M{"name": "none", "rw_ios_per_sec": 1})
	}},
}

var lvstoreCases = []example{
	{name: "what makes none", run: func(c *run) {
		c.n1.pool()
		c.n1.gives("m", "bdev_malloc_create", M{"name": "m", "num_blocks": 4096, "block_size": 4096})
		tooLong := by(c, 64, 256)
		c.n1.refusals([]refusal{
			{"bdev_lvol_create_lvstore", M{"bdev_name": "none", "lvs_name": "l"}, -19, "No such device"},
			{"bdev_lvol_create_lvstore", M{"bdev_name": "disk0", "lvs_name": "l"}, -1, "Operation not permitted"},
			{"bdev_lvol_create_lvstore", M{"bdev_name": "m", "lvs_name": "lvs0"}, -17, "File exists"},
			{"bdev_lvol_create_lvstore", M{"bdev_name": "m", "lvs_name": ""}, -22, "Invalid argument"},
			{"bdev_lvol_create_lvstore", M{"bdev_name": "m", "lvs_name": strings.Repeat("l", tooLong)}, -22, "Invalid argument"},
			{"bdev_lvol_create_lvstore", M{"bdev_name": "m", "lvs_name": "l", "cluster_sz": 1000}, -22, "Invalid argument"},
			{"bdev_lvol_create_lvstore", M{"bdev_name": "m", "lvs_name": "l", "clear_method": "x"}, -22, "Invalid clear_method parameter"},
			{"bdev_lvol_delete_lvstore", M{"lvs_name": "none"}, -19, "No such device"},
			{"bdev_lvol_get_lvstores", M{"lvs_name": "none"}, -19, "No such device"},
			{"bdev_lvol_get_lvols", M{"lvs_name": "none"}, -19, "No such device"},
			{"bdev_lvol_rename_lvstore", M{"old_name": "none", "new_name": "l"}, -2, "Lvol store none not found"},
		})
	}},
	{name: "its disk is claimed", run: func(c *run) {
		c.equal("claim", c.n1.pool().bdev("disk0").Claim, "read_many_write_one")
	}},
	{name: "renaming changes every alias", run: func(c *run) {
		uuid := c.n1.pool().thin("a", 4)
		c.n1.ok("bdev_lvol_rename_lvstore", M{"old_name": "lvs0", "new_name": "lvs9"})
		c.equal("aliases", c.n1.bdev(uuid).Aliases, []string{"lvs9/a"})
		c.equal("old alias is there", c.n1.has("lvs0/a"), false)
	}},
	{name: "a namesake of a loaded one is not loaded and its disk looks blank", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.ok("bdev_aio_delete", M{"name": "disk0"})
		c.n1.gives("m", "bdev_malloc_create", M{"name": "m", "num_blocks": 8192, "block_size": 4096})
		c.n1.str("bdev_lvol_create_lvstore", M{"bdev_name": "m", "lvs_name": "lvs0", "cluster_sz": 1 << 20, "clear_method": "none"})
		c.n1.disk()
		c.equal("lvols", c.n1.lvolNames(), []string{})
		c.equal("claimed", c.n1.bdev("disk0").Claimed, false)
		c.n1.str("bdev_lvol_create_lvstore", M{"bdev_name": "disk0", "lvs_name": "lvs1", "cluster_sz": 1 << 20, "clear_method": "none"})
		c.equal("claimed", c.n1.bdev("disk0").Claimed, true)
	}},
	{name: "deleting takes all lvols along", nodes: 2, run: func(c *run) {
		uuid := c.n1.pool().thick("a", 4)
		c.n1.snapshot(uuid, "s")
		c.n1.offer(uuid)
		c.n2.attach(c.n1)
		c.n1.ok("bdev_lvol_delete_lvstore", M{"lvs_name": "lvs0"})
		c.equal("lvols", c.n1.lvolNames(), []string{})
		c.equal("claimed", c.n1.bdev("disk0").Claimed, false)
		c.until("the export is gone", func() bool { return !c.n2.has("n1n1") })
	}},
}
