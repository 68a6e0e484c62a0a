package contract

import (
	"fmt"
	"slices"
	"strconv"
)

// Several paths of a controller to a subsystem: another port of the same node is one.
var pathCases = []example{
	{name: "another path under the same name", nodes: 2, run: func(c *run) {
		c.n2.offer(c.n2.pool().thin("b", 8))
		c.n2.alsoListens()
		c.n1.attach(c.n2, forever)
		c.equal("names", c.n1.attach(c.n2, forever, c.n2.otherPath()), []string{"n2n1"})
		c.equal("paths", c.n1.pathStates(), []string{"enabled", "enabled"})
		c.equal("paths of the bdev", c.n1.pathsTo("n2n1"), 2)
		c.n1.refuses(-114, "A controller named n2 already exists with the specified network path", "bdev_nvme_attach_controller", with(c.n2.path(), multi))
		c.n1.refuses(-17, "File exists", "bdev_nvme_attach_controller", with(c.n2.path(), c.n2.otherPath()))
		nobody := by(c, refusal{code: -5, message: "Input/output error"}, refusal{code: -19, message: "No such device"})
		c.n1.refuses(nobody.code, nobody.message, "bdev_nvme_attach_controller", with(c.n2.path(), with(multi, M{"trsvcid": "9"})))
		c.equal("paths after that", c.n1.pathStates(), []string{"enabled", "enabled"})
		c.n2.add(2, c.n2.thin("d", 4))
		c.until("both paths have it", func() bool { return c.n1.pathsTo("n2n2") == 2 })
		c.n2.remove(2)
		c.until("neither has it", func() bool { return !c.n1.has("n2n2") })
		c.n1.ok("bdev_nvme_disable_controller", M{"name": "n2"})
		c.equal("paths", c.n1.pathStates(), []string{"disabled", "disabled"})
		c.n1.ok("bdev_nvme_detach_controller", M{"name": "n2"})
		c.equal("paths", c.n1.pathStates(), []string(nil))
	}},
	{name: "a path is lost, misses what changes, and is attached anew", nodes: 3, run: func(c *run) {
		c.mirrored(forever, multi)
		c.n2.alsoListens()
		c.n1.attach(c.n2, forever, c.n2.otherPath())
		c.n2.add(2, c.n2.thin("d", 4))
		c.until("both paths have it", func() bool { return c.n1.pathsTo("n2n2") == 2 })
		c.n2.ok("nvmf_subsystem_remove_listener", M{"nqn": c.n2.nqn(), "listen_address": c.n2.address()})
		c.until("a path is lost", func() bool { return slices.Contains(c.n1.pathStates(), "reconnect_is_delayed") })
		op := c.write()
		c.equal("the host's write", c.n3.copied(op), progress{8, 8, "complete", ""})
		c.both()
		c.n2.add(3, c.n2.thin("e", 4))
		c.until("the other path has what came", func() bool { return c.n1.pathsTo("n2n3") == 1 })
		c.n2.remove(2)
		c.until("the other path has not what is gone", func() bool { return c.n1.pathsTo("n2n2") == 1 })
		c.n2.ok("nvmf_subsystem_add_listener", M{"nqn": c.n2.nqn(), "listen_address": c.n2.address()})
		c.until("it is back", func() bool { return slices.Equal(c.n1.pathStates(), []string{"enabled", "enabled"}) })
		c.equal("paths to what came", c.n1.pathsTo("n2n3"), 1)
		c.equal("what is gone", []any{c.n1.has("n2n2"), c.n1.pathsTo("n2n2")}, []any{true, 0})
		at := c.n2.address()
		at["name"] = "n2"
		c.n1.ok("bdev_nvme_detach_controller", at)
		c.equal("what is gone", c.n1.has("n2n2"), false)
		c.equal("paths", c.n1.pathStates(), []string{"enabled"})
		c.both()
		c.n1.attach(c.n2, forever, multi)
		c.equal("paths", []int{c.n1.pathsTo("n2n1"), c.n1.pathsTo("n2n3")}, []int{2, 2})
		at = c.n2.otherAddress()
		at["name"] = "n2"
		c.n1.ok("bdev_nvme_detach_controller", at)
		c.both()
	}},
}

// multi says that another path may come under the same name.
var multi = M{"multipath": "multipath"}

// otherAddress is where the node listens besides, alsoListens has it do so, and otherPath are
// the parameters of attaching there, beside those of path.
func (n *node) otherAddress() M {
	port, err := strconv.Atoi(n.target.Port())
	if err != nil {
		n.c.Fatal(err)
	}
	return with(n.address(), M{"trsvcid": fmt.Sprint(port + 1000)})
}

func (n *node) alsoListens() {
	n.c.Helper()
	n.ok("nvmf_subsystem_add_listener", M{"nqn": n.nqn(), "listen_address": n.otherAddress()})
}

func (n *node) otherPath() M { return with(multi, M{"trsvcid": n.otherAddress()["trsvcid"]}) }

// pathStates are those of the paths of controller n2, in the order in which they were attached.
func (n *node) pathStates() (states []string) {
	n.c.Helper()
	var all []struct {
		Name  string `json:"name"`
		Paths []struct {
			State string `json:"state"`
		} `json:"ctrlrs"`
	}
	n.into(&all, "bdev_nvme_get_controllers", nil)
	for _, c := range all {
		for _, p := range c.Paths {
			if c.Name == "n2" {
				states = append(states, p.State)
			}
		}
	}
	return states
}

// pathsTo counts the paths to a bdev; 0 where there is none of that name, too.
func (n *node) pathsTo(bdev string) int {
	n.c.Helper()
	var all []struct {
		Name   string `json:"name"`
		Driver struct {
			NVMe []struct{} `json:"nvme"`
		} `json:"driver_specific"`
	}
	n.into(&all, "bdev_get_bdevs", nil)
	for _, b := range all {
		if b.Name == bdev {
			return len(b.Driver.NVMe)
		}
	}
	return 0
}
