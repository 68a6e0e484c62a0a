package contract

import "strings"

// renameStore gives an lvstore of the node another name.
func (n *node) renameStore(from, to string) {
	n.c.Helper()
	n.ok("bdev_lvol_rename_lvstore", M{"old_name": from, "new_name": to})
}

var renameCases = []example{
	{name: "what is refused", run: func(c *run) {
		c.n1.pool()
		c.n1.gives("m", "bdev_malloc_create", M{"name": "m", "num_blocks": 8192, "block_size": 4096})
		c.n1.str("bdev_lvol_create_lvstore", M{"bdev_name": "m", "lvs_name": "lvs1", "cluster_sz": 1 << 20, "clear_method": "none"})
		c.n1.refusals([]refusal{
			{"bdev_lvol_rename_lvstore", M{"old_name": "none", "new_name": "l"}, -2, "Lvol store none not found"},
			{"bdev_lvol_rename_lvstore", M{"old_name": "lvs0", "new_name": "lvs1"}, -32602, "File exists"},
			{"bdev_lvol_rename_lvstore", M{"old_name": "lvs0", "new_name": ""}, -32602, "File exists"},
			{"bdev_lvol_rename_lvstore", M{"old_name": "lvs0"}, -32603, "spdk_json_decode_object failed"},
		})
		c.n1.renameStore("lvs0", "lvs0")
		c.n1.renameStore("lvs0", "lvs9")
		c.n1.renameStore("lvs1", "lvs0")
		c.equal("lvstores", c.n1.stores(), []string{"lvs9 on disk0", "lvs0 on m"})
	}},
	{name: "none has no name after the first renaming", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.renameStore("lvs0", "lvs1")
		c.n1.renameStore("lvs1", "")
		c.equal("lvols", c.n1.aliases(), []string{"/a"})
		c.n1.renameStore("", "lvs0")
	}},
	{name: "a name too long is cut off", run: func(c *run) {
		most := by(c, 63, 255)
		c.n1.pool()
		c.n1.renameStore("lvs0", strings.Repeat("l", most+1))
		c.equal("lvstores", c.n1.stores(), []string{strings.Repeat("l", most) + " on disk0"})
	}},
	{name: "it lasts", run: func(c *run) {
		uuid := c.n1.pool().thin("a", 4)
		snap := c.n1.snapshot("lvs0/a", "s")
		c.n1.renameStore("lvs0", "lvs1")
		c.restart(c.n1)
		c.n1.disk()
		c.equal("lvstores", c.n1.stores(), []string{"lvs1 on disk0"})
		c.equal("aliases", [][]string{c.n1.bdev(uuid).Aliases, c.n1.bdev(snap).Aliases}, [][]string{{"lvs1/a"}, {"lvs1/s"}})
	}},
	{name: "users of its lvols notice nothing", nodes: 2, run: func(c *run) {
		a := c.n1.pool().thin("a", 4)
		b, d := c.n1.thin("b", 4), c.n1.thin("d", 4)
		c.n1.mirror(b, d)
		c.n1.offer(a, "r")
		c.n2.attach(c.n1)
		c.n1.renameStore("lvs0", "lvs1")
		c.equal("lvols", c.n1.aliases(), []string{"lvs1/a", "lvs1/b", "lvs1/d"})
		c.equal("RAID", []any{c.n1.raid().State, c.n1.raid().Discovered}, []any{"online", 2})
		c.equal("exported", c.n1.subsystem(c.n1.nqn()).Namespaces[0].Bdev, a)
		c.equal("the peer has them", []bool{c.n2.has(a), c.n2.has("n1n2")}, []bool{true, true})
	}},
	{name: "a bdev keeps its alias where the new one is taken", run: func(c *run) {
		a := c.n1.pool().thin("a", 4)
		b := c.n1.thin("b", 4)
		c.n1.gives("lvs1/a", "bdev_null_create", M{"name": "lvs1/a", "num_blocks": 1, "block_size": 4096})
		c.n1.renameStore("lvs0", "lvs1")
		c.equal("aliases", [][]string{c.n1.bdev(a).Aliases, c.n1.bdev(b).Aliases}, [][]string{{"lvs0/a"}, {"lvs1/b"}})
		c.equal("lvols", c.n1.aliases(), []string{"lvs1/a", "lvs1/b"})
		c.n1.refuses(-32602, "File exists", "bdev_lvol_rename", M{"old_name": a, "new_name": "a"})
		c.n1.ok("bdev_null_delete", M{"name": "lvs1/a"})
		c.n1.ok("bdev_lvol_rename", M{"old_name": a, "new_name": "a"})
		c.equal("aliases", c.n1.bdev(a).Aliases, []string{"lvs1/a"})
	}},
	{name: "with a degraded lvol it ends the target and is done", nodes: 2, run: func(c *run) {
		_, head := c.esnapClone()
		c.restart(c.n2)
		c.n2.disk()
		c.equal("degraded", c.n2.lvols()["h"].Degraded, true)
		if a, err := c.n2.call("bdev_lvol_rename_lvstore", M{"old_name": "lvs0", "new_name": "lvs1"}); err == nil {
			c.Errorf("answered %s", a)
		}
		c.crashed(c.n2)
		c.start(c.n2)
		c.n2.disk()
		c.equal("lvstores", c.n2.stores(), []string{"lvs1 on disk0"})
		c.n2.attach(c.n1)
		c.until("it comes alive", func() bool { return c.n2.has(head) })
		c.n2.renameStore("lvs1", "lvs2")
		c.equal("aliases", c.n2.bdev(head).Aliases, []string{"lvs2/h"})
	}},
}
