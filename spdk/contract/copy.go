package contract

import "time"

type progress struct {
	Copied int `json:"copied_clusters"`
	Total  int `json:"total_clusters"`
	State  string
	Error  string
}

// copyTo starts a shallow copy and returns its operation. As long as a
// destination that has just come is examined, it would be refused.
func (n *node) copyTo(src, dst string) int {
	n.c.Helper()
	n.ok("bdev_wait_for_examine", nil)
	var op copying
	n.into(&op, "bdev_lvol_start_shallow_copy", M{"src_lvol_name": src, "dst_bdev_name": dst})
	return op.ID
}

// copying is what a target answers that has started a shallow copy.
type copying struct {
	ID int `json:"operation_id"`
}

// begun is the operation of a shallow copy that was started.
func (c *run) begun(a answer) int {
	c.Helper()
	var op copying
	c.decode(a, &op)
	return op.ID
}

func (n *node) progress(op int) progress {
	n.c.Helper()
	var p progress
	n.into(&p, "bdev_lvol_check_shallow_copy", M{"operation_id": op})
	return p
}

// copied waits for a copy to end.
func (n *node) copied(op int) progress {
	n.c.Helper()
	var p progress
	n.c.until("the copy has ended", func() bool {
		p = n.progress(op)
		return p.State != "in progress"
	})
	return p
}

