package contract

import "slices"

var connectedCases = []example{
	{name: "a target tells who is connected", nodes: 2, run: func(c *run) {
		const host = "nqn.2026-01.io.example:h"
		a := c.n1.pool().thin("a", 4)
		c.n1.offer(a)
		c.equal("before", c.n1.hosts(), []string{})
		c.n2.attach(c.n1, M{"hostnqn": host})
		c.equal("while it is connected", c.n1.hosts(), []string{host})
		var pairs []struct {
			HostNQN string `json:"hostnqn"`
			Queue   int    `json:"qid"`
			Peer    struct {
				Address string `json:"traddr"`
			} `json:"peer_address"`
		}
		c.n1.into(&pairs, "nvmf_subsystem_get_qpairs", M{"nqn": c.n1.nqn()})
		if len(pairs) == 0 {
			c.Fatal("it has no connection")
		}
		for _, p := range pairs {
			c.equal("host of a connection", p.HostNQN, host)
			c.equal("it has an address", p.Peer.Address != "", true)
		}
		c.n2.ok("bdev_nvme_detach_controller", M{"name": "n1"})
		c.until("it is forgotten", func() bool { return slices.Equal(c.n1.hosts(), []string{}) })
		c.n1.gives([]string{}, "nvmf_subsystem_get_qpairs", M{"nqn": c.n1.nqn()})
		c.n1.refusals([]refusal{
			{"nvmf_subsystem_get_controllers", M{"nqn": "nqn.2026-01.io.example:none"}, -32602, "Invalid parameters"},
			{"nvmf_subsystem_get_qpairs", M{"nqn": "nqn.2026-01.io.example:none"}, -32602, "Invalid parameters"},
		})
	}},
	{name: "a host that any host was let in with stays until it is listed and refused", nodes: 2, run: func(c *run) {
		const host, other = "nqn.2026-01.io.example:h", "nqn.2026-01.io.example:o"
		a := c.n1.pool().thin("a", 4)
		c.n1.offer(a)
		c.n2.attach(c.n1, M{"name": "a", "hostnqn": host})
		c.n2.attach(c.n1, M{"name": "b", "hostnqn": other})
		c.n1.ok("nvmf_subsystem_add_host", M{"nqn": c.n1.nqn(), "host": host})
		c.n1.ok("nvmf_subsystem_add_host", M{"nqn": c.n1.nqn(), "host": other})
		c.n1.ok("nvmf_subsystem_allow_any_host", M{"nqn": c.n1.nqn(), "allow_any_host": false})
		c.equal("after any host is let in no more", len(c.n1.hosts()), 2)
		c.n1.ok("nvmf_subsystem_remove_host", M{"nqn": c.n1.nqn(), "host": other})
		c.until("it is gone", func() bool { return slices.Equal(c.n1.hosts(), []string{host}) })
	}},
	{name: "controllers of hosts get the numbers that their subsystem is to give", nodes: 2, run: func(c *run) {
		c.n1.ok("nvmf_create_subsystem", M{"nqn": c.n1.nqn(), "allow_any_host": true, "ana_reporting": true, "min_cntlid": 33768, "max_cntlid": 33769})
		sub := c.n1.subsystem(c.n1.nqn())
		c.equal("numbers", []int{sub.MinID, sub.MaxID}, []int{33768, 33769})
		c.n1.ok("nvmf_subsystem_add_listener", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address(), "ana_state": "inaccessible"})
		c.equal("before", c.n1.numbers(), []int{})
		c.n2.attach(c.n1, M{"name": "a", "hostnqn": "nqn.2026-01.io.example:a"})
		c.equal("the first", c.n1.numbers(), []int{33768})
		c.n2.attach(c.n1, M{"name": "b", "hostnqn": "nqn.2026-01.io.example:b"})
		c.equal("the second", c.n1.numbers(), []int{33768, 33769})
		c.n2.ok("bdev_nvme_detach_controller", M{"name": "a"})
		c.until("it is forgotten", func() bool { return slices.Equal(c.n1.numbers(), []int{33769}) })
		c.n2.attach(c.n1, M{"name": "a", "hostnqn": "nqn.2026-01.io.example:a"})
		c.equal("from the first again", c.n1.numbers(), []int{33768, 33769})
	}},
	{name: "numbers of controllers that no subsystem can give", run: func(c *run) {
		create := func(numbers M, says string) refusal {
			return refusal{"nvmf_create_subsystem", with(M{"nqn": c.n1.nqn()}, numbers), -32602, "Invalid cntlid range " + says}
		}
		c.n1.refusals([]refusal{
			create(M{"min_cntlid": 0}, "[0-65519]"),
			create(M{"max_cntlid": 0}, "[1-0]"),
			create(M{"min_cntlid": 9, "max_cntlid": 8}, "[9-8]"),
			create(M{"max_cntlid": 65520}, "[1-65520]"),
			create(M{"min_cntlid": 65520}, "[65520-65519]"),
		})
		c.n1.ok("nvmf_create_subsystem", M{"nqn": c.n1.nqn()})
		sub := c.n1.subsystem(c.n1.nqn())
		c.equal("numbers of one that was told nothing", []int{sub.MinID, sub.MaxID}, []int{1, 65519})
	}},
	{name: "a listener can say from the start that what is there is inaccessible", run: func(c *run) {
		c.n1.ok("nvmf_create_subsystem", M{"nqn": c.n1.nqn(), "ana_reporting": true})
		c.n1.ok("nvmf_subsystem_add_listener", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address(), "ana_state": "inaccessible"})
		var l []struct {
			States []struct {
				State string `json:"ana_state"`
			} `json:"ana_states"`
		}
		c.n1.into(&l, "nvmf_subsystem_get_listeners", M{"nqn": c.n1.nqn()})
		c.equal("state", l[0].States[0].State, "inaccessible")
	}},
}

// hosts are the NQNs of who is connected to the node's subsystem.
func (n *node) hosts() []string {
	n.c.Helper()
	var all []struct {
		HostNQN string `json:"hostnqn"`
	}
	n.into(&all, "nvmf_subsystem_get_controllers", M{"nqn": n.nqn()})
	nqns := []string{}
	for _, h := range all {
		nqns = append(nqns, h.HostNQN)
	}
	return nqns
}

// numbers are those of the controllers that the node's subsystem has.
func (n *node) numbers() []int {
	n.c.Helper()
	var all []struct {
		ID int `json:"cntlid"`
	}
	n.into(&all, "nvmf_subsystem_get_controllers", M{"nqn": n.nqn()})
	ids := []int{}
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	slices.Sort(ids)
	return ids
}
