package contract

// What a failover rests on: an engine that is shut out of a link reaches nothing through
// it, what the link shows stays, and a target counts the I/O that failed on a bdev.

// engine is the host that is shut out.
const engine = "nqn.2026-01.io.example:engine"

// errors has, of a bdev, how many I/Os failed, by kind.
func (n *node) errors(name string) map[string]int {
	n.c.Helper()
	var stat struct {
		Bdevs []struct {
			Errors map[string]int `json:"io_error"`
		} `json:"bdevs"`
	}
	n.c.unrecorded(func() { n.into(&stat, "bdev_get_iostat", M{"names": []string{name}}) })
	if len(stat.Bdevs) != 1 || stat.Bdevs[0].Errors == nil {
		n.c.Fatalf("%s says nothing of errors of %s", n.name, name)
	}
	return stat.Bdevs[0].Errors
}

var fenceCases = []example{
	{name: "shut out under writes", only: stock, nodes: 3, run: func(c *run) {
		out := M{"nqn": c.n2.nqn(), "host": engine, "timeout_ms": 5000}
		b := c.n2.pool().thin("b", 8)
		c.n2.offer(b)
		c.n2.ok("nvmf_subsystem_allow_any_host", M{"nqn": c.n2.nqn(), "allow_any_host": false})
		c.n2.ok("nvmf_subsystem_add_host", M{"nqn": c.n2.nqn(), "host": engine})
		a := c.n1.pool().thin("a", 8)
		c.equal("names", c.n1.attach(c.n2, forever, M{"hostnqn": engine}), []string{"n2n1"})
		c.n1.mirror(a, b)
		c.n1.offer("r")
		c.n3.pool().thick("x", 8)
		c.n3.snapshot("lvs0/x", "s")
		c.equal("names", c.n3.attach(c.n1, forever), []string{"n1n1"})
		c.equal("while it is let in", c.n2.hosts(), []string{engine})
		op := c.write()
		c.n2.ok("nvmf_subsystem_remove_host", out)
		c.equal("who has a controller, once that is answered", c.n2.hosts(), []string{})
		c.equal("what is shown", len(c.n2.subsystem(c.n2.nqn()).Namespaces), 1)
		c.equal("errors of what was written to", c.n2.errors(b), map[string]int{})
		c.both()
		c.hold("the host's write", op, c.n3)
		c.n2.refuses(-32603, "Internal error", "nvmf_subsystem_remove_host", out)
		c.equal("who has a controller", c.n2.hosts(), []string{})
		c.n2.ok("nvmf_subsystem_add_host", M{"nqn": c.n2.nqn(), "host": engine})
		c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
		c.both()
		c.equal("errors in the end", c.n2.errors(b), map[string]int{})
	}},
	{name: "what is shown does not outlast the target", only: stock, run: func(c *run) {
		b := c.n1.pool().thin("b", 8)
		c.n1.offer(b)
		c.restart(c.n1)
		c.n1.disk()
		c.n1.ok("nvmf_create_transport", M{"trtype": "TCP"})
		c.n1.offer()
		c.equal("what is shown", len(c.n1.subsystem(c.n1.nqn()).Namespaces), 0)
		c.equal("errors", c.n1.errors(b), map[string]int{})
	}},
	{name: "I/O that fails is counted, under whatever name", only: stock, nodes: 2, run: func(c *run) {
		b := c.n2.pool().thin("b", 8)
		var stores []struct {
			Free int `json:"free_clusters"`
			Size int `json:"cluster_size"`
		}
		c.n2.into(&stores, "bdev_lvol_get_lvstores", nil)
		c.n2.thick("full", stores[0].Free*stores[0].Size>>20)
		c.n2.offer(b)
		c.n1.pool().thick("x", 8)
		c.n1.snapshot("lvs0/x", "s")
		c.equal("names", c.n1.attach(c.n2), []string{"n2n1"})
		c.equal("errors before", c.n2.errors(b), map[string]int{})
		if p := c.n1.copied(c.n1.copyTo("lvs0/s", "n2n1")); p.State == "complete" {
			c.Errorf("a copy to a full store is %+v", p)
		}
		failed := c.n2.errors(b)
		c.equal("some are counted", len(failed) > 0, true)
		c.n2.ok("bdev_lvol_rename", M{"old_name": "lvs0/b", "new_name": "next"})
		c.equal("errors under another name", c.n2.errors(b), failed)
	}},
}
