package contract

import (
	"fmt"
	"strings"
)

var lvolCases = []example{
	{name: "what makes none", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.refusals([]refusal{
			{"bdev_lvol_create", M{"lvs_name": "lvs0", "lvol_name": "a", "size_in_mib": 4}, -17, "File exists"},
			{"bdev_lvol_create", M{"lvs_name": "lvs0", "lvol_name": "", "size_in_mib": 4}, -22, "Invalid argument"},
			{"bdev_lvol_create", M{"lvs_name": "none", "lvol_name": "b", "size_in_mib": 4}, -19, "No such device"},
			{"bdev_lvol_create", M{"lvol_name": "b", "size_in_mib": 4}, -22, "Invalid argument"},
			{"bdev_lvol_create", M{"lvs_name": "lvs0", "lvol_name": "b", "size_in_mib": 5000}, -32602, "No space left on device"},
			{"bdev_lvol_create", M{"lvs_name": "lvs0", "lvol_name": "b", "size_in_mib": 4, "clear_method": "x"}, -22, "Invalid clean_method option"},
			{"bdev_lvol_delete", M{"name": "lvs0/none"}, -19, "No such device"},
			{"bdev_lvol_delete", M{"name": "disk0"}, -19, "No such device"},
			{"bdev_lvol_resize", M{"name": "lvs0/none", "size_in_mib": 4}, -19, "No such device"},
			{"bdev_lvol_rename", M{"old_name": "lvs0/none", "new_name": "b"}, -19, "No such device"},
			{"bdev_lvol_snapshot", M{"lvol_name": "lvs0/none", "snapshot_name": "b"}, -19, "No such device"},
		})
	}},
	{name: "of more than 512 at once the rest are refused", run: func(c *run) {
		c.n1.pool()
		calls := make([]call, 700)
		for i := range calls {
			calls[i] = call{"bdev_lvol_create", M{"lvs_name": "lvs0", "lvol_name": fmt.Sprint("v", i), "size_in_mib": 1, "thin_provision": true}}
		}
		made := 0
		c.unrecorded(func() {
			for i, a := range c.n1.round(calls...) {
				switch {
				case a.code == 0:
					made++
				case !a.refused(-32602, "Cannot allocate memory"):
					c.Fatalf("%d: %s", i, a)
				}
			}
			c.equal("made", []any{made, len(c.n1.lvolNames())}, []any{512, 512})
		})
	}},
	{name: "thin ones may promise more than there is", run: func(c *run) {
		c.equal("MiB", c.n1.pool().bdev(c.n1.thin("a", 5000)).mib(), 5000)
	}},
	{name: "names of 63 bytes", only: stock, run: func(c *run) {
		c.n1.pool()
		c.equal("aliases", c.n1.bdev(c.n1.thin(strings.Repeat("x", 63), 1)).Aliases, []string{"lvs0/" + strings.Repeat("x", 63)})
		c.n1.refuses(-22, "Invalid argument", "bdev_lvol_create", M{"lvs_name": "lvs0", "lvol_name": strings.Repeat("x", 64), "size_in_mib": 1})
		c.n1.refuses(-32602, "Invalid argument", "bdev_lvol_snapshot", M{"lvol_name": "lvs0/" + strings.Repeat("x", 63), "snapshot_name": strings.Repeat("y", 64)})
	}},
	{name: "names of 255 bytes", only: longhorn, run: func(c *run) {
		c.n1.pool()
		c.equal("aliases", c.n1.bdev(c.n1.thin(strings.Repeat("x", 255), 1)).Aliases, []string{"lvs0/" + strings.Repeat("x", 255)})
		c.n1.refuses(-22, "Invalid argument", "bdev_lvol_create", M{"lvs_name": "lvs0", "lvol_name": strings.Repeat("x", 256), "size_in_mib": 1})
	}},
	{name: "names hold what they like", run: func(c *run) {
		c.n1.pool()
		for _, name := range []string{"a/b", "db.k3f7#1", "db.k3f7@1.~x", "db.k3f7+1", "-", " ", "é"} {
			c.equal(name, c.n1.bdev(c.n1.thin(name, 1)).Aliases, []string{"lvs0/" + name})
		}
	}},
	{name: "sizes are rounded up to clusters", run: func(c *run) {
		c.n1.disk()
		c.n1.str("bdev_lvol_create_lvstore", M{"bdev_name": "disk0", "lvs_name": "lvs0", "clear_method": "none"}) // 4 MiB clusters
		c.equal("MiB of 5", c.n1.bdev(c.n1.thin("a", 5)).mib(), 8)
		c.equal("MiB of 0", c.n1.bdev(c.n1.thin("z", 0)).mib(), 0)
		c.n1.ok("bdev_lvol_resize", M{"name": "lvs0/a", "size_in_mib": 9})
		c.equal("MiB of 9", c.n1.bdev("lvs0/a").mib(), 12)
	}},
	{name: "resizing shrinks without a word", run: func(c *run) {
		c.n1.pool().thick("a", 8)
		c.n1.ok("bdev_lvol_resize", M{"name": "lvs0/a", "size_in_mib": 3})
		a := c.n1.bdev("lvs0/a")
		c.equal("MiB and clusters", []int64{a.mib(), int64(a.Driver.Lvol.Clusters)}, []int64{3, 3})
	}},
	{name: "resizing one in use fails to shrink it and yet cuts its data off", run: func(c *run) {
		c.n1.pool().thick("a", 8)
		c.n1.offer("lvs0/a")
		c.n1.refuses(-32602, "Device or resource busy", "bdev_lvol_resize", M{"name": "lvs0/a", "size_in_mib": 3})
		a := c.n1.bdev("lvs0/a")
		c.equal("MiB and clusters", []int64{a.mib(), int64(a.Driver.Lvol.Clusters)}, []int64{8, 3})
		c.restart(c.n1)
		c.n1.disk()
		c.equal("MiB after a restart", c.n1.bdev("lvs0/a").mib(), 3)
	}},
	{name: "one that is exported is deleted and its export vanishes", nodes: 2, run: func(c *run) {
		uuid := c.n1.pool().thin("a", 4)
		c.n1.offer(uuid)
		c.n2.attach(c.n1)
		c.equal("the user has it", c.n2.has(uuid), true)
		c.n1.ok("bdev_lvol_delete", M{"name": uuid})
		c.equal("namespaces", len(c.n1.subsystem(c.n1.nqn()).Namespaces), 0)
		c.until("the user has lost it", func() bool { return !c.n2.has(uuid) })
		c.equal("the connection", c.n2.controllers(), M{"n1": "enabled"})
	}},
	{name: "a snapshot that is exported is deleted and its export vanishes", nodes: 2, run: func(c *run) {
		snap := c.n1.pool().snapshot(c.n1.thick("a", 4), "s")
		c.n1.offer(snap)
		c.n2.attach(c.n1)
		c.n1.ok("bdev_lvol_delete", M{"name": snap})
		c.equal("namespaces", len(c.n1.subsystem(c.n1.nqn()).Namespaces), 0)
		c.until("the user has lost it", func() bool { return !c.n2.has(snap) })
	}},
	{name: "renaming an exported one changes nothing for its user", nodes: 2, run: func(c *run) {
		uuid := c.n1.pool().thin("a", 4)
		c.n1.offer("lvs0/a")
		c.n2.attach(c.n1)
		c.n1.ok("bdev_lvol_rename", M{"old_name": "lvs0/a", "new_name": "b"})
		c.equal("namespace", c.n1.subsystem(c.n1.nqn()).Namespaces[0].Bdev, uuid)
		c.equal("the user's bdev", c.n2.bdev("n1n1").UUID, uuid)
		c.equal("aliases", c.n1.bdev(uuid).Aliases, []string{"lvs0/b"})
	}},
	{name: "what cannot be renamed", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.thin("b", 4)
		c.n1.refusals([]refusal{
			{"bdev_lvol_rename", M{"old_name": "lvs0/a", "new_name": "b"}, -32602, "File exists"},
			{"bdev_lvol_rename", M{"old_name": "lvs0/a", "new_name": "a"}, -32602, "File exists"},
		})
		c.equal("names", c.n1.lvolNames(), []string{"a", "b"})
	}},
	{name: "read-only ones are refused what writes", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.ok("bdev_lvol_set_read_only", M{"name": "lvs0/a"})
		c.n1.refusals([]refusal{
			{"bdev_lvol_resize", M{"name": "lvs0/a", "size_in_mib": 8}, -32602, "Operation not permitted"},
			{"bdev_lvol_snapshot", M{"lvol_name": c.n1.lvols()["a"].UUID, "snapshot_name": "s"}, -32602, "Invalid argument"},
		})
	}},
}
