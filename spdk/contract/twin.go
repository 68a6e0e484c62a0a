package contract

// Disks that hold the same: an lvstore and lvols of one name and UUID.

// copy puts a copy of the disk of a node beside that of another, and returns its
// path there. Both are restarted, without their disks.
func (c *run) copy(from, to *node) string {
	c.Helper()
	c.kill(from)
	if to != from {
		c.kill(to)
	}
	path := from.target.Copy(to.target)
	c.rec.Note("copy " + from.name + " " + to.name)
	c.start(from)
	if to != from {
		c.start(to)
	}
	return path
}

// twins makes an lvol a with a snapshot s, and a copy of their disk, which is
// attached as disk1 beside the original disk0. The lvstore of the original has
// been renamed to lvs9, that of the copy is lvs0.
func (c *run) twins() (a, s, path string) {
	c.Helper()
	a = c.n1.pool().thick("a", 4)
	s = c.n1.snapshot(a, "s")
	path = c.copy(c.n1, c.n1)
	c.n1.disk()
	c.n1.renameStore("lvs0", "lvs9")
	c.n1.attachDisk("disk1", path)
	c.Cleanup(func() { c.kill(c.n1) }) // an lvstore with lvols that have no bdev cannot be deleted
	return a, s, path
}

// twinEnds expects a call not to be answered, for the node ends of it, and starts
// the node again with both disks.
func (c *run) twinEnds(path, method string, params any) {
	c.Helper()
	if a, err := c.n1.call(method, params); err == nil {
		c.Errorf("%s: answered %s", method, a)
	}
	c.crashed(c.n1)
	c.start(c.n1)
	c.n1.disk()
	c.n1.attachDisk("disk1", path)
}

