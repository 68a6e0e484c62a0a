package contract

import "time"

// Lvols that stand on a layer of another node.

// esnapClone makes a snapshot s of 4 MiB on n1 and an lvol h on n2 that stands on
// it, and returns the UUIDs of both.
func (c *run) esnapClone() (layer, head string) {
	c.Helper()
	c.n1.pool().thick("a", 4)
	layer = c.n1.snapshot("lvs0/a", "s")
	c.n1.offer(layer)
	c.n2.pool()
	c.n2.attach(c.n1)
	return layer, c.n2.str("bdev_lvol_clone_bdev", M{"bdev": layer, "lvs_name": "lvs0", "clone_name": "h"})
}

var esnapCases = []example{
	{name: "the source is named by its UUID", nodes: 2, run: func(c *run) {
		layer, head := c.esnapClone()
		h := c.n2.bdev(head)
		c.equal("source", h.Driver.Lvol.Esnap, layer)
		c.equal("MiB and clusters", []int64{h.mib(), int64(h.Driver.Lvol.Clusters)}, []int64{4, 0})
		c.equal("claim on the source", c.n2.bdev(layer).Claim, "read_many_write_none")
		v := c.n2.lvols()["h"]
		c.equal("listing", []bool{v.Esnap, v.Clone, v.Degraded}, []bool{true, false, false})
	}},
	{name: "what does not become one", nodes: 2, run: func(c *run) {
		layer, _ := c.esnapClone()
		c.n1.refusals([]refusal{
			{"bdev_lvol_clone_bdev", M{"bdev": layer, "lvs_name": "lvs0", "clone_name": "k"}, -32602,
				"bdev is an lvol in same lvs as clone; use bdev_lvol_clone instead"},
			{"bdev_lvol_clone_bdev", M{"bdev": layer, "lvs_name": "none", "clone_name": "k"}, -32602, "lvs does not exist"},
			{"bdev_lvol_clone_bdev", M{"bdev": "none", "lvs_name": "lvs0", "clone_name": "k"}, -32602, "bdev does not exist"},
		})
		c.n2.refuses(-32602, "File exists", "bdev_lvol_clone_bdev", M{"bdev": layer, "lvs_name": "lvs0", "clone_name": "h"})
	}},
	{name: "degraded without its source and back with it", nodes: 2, run: func(c *run) {
		_, head := c.esnapClone()
		c.restart(c.n2)
		c.n2.disk()
		c.equal("bdev without the source", c.n2.has(head), false)
		v := c.n2.lvols()["h"]
		c.equal("listing", []bool{v.Esnap, v.Degraded}, []bool{true, true})
		c.n2.attach(c.n1)
		c.until("it comes alive", func() bool { return c.n2.has(head) })
		c.equal("degraded", c.n2.lvols()["h"].Degraded, false)
	}},
	{name: "moved onto a local layer of the same size", nodes: 2, run: func(c *run) {
		_, head := c.esnapClone()
		c.n2.thin("b", 4)
		c.n2.snapshot("lvs0/b", "copy")
		c.n2.thin("big", 8)
		c.n2.snapshot("lvs0/big", "other")
		c.n2.refuses(-32602, "Invalid argument", "bdev_lvol_set_parent", M{"lvol_name": head, "parent_name": "lvs0/other"})
		c.n2.ok("bdev_lvol_set_parent", M{"lvol_name": head, "parent_name": "lvs0/copy"})
		c.n2.refuses(-32602, "File exists", "bdev_lvol_set_parent", M{"lvol_name": head, "parent_name": "lvs0/copy"})
		v := c.n2.lvols()["h"]
		c.equal("listing", []bool{v.Esnap, v.Clone}, []bool{false, true})
		c.n2.ok("bdev_nvme_detach_controller", M{"name": "n1"})
		c.equal("bdev", c.n2.has(head), true)
	}},
	{name: "set on a source by set_parent_bdev", nodes: 2, run: func(c *run) {
		layer, _ := c.esnapClone()
		c.n2.thin("b", 4)
		c.n2.ok("bdev_lvol_set_parent_bdev", M{"lvol_name": "lvs0/b", "parent_name": layer})
		c.n2.refuses(-32602, "File exists", "bdev_lvol_set_parent_bdev", M{"lvol_name": "lvs0/b", "parent_name": layer})
		c.n2.refuses(-32602, "No such device", "bdev_lvol_set_parent_bdev", M{"lvol_name": "lvs0/b", "parent_name": "none"})
		c.equal("source", c.n2.bdev("lvs0/b").Driver.Lvol.Esnap, layer)
	}},
	{name: "one that has grown beyond its source has nothing there", nodes: 2, run: func(c *run) {
		_, head := c.esnapClone()
		c.n2.thick("whole", 8)
		c.n2.snapshot("lvs0/whole", "w")
		c.n2.ok("bdev_lvol_resize", M{"name": head, "size_in_mib": 8})
		c.equal("MiB", c.n2.bdev(head).mib(), 8)
		c.n2.refuses(-32602, "Invalid argument", "bdev_lvol_inflate", M{"name": head})
		c.n2.refuses(-32602, "Invalid argument", "bdev_lvol_decouple_parent", M{"name": head})
		c.equal("writing", c.n2.copied(c.n2.copyTo("lvs0/w", head)), progress{4, 8, "error", "Input/output error"})
		c.equal("clusters", c.n2.bdev(head).Driver.Lvol.Clusters, 4)
		c.equal("source", c.n2.bdev(head).Driver.Lvol.Esnap != "", true)
	}},
	{name: "a snapshot of one takes its source over", nodes: 2, run: func(c *run) {
		layer, head := c.esnapClone()
		c.n2.ok("bdev_wait_for_examine", nil) // it must not be read meanwhile: that corrupts the target's memory
		c.n2.snapshot(head, "t")
		c.n1.remove(1)
		c.until("the source is gone", func() bool { return !c.n2.has(layer) })
		c.n2.ok("bdev_lvol_delete", M{"name": head})
		c.equal("lvols", c.n2.lvolNames(), []string{"t"})
		if a, err := c.n2.call("bdev_lvol_delete", M{"name": "lvs0/t"}); err == nil {
			c.Errorf("answered %s", a)
		}
		c.crashed(c.n2)
	}},
	{name: "inflating copies the source", nodes: 2, run: func(c *run) {
		_, head := c.esnapClone()
		c.n2.ok("bdev_lvol_inflate", M{"name": head})
		h := c.n2.bdev(head).Driver.Lvol
		c.equal("inflated", []any{h.Clusters, h.Esnap}, []any{4, ""})
	}},
	{name: "a namespace removed below a live one leaves a bdev that is neither there nor gone", nodes: 2, run: func(c *run) {
		layer, head := c.esnapClone()
		c.n1.remove(1)
		c.until("the source is gone", func() bool { return !c.n2.has(layer) })
		c.equal("the lvol stays", c.n2.has(head), true)
		c.equal("degraded", c.n2.lvols()["h"].Degraded, false)
		c.n1.add(1, layer)
		c.n1.add(2, "lvs0/a")
		c.until("another namespace has come", func() bool { return c.n2.has("n1n2") })
		c.equal("the source stays away", c.n2.has(layer), false)
		c.kill(c.n2) // nothing of it can be removed: see the next cases
	}},
	{name: "deleting a live one whose source has gone ends the target", nodes: 2, run: func(c *run) {
		layer, head := c.esnapClone()
		c.n1.remove(1)
		c.until("the source is gone", func() bool { return !c.n2.has(layer) })
		if a, err := c.n2.call("bdev_lvol_delete", M{"name": head}); err == nil {
			c.Errorf("answered %s", a)
		}
		c.crashed(c.n2)
		c.start(c.n2)
		c.n2.disk()
		c.equal("lvols", c.n2.lvolNames(), []string{"h"})
	}},
	{name: "deleting the lvstore of a live one whose source has gone ends the target", nodes: 2, run: func(c *run) {
		layer, _ := c.esnapClone()
		c.n1.remove(1)
		c.until("the source is gone", func() bool { return !c.n2.has(layer) })
		if a, err := c.n2.call("bdev_lvol_delete_lvstore", M{"lvs_name": "lvs0"}); err == nil {
			c.Errorf("answered %s", a)
		}
		c.crashed(c.n2)
		c.start(c.n2)
		c.n2.disk()
		c.equal("lvols", c.n2.lvolNames(), []string{"h"})
	}},
	{name: "a peer given up below a live one: its controller stays until the lvol stands on a local layer", nodes: 2, run: func(c *run) {
		layer, head := c.esnapClone()
		c.kill(c.n1)
		c.until("the peer is given up", func() bool { return c.n2.controllers()["n1"] == "deleting" })
		c.equal("bdevs", []bool{c.n2.has(layer), c.n2.has(head)}, []bool{false, true})
		c.n2.refuses(-6, "No such device or address", "bdev_nvme_disable_controller", M{"name": "n1"})
		detaching := c.n2.begin("bdev_nvme_detach_controller", M{"name": "n1"})
		c.ends("detaching", detaching, -110, "Connection timed out")
		c.near("detaching", detaching.took, 10*time.Second)
		c.start(c.n1)
		c.n2.thin("b", 4)
		c.n2.snapshot("lvs0/b", "void")
		c.n2.ok("bdev_lvol_set_parent", M{"lvol_name": head, "parent_name": "lvs0/void"})
		c.until("the controller has gone", func() bool { return len(c.n2.controllers()) == 0 })
		c.n2.ok("bdev_lvol_delete", M{"name": head})
		c.equal("lvols", c.n2.lvolNames(), []string{"b", "void"})
	}},
	{name: "deleting a degraded one", nodes: 2, run: func(c *run) {
		_, head := c.esnapClone()
		c.restart(c.n2)
		c.n2.disk()
		c.equal("degraded", c.n2.lvols()["h"].Degraded, true)
		c.n2.ok("bdev_lvol_delete", M{"name": head})
		c.equal("lvols", c.n2.lvolNames(), []string{})
	}},
}
