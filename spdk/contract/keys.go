package contract

import (
	"os"
	"path/filepath"

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