var twinCases = []example{
	{name: "a copy beside its original is not loaded and its disk looks blank", run: func(c *run) {
		a := c.n1.pool().thin("a", 4)
		path := c.copy(c.n1, c.n1)
		c.n1.disk()
		c.n1.attachDisk("disk1", path)
		c.equal("lvstores", c.n1.stores(), []string{"lvs0 on disk0"})
		c.equal("lvols", c.n1.aliases(), []string{"lvs0/a"})
		c.equal("claimed", []bool{c.n1.bdev("disk0").Claimed, c.n1.bdev("disk1").Claimed}, []bool{true, false})
		c.n1.renameStore("lvs0", "lvs9")
		c.equal("lvstores", c.n1.stores(), []string{"lvs9 on disk0"})
		c.n1.ok("bdev_aio_delete", M{"name": "disk1"})
		c.n1.attachDisk("disk1", path)
		c.equal("lvstores", c.n1.stores(), []string{"lvs9 on disk0", "lvs0 on disk1"})
		c.equal("aliases", c.n1.bdev(a).Aliases, []string{"lvs9/a"})
		c.kill(c.n1) // as in twins
	}},
	{name: "lvols of a copy under another name are listed and have no bdev", run: func(c *run) {
		a, s, path := c.twins()
		c.equal("lvstores", c.n1.stores(), []string{"lvs9 on disk0", "lvs0 on disk1"})
		c.equal("lvols", c.n1.aliases(), []string{"lvs0/a", "lvs0/s", "lvs9/a", "lvs9/s"})
		c.equal("degraded", c.n1.lvols()["a"].Degraded, false)
		c.equal("aliases", [][]string{c.n1.bdev(a).Aliases, c.n1.bdev(s).Aliases}, [][]string{{"lvs9/a"}, {"lvs9/s"}})
		c.equal("the copy's", c.n1.has("lvs0/a"), false)
		c.equal("claimed", c.n1.bdev("disk1").Claimed, true)
		c.n1.refusals([]refusal{
			{"bdev_lvol_rename", M{"old_name": "lvs0/a", "new_name": "b"}, -19, "No such device"},
			{"bdev_lvol_resize", M{"name": "lvs0/a", "size_in_mib": 8}, -19, "No such device"},
			{"bdev_lvol_snapshot", M{"lvol_name": "lvs0/a", "snapshot_name": "t"}, -19, "No such device"},
			{"bdev_lvol_clone", M{"snapshot_name": "lvs0/s", "clone_name": "k"}, -19, "No such device"},
			{"bdev_lvol_create", M{"lvs_name": "lvs0", "lvol_name": "a", "size_in_mib": 4}, -17, "File exists"},
		})
		c.n1.ok("bdev_lvol_delete", M{"name": a})
		c.equal("lvols", c.n1.aliases(), []string{"lvs0/a", "lvs0/s", "lvs9/s"})
		c.equal("the copy's", c.n1.has(a), false)
		c.n1.ok("bdev_aio_delete", M{"name": "disk1"})
		c.n1.attachDisk("disk1", path)
		c.equal("the copy's, examined again", c.n1.bdev(a).Aliases, []string{"lvs0/a"})
	}},
	{name: "by one UUID the lvstore that came first is meant", run: func(c *run) {
		c.twins()
		var l []struct{ UUID string }
		c.n1.into(&l, "bdev_lvol_get_lvstores", nil)
		c.equal("one UUID", l[0].UUID == l[1].UUID, true)
		b := c.n1.str("bdev_lvol_create", M{"uuid": l[0].UUID, "lvol_name": "b", "size_in_mib": 4, "thin_provision": true})
		c.equal("aliases", c.n1.bdev(b).Aliases, []string{"lvs9/b"})
		c.n1.ok("bdev_lvol_delete_lvstore", M{"uuid": l[0].UUID})
		c.equal("lvstores", c.n1.stores(), []string{"lvs0 on disk1"})
	}},
	{name: "the original gone the copy needs its disk attached again", run: func(c *run) {
		a, _, path := c.twins()
		c.n1.ok("bdev_aio_delete", M{"name": "disk0"})
		c.equal("lvols", c.n1.aliases(), []string{"lvs0/a", "lvs0/s"})
		c.equal("its bdev", c.n1.has(a), false)
		c.n1.disk()
		c.equal("aliases", c.n1.bdev(a).Aliases, []string{"lvs9/a"})
		c.n1.ok("bdev_aio_delete", M{"name": "disk0"})
		c.n1.ok("bdev_aio_delete", M{"name": "disk1"})
		c.n1.attachDisk("disk1", path)
		c.equal("aliases", c.n1.bdev(a).Aliases, []string{"lvs0/a"})
	}},
	{name: "renaming the lvstore of a copy ends the target and is done", run: func(c *run) {
		_, _, path := c.twins()
		c.twinEnds(path, "bdev_lvol_rename_lvstore", M{"old_name": "lvs0", "new_name": "lvs1"})
		c.equal("lvstores", c.n1.stores(), []string{"lvs9 on disk0", "lvs1 on disk1"})
	}},
	{name: "deleting an lvol of a copy ends the target", run: func(c *run) {
		_, _, path := c.twins()
		c.twinEnds(path, "bdev_lvol_delete", M{"name": "lvs0/a"})
		c.equal("lvols", c.n1.aliases(), []string{"lvs0/a", "lvs0/s", "lvs9/a", "lvs9/s"})
	}},
	{name: "deleting the lvstore of a copy ends the target", run: func(c *run) {
		_, _, path := c.twins()
		c.twinEnds(path, "bdev_lvol_delete_lvstore", M{"lvs_name": "lvs0"})
		c.equal("lvols", c.n1.aliases(), []string{"lvs0/a", "lvs0/s", "lvs9/a", "lvs9/s"})
	}},
	{name: "a disk moved to a node with an lvstore of its name is hidden until that is renamed", nodes: 2, run: func(c *run) {
		a := c.n1.pool().thick("a", 4)
		b := c.n2.pool().thin("b", 4)
		path := c.copy(c.n1, c.n2)
		c.n2.disk()
		c.n2.attachDisk("disk1", path)
		c.equal("lvols", c.n2.aliases(), []string{"lvs0/b"})
		c.n2.ok("bdev_aio_delete", M{"name": "disk1"})
		c.n2.renameStore("lvs0", "lvs9")
		c.n2.attachDisk("disk1", path)
		c.equal("lvols", c.n2.aliases(), []string{"lvs0/a", "lvs9/b"})
		c.equal("clusters", c.n2.bdev(a).Driver.Lvol.Clusters, 4)
		c.n2.renameStore("lvs0", "lvs1")
		c.n2.renameStore("lvs9", "lvs0")
		c.equal("aliases", [][]string{c.n2.bdev(a).Aliases, c.n2.bdev(b).Aliases}, [][]string{{"lvs1/a"}, {"lvs0/b"}})
	}},
}
