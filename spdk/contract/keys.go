package contract

import (
	"os"
	"path/filepath"
	"slices"

	"strata/nvmetcp"
)

// keyFile makes a key in a file that nobody else may read.
func (c *run) keyFile(name string) string {
	c.Helper()
	path := filepath.Join(c.TempDir(), name)
	if err := os.WriteFile(path, []byte(nvmetcp.NewKey().Text()), 0o600); err != nil {
		c.Fatal(err)
	}
	return path
}

type listedHost struct {
	NQN     string
	Key     string `json:"dhchap_key"`
	CtrlKey string `json:"dhchap_ctrlr_key"`
}

func (c *run) hostsOf(n *node) []listedHost {
	c.Helper()
	var subs []struct{ Hosts []listedHost }
	n.into(&subs, "nvmf_get_subsystems", M{"nqn": n.nqn()})
	return subs[0].Hosts
}

var keyCases = []example{
	{name: "keyring", run: func(c *run) {
		a, b := c.keyFile("a"), c.keyFile("b")
		add := func(name, path string) M { return M{"name": name, "path": path} }
		c.n1.ok("keyring_file_add_key", add("lab.x./"+a, a))
		c.n1.refusals([]refusal{
			{"keyring_file_add_key", add("lab.x./"+a, b), -17, "File exists"},
			{"keyring_file_add_key", add("with:colon", b), -22, "Invalid argument"},
			{"keyring_file_add_key", add("relative", "b"), -1, "Operation not permitted"},
			{"keyring_file_add_key", add("missing", b+"x"), -2, "No such file or directory"},
			{"keyring_file_remove_key", M{"name": "other"}, -126, "Required key not available"},
		})
		if err := os.Chmod(b, 0o644); err != nil {
			c.Fatal(err)
		}
		c.n1.refuses(-1, "Operation not permitted", "keyring_file_add_key", add("read by others", b))
		var keys []struct {
			Name, Path string
			Removed    bool
		}
		c.n1.into(&keys, "keyring_get_keys", nil)
		c.equal("keys", len(keys), 1)
		c.equal("path", keys[0].Path, a)
		c.equal("name", keys[0].Name, "lab.x./"+a)
		c.n1.ok("keyring_file_remove_key", M{"name": "lab.x./" + a})
		c.n1.into(&keys, "keyring_get_keys", nil)
		c.equal("keys", len(keys), 0)
	}},
	{name: "keys of hosts", nodes: 2, run: func(c *run) {
		const host = "nqn.2026-01.io.example:h"
		files := map[string]string{"host": c.keyFile("host"), "ctrlr": c.keyFile("ctrlr"), "new": c.keyFile("new")}
		for name, path := range files {
			c.n1.ok("keyring_file_add_key", M{"name": name, "path": path})
			c.n2.ok("keyring_file_add_key", M{"name": name, "path": path})
		}
		c.n1.offer(c.n1.pool().thin("a", 4))
		c.n1.ok("nvmf_subsystem_allow_any_host", M{"nqn": c.n1.nqn(), "allow_any_host": false})
		of := func(more M) M { return with(M{"nqn": c.n1.nqn(), "host": host}, more) }
		c.n1.refusals([]refusal{
			{"nvmf_subsystem_add_host", of(M{"dhchap_key": "none"}), -32602, "Invalid parameters"},
			{"nvmf_subsystem_add_host", of(M{"dhchap_ctrlr_key": "ctrlr"}), -32603, "Internal error"},
			{"nvmf_subsystem_set_keys", of(M{"dhchap_key": "host"}), -22, "Invalid argument"},
		})
		c.n1.ok("nvmf_subsystem_add_host", of(M{"dhchap_key": "host", "dhchap_ctrlr_key": "ctrlr"}))
		c.equal("hosts", c.hostsOf(c.n1), []listedHost{{host, "host", "ctrlr"}})
		attach := func(more M) M { return with(with(c.n1.path(), M{"hostnqn": host}), more) }
		c.n2.refusals([]refusal{
			{"bdev_nvme_attach_controller", attach(nil), -5, "Input/output error"},
			{"bdev_nvme_attach_controller", attach(M{"dhchap_key": "new"}), -5, "Input/output error"},
			{"bdev_nvme_attach_controller", attach(M{"dhchap_key": "host", "dhchap_ctrlr_key": "new"}), -5, "Input/output error"},
			{"bdev_nvme_attach_controller", attach(M{"dhchap_key": "none"}), -126, "Required key not available"},
		})
		c.n2.attach(c.n1, M{"hostnqn": host}, M{"dhchap_key": "host", "dhchap_ctrlr_key": "ctrlr"})
		c.n1.refuses(-22, "Invalid argument", "nvmf_subsystem_set_keys", of(M{"dhchap_ctrlr_key": "ctrlr"}))
		c.n1.refuses(-32602, "Invalid parameters", "nvmf_subsystem_set_keys", of(M{"dhchap_key": "none"}))

		// Rotation: the target first. The connection stays, and uses the new key from then on.
		c.n1.ok("nvmf_subsystem_set_keys", of(M{"dhchap_key": "new"}))
		c.equal("hosts", c.hostsOf(c.n1), []listedHost{{host, "new", ""}})
		c.equal("controllers", c.n2.controllerStates(), []string{"enabled"})
		c.n2.ok("bdev_nvme_set_keys", M{"name": "n1", "dhchap_key": "new"})
		c.equal("controllers", c.n2.controllerStates(), []string{"enabled"})
		c.n2.ok("bdev_nvme_detach_controller", M{"name": "n1"})
		c.n2.attach(c.n1, M{"hostnqn": host}, M{"dhchap_key": "new"})
		c.n2.ok("bdev_nvme_detach_controller", M{"name": "n1"})

		// The file is read whenever somebody authenticates.
		if err := os.WriteFile(files["new"], []byte(nvmetcp.NewKey().Text()), 0o600); err != nil {
			c.Fatal(err)
		}
		c.n2.attach(c.n1, M{"hostnqn": host}, M{"dhchap_key": "new"})
		c.n2.ok("bdev_nvme_detach_controller", M{"name": "n1"})

		// Without keys it need not authenticate any more.
		c.n1.ok("nvmf_subsystem_set_keys", of(nil))
		c.equal("hosts", c.hostsOf(c.n1), []listedHost{{host, "", ""}})
		c.n2.attach(c.n1, M{"hostnqn": host})
	}},
	{name: "keys of controllers", nodes: 2, only: stock, run: func(c *run) {
		const host = "nqn.2026-01.io.example:h"
		files := map[string]string{"its host": c.keyFile("host"), "its ctrlr": c.keyFile("ctrlr"), "its new": c.keyFile("new")}
		know := func(n *node) {
			for name, path := range files {
				n.ok("keyring_file_add_key", M{"name": name, "path": path})
			}
		}
		both := M{"dhchap_key": "its host", "dhchap_ctrlr_key": "its ctrlr"}
		of := func(more M) M { return with(M{"nqn": c.n1.nqn(), "host": host}, more) }
		let := func(keys M) {
			c.n1.ok("nvmf_create_subsystem", M{"nqn": c.n1.nqn(), "ana_reporting": true, "max_namespaces": 64})
			c.n1.ok("nvmf_subsystem_add_host", of(keys))
			c.n1.ok("nvmf_subsystem_add_listener", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address()})
		}
		told := func(keys M) M { return with(M{"name": "n1"}, keys) }
		state := func(want string) func() bool {
			return func() bool { return slices.Equal(c.n2.controllerStates(), []string{want}) }
		}
		killed := func() {
			c.kill(c.n1)
			c.until("the loss is seen", state("reconnect_is_delayed"))
			c.start(c.n1)
			c.n1.ok("nvmf_create_transport", M{"trtype": "TCP"})
			know(c.n1)
		}

		// One that is connected is told of keys, its target first: it proves itself at once.
		know(c.n1)
		know(c.n2)
		let(nil)
		c.n2.attach(c.n1, forever, M{"hostnqn": host})
		c.n1.ok("nvmf_subsystem_set_keys", of(both))
		c.n2.ok("bdev_nvme_set_keys", told(both))
		c.equal("controllers", c.n2.controllerStates(), []string{"enabled"})
		c.n2.refuses(-126, "Required key not available", "bdev_nvme_set_keys", told(M{"dhchap_key": "none"}))
		c.n2.refuses(-19, "No such device", "bdev_nvme_set_keys", M{"name": "other"})

		// It comes back with these.
		killed()
		let(both)
		c.until("it is back", state("enabled"))

		// It is told to prove nothing while its peer is away, and so comes back to one that asks for nothing.
		c.kill(c.n1)
		c.until("the loss is seen", state("reconnect_is_delayed"))
		c.n2.ok("bdev_nvme_set_keys", told(nil))
		c.start(c.n1)
		c.n1.ok("nvmf_create_transport", M{"trtype": "TCP"})
		let(nil)
		c.until("it is back", state("enabled"))

		// What has failed once fails with whatever keys, until nothing is to be proved.
		know(c.n1)
		c.n1.ok("nvmf_subsystem_set_keys", of(both))
		c.n2.refuses(-13, "Permission denied", "bdev_nvme_set_keys", told(M{"dhchap_key": "its new"}))
		c.until("it is lost", func() bool { return !state("enabled")() })
		c.n1.ok("nvmf_subsystem_set_keys", of(nil))
		c.n2.ok("bdev_nvme_set_keys", told(nil))
		c.until("it is back", state("enabled"))
		c.n1.ok("nvmf_subsystem_set_keys", of(both))
		c.n2.refuses(-13, "Permission denied", "bdev_nvme_set_keys", told(both))
	}},
}

// controllerStates are those of all paths of controllers.
func (n *node) controllerStates() (states []string) {
	n.c.Helper()
	var all []struct{ Ctrlrs []struct{ State string } }
	n.into(&all, "bdev_nvme_get_controllers", nil)
	for _, x := range all {
		for _, p := range x.Ctrlrs {
			states = append(states, p.State)
		}
	}
	return states
}