var copyCases = []example{
	{name: "exactly the clusters of one layer", run: func(c *run) {
		c.n1.pool().thick("a", 4)
		c.n1.snapshot("lvs0/a", "s1")
		c.n1.snapshot("lvs0/a", "s2")
		dst := c.n1.thin("dst", 4)
		c.equal("s2", c.n1.copied(c.n1.copyTo("lvs0/s2", dst)), progress{0, 0, "complete", ""})
		c.equal("s1", c.n1.copied(c.n1.copyTo("lvs0/s1", dst)), progress{4, 4, "complete", ""})
		c.equal("again", c.n1.copied(c.n1.copyTo("lvs0/s1", dst)), progress{4, 4, "complete", ""})
		c.equal("clusters", c.n1.bdev(dst).Driver.Lvol.Clusters, 4)
		c.equal("claimed afterwards", c.n1.bdev(dst).Claimed, false)
	}},
	{name: "over a link", nodes: 2, run: func(c *run) {
		c.n1.pool().thick("a", 4)
		c.n1.snapshot("lvs0/a", "s")
		dst := c.n2.pool().thin("dst", 4)
		c.n2.offer(dst)
		c.n1.attach(c.n2)
		c.equal("copy", c.n1.copied(c.n1.copyTo("lvs0/s", dst)), progress{4, 4, "complete", ""})
		c.equal("clusters", c.n2.bdev(dst).Driver.Lvol.Clusters, 4)
	}},
	{name: "no faster than the destination's limit", nodes: 2, run: func(c *run) {
		c.n1.pool().thick("a", 16)
		c.n1.snapshot("lvs0/a", "s")
		dst := c.n2.pool().thin("dst", 16)
		c.n2.ok("bdev_set_qos_limit", M{"name": dst, "w_mbytes_per_sec": 4})
		c.n2.offer(dst)
		c.n1.attach(c.n2)
		from := time.Now()
		c.equal("copy", c.n1.copied(c.n1.copyTo("lvs0/s", dst)), progress{16, 16, "complete", ""})
		c.near("copying 16 MiB at 4 MiB a second", time.Since(from), 4*time.Second)
	}},
	{name: "the end is told once", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.snapshot("lvs0/a", "s")
		op := c.n1.copyTo("lvs0/s", c.n1.thin("dst", 4))
		c.n1.copied(op)
		c.n1.refuses(-19, "No such device", "bdev_lvol_check_shallow_copy", M{"operation_id": op})
	}},
	{name: "a writable source is found out only by checking", run: func(c *run) {
		c.n1.pool().thick("a", 4)
		op := c.n1.copyTo("lvs0/a", c.n1.thin("dst", 4))
		c.equal("check", c.n1.progress(op), progress{0, 4, "error", "Operation not permitted"})
		c.n1.refuses(-19, "No such device", "bdev_lvol_check_shallow_copy", M{"operation_id": op})
	}},
	{name: "a destination that is too small is found out only by checking", run: func(c *run) {
		c.n1.pool().thick("a", 4)
		c.n1.snapshot("lvs0/a", "s")
		c.equal("check", c.n1.progress(c.n1.copyTo("lvs0/s", c.n1.thin("dst", 2))), progress{0, 4, "error", "Invalid argument"})
	}},
	{name: "a destination without room", run: func(c *run) {
		c.n1.pool().thick("a", 64)
		c.n1.snapshot("lvs0/a", "s")
		c.n1.gives("m", "bdev_malloc_create", M{"name": "m", "num_blocks": 8192, "block_size": 4096})
		c.n1.str("bdev_lvol_create_lvstore", M{"bdev_name": "m", "lvs_name": "lvs1", "cluster_sz": 1 << 20, "clear_method": "none"})
		dst := c.n1.str("bdev_lvol_create", M{"lvs_name": "lvs1", "lvol_name": "b", "size_in_mib": 64, "thin_provision": true})
		p := c.n1.copied(c.n1.copyTo("lvs0/s", dst))
		c.equal("end", []any{p.State, p.Error, p.Copied == c.n1.bdev(dst).Driver.Lvol.Clusters}, []any{"error", "Input/output error", true})
	}},
	{name: "onto smaller blocks an eighth of it goes to wrong places, and that is called complete", run: func(c *run) {
		c.n1.pool().thick("a", 4)
		c.n1.snapshot("lvs0/a", "s")
		c.n1.gives("m", "bdev_malloc_create", M{"name": "m", "num_blocks": 65536, "block_size": 512})
		c.n1.str("bdev_lvol_create_lvstore", M{"bdev_name": "m", "lvs_name": "lvs1", "cluster_sz": 1 << 20, "clear_method": "none"})
		dst := c.n1.str("bdev_lvol_create", M{"lvs_name": "lvs1", "lvol_name": "b", "size_in_mib": 4, "thin_provision": true})
		c.equal("copy", c.n1.copied(c.n1.copyTo("lvs0/s", dst)), progress{4, 4, "complete", ""})
		c.equal("clusters that were written to", c.n1.bdev(dst).Driver.Lvol.Clusters, 1)
	}},
	{name: "onto larger blocks it is refused, which is found out only by checking", run: func(c *run) {
		c.n1.pool()
		c.n1.gives("m", "bdev_malloc_create", M{"name": "m", "num_blocks": 65536, "block_size": 512})
		c.n1.str("bdev_lvol_create_lvstore", M{"bdev_name": "m", "lvs_name": "lvs1", "cluster_sz": 1 << 20, "clear_method": "none"})
		c.n1.str("bdev_lvol_create", M{"lvs_name": "lvs1", "lvol_name": "b", "size_in_mib": 4, "thin_provision": false})
		c.n1.snapshot("lvs1/b", "s")
		dst := c.n1.thin("dst", 4)
		c.equal("check", c.n1.progress(c.n1.copyTo("lvs1/s", dst)), progress{0, 4, "error", "Invalid argument"})
	}},
	{name: "a head is cut while a layer below it is copied", run: func(c *run) {
		c.n1.pool().thick("a", 200)
		c.n1.snapshot("lvs0/a", "s")
		c.n1.thin("dst", 200)
		got := c.n1.round(call{"bdev_lvol_start_shallow_copy", M{"src_lvol_name": "lvs0/s", "dst_bdev_name": "lvs0/dst"}},
			call{"bdev_lvol_snapshot", M{"lvol_name": "lvs0/a", "snapshot_name": "t"}})
		op := c.begun(got[0])
		c.equal("copy", c.n1.copied(op), progress{200, 200, "complete", ""})
		c.equal("parent of the head", c.n1.bdev("lvs0/a").Driver.Lvol.Base, "t")
		c.equal("parent of that", c.n1.bdev("lvs0/t").Driver.Lvol.Base, "s")
	}},
	{name: "what does not start", run: func(c *run) {
		c.n1.pool().thin("a", 4)
		c.n1.snapshot("lvs0/a", "s")
		c.n1.refusals([]refusal{
			{"bdev_lvol_start_shallow_copy", M{"src_lvol_name": "lvs0/none", "dst_bdev_name": "lvs0/a"}, -19, "No such device"},
			{"bdev_lvol_start_shallow_copy", M{"src_lvol_name": "lvs0/s", "dst_bdev_name": "none"}, -32602, "No such device"},
			{"bdev_lvol_start_shallow_copy", M{"src_lvol_name": "lvs0/s", "dst_bdev_name": "disk0"}, -32602, "Operation not permitted"},
			{"bdev_lvol_check_shallow_copy", M{"operation_id": 4000}, -19, "No such device"},
		})
	}},
	{name: "a second one to the same destination is refused while the first runs", run: func(c *run) {
		c.n1.pool().thick("a", 200)
		c.n1.snapshot("lvs0/a", "s")
		c.n1.thin("dst", 200)
		params := M{"src_lvol_name": "lvs0/s", "dst_bdev_name": "lvs0/dst"}
		got := c.n1.round(call{"bdev_lvol_start_shallow_copy", params}, call{"bdev_lvol_start_shallow_copy", params},
			call{"bdev_get_bdevs", M{"name": "lvs0/dst"}})
		op := c.begun(got[0])
		if !got[1].refused(-32602, "Operation not permitted") {
			c.Errorf("second: %s", got[1])
		}
		var dst []bdevInfo
		c.decode(got[2], &dst)
		c.equal("destination is claimed", dst[0].Claimed, true)
		c.equal("first", c.n1.copied(op), progress{200, 200, "complete", ""})
	}},
	{name: "deleting a snapshot that is being copied fails and hides it", run: func(c *run) {
		c.n1.pool().thick("a", 200)
		snap := c.n1.snapshot("lvs0/a", "s")
		c.n1.thin("dst", 200)
		got := c.n1.round(call{"bdev_lvol_start_shallow_copy", M{"src_lvol_name": snap, "dst_bdev_name": "lvs0/dst"}},
			call{"bdev_lvol_delete", M{"name": snap}})
		if !got[1].refused(-32603, "Device or resource busy") {
			c.Errorf("delete: %s", got[1])
		}
		c.equal("bdev", c.n1.has(snap), false)
		c.unrecorded(func() { c.equal("lvols", c.n1.lvolNames(), []string{"a", "dst"}) })
		c.equal("parent of its child", c.n1.bdev("lvs0/a").Driver.Lvol.Base, "")
		c.restart(c.n1)
		c.n1.disk()
		c.unrecorded(func() { c.equal("lvols after a restart", c.n1.lvolNames(), []string{"a", "dst", "s"}) })
		c.equal("clusters", c.n1.bdev("lvs0/s").Driver.Lvol.Clusters, 200)
	}},
	{name: "a destination that dies", nodes: 2, run: func(c *run) {
		c.n1.pool().thick("a", 200)
		c.n1.snapshot("lvs0/a", "s")
		dst := c.n2.pool().thin("dst", 200)
		c.n2.offer(dst)
		c.n1.attach(c.n2)
		from := time.Now()
		c.kill(c.n2)
		p := c.n1.copied(c.n1.copyTo("lvs0/s", dst))
		c.equal("state", p.State, "error")
		c.near("finding out", time.Since(from), 2*time.Second)
	}},
}
