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
