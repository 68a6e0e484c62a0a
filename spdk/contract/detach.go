package contract

import (
	"encoding/json"
	"slices"
	"time"
)

// Disks that are taken from a target, and given back.

var detachCases = []example{
	{name: "a disk in use goes with all that is on it", nodes: 2, run: func(c *run) {
		a := c.n1.pool().thick("a", 4)
		c.n1.snapshot(a, "s")
		b := c.n1.thin("b", 4)
		c.n1.gives("m", "bdev_malloc_create", M{"name": "m", "num_blocks": 1024, "block_size": 4096})
		c.n1.mirror(b, "m")
		c.n1.offer(a, "r")
		c.n2.attach(c.n1)
		c.equal("claimed", c.n1.bdev("disk0").Claimed, true)
		c.n1.ok("bdev_aio_delete", M{"name": "disk0"})
		c.equal("lvstores", c.n1.stores(), []string{})
		c.equal("lvols", c.n1.aliases(), []string{})
		c.equal("bdevs", []bool{c.n1.has("disk0"), c.n1.has(a), c.n1.has("r")}, []bool{false, false, true})
		c.equal("members", []int{c.n1.raid().Discovered, c.n1.raid().Operational}, []int{1, 1})
		c.equal("namespaces", len(c.n1.subsystem(c.n1.nqn()).Namespaces), 1)
		c.until("the peer has lost it", func() bool { return !c.n2.has(a) })
		c.n1.disk()
		c.equal("lvstores", c.n1.stores(), []string{"lvs0 on disk0"})
		c.equal("lvols", c.n1.aliases(), []string{"lvs0/a", "lvs0/b", "lvs0/s"})
		c.equal("clusters", c.n1.bdev("lvs0/s").Driver.Lvol.Clusters, 4)
		c.equal("members", c.n1.raid().Discovered, 1)
	}},
	{name: "a disk with the source of an lvol elsewhere stays half there", run: func(c *run) {
		c.n1.pool().thick("a", 4)
		layer := c.n1.snapshot("lvs0/a", "s")
		c.n1.gives("m", "bdev_malloc_create", M{"name": "m", "num_blocks": 8192, "block_size": 4096})
		c.n1.str("bdev_lvol_create_lvstore", M{"bdev_name": "m", "lvs_name": "lvs1", "cluster_sz": 1 << 20, "clear_method": "none"})
		head := c.n1.str("bdev_lvol_clone_bdev", M{"bdev": layer, "lvs_name": "lvs1", "clone_name": "h"})
		going := c.n1.begin("bdev_aio_delete", M{"name": "disk0"})
		time.Sleep(2 * time.Second)
		c.equal("answered", going.answered(), false)
		c.equal("lvstores", c.n1.stores(), []string{"lvs0 on disk0", "lvs1 on m"})
		c.equal("lvols", c.n1.aliases(), []string{"lvs0/s", "lvs1/h"})
		c.equal("bdevs", []bool{c.n1.has("disk0"), c.n1.has(layer), c.n1.has(head)}, []bool{false, false, true})
		c.n1.refuses(-17, "File exists", "bdev_aio_create", M{"filename": c.n1.target.Disk(), "name": "disk0", "block_size": 4096})
		c.n1.refuses(-32602, "No such device", "bdev_lvol_rename_lvstore", M{"old_name": "lvs0", "new_name": "lvs9"})
		c.kill(c.n1)
	}},
	{name: "nobody asks for an examination", run: func(c *run) {
		c.n1.pool()
		c.n1.refuses(-22, "Invalid argument", "bdev_examine", M{"name": "disk0"})
		c.n1.refuses(-22, "Invalid argument", "bdev_examine", M{"name": "none"})
	}},
	{name: "what one kind attached another does not detach", run: func(c *run) {
		c.without("bdev_uring_create")
		a := c.n1.pool().thin("a", 4)
		c.n1.refuses(-19, "No such device", "bdev_uring_delete", M{"name": "disk0"})
		c.n1.ok("bdev_aio_delete", M{"name": "disk0"})
		c.n1.gives("disk0", "bdev_uring_create", M{"filename": c.n1.target.Disk(), "name": "disk0", "block_size": 4096})
		c.n1.ok("bdev_wait_for_examine", nil)
		c.equal("aliases", c.n1.bdev(a).Aliases, []string{"lvs0/a"})
		c.n1.refuses(-19, "No such device", "bdev_aio_delete", M{"name": "disk0"})
		c.n1.ok("bdev_uring_delete", M{"name": "disk0"})
		c.n1.refuses(-19, "No such device", "bdev_uring_delete", M{"name": "disk0"})
		c.equal("lvstores", c.n1.stores(), []string{})
	}},
}

// without skips a case on targets that were built without a method.
func (c *run) without(method string) {
	c.Helper()
	var methods []string
	c.unrecorded(func() {
		a, err := c.n1.send(call{"rpc_get_methods", nil})
		if err != nil || json.Unmarshal(a[0].result, &methods) != nil {
			c.Fatalf("rpc_get_methods: %v", err)
		}
	})
	if !slices.Contains(methods, method) {
		c.Skip("built without " + method)
	}
}
