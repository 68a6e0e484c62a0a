package contract

import (
	"os"
	"path/filepath"
	"slices"

	"strata/nvmetcp"
)

// pskFile makes a key of TLS in a file that nobody else may read.
func (c *run) pskFile(name, text string) string {
	c.Helper()
	path := filepath.Join(c.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
	return path
}

// madeWith is what the configuration of a target says of a subsystem's hosts and listeners.
func (n *node) madeWith(nqn string) (psks map[string]string, secure map[string]bool) {
	n.c.Helper()
	var calls []struct {
		Method string
		Params struct {
			NQN, Host, PSK string
			Address        struct{ Trsvcid string } `json:"listen_address"`
			Secure         bool                     `json:"secure_channel"`
		}
	}
	n.into(&calls, "framework_get_config", M{"name": "nvmf"})
	psks, secure = map[string]string{}, map[string]bool{}
	for _, x := range calls {
		switch {
		case x.Params.NQN != nqn:
		case x.Method == "nvmf_subsystem_add_host":
			psks[x.Params.Host] = x.Params.PSK
		case x.Method == "nvmf_subsystem_add_listener":
			secure[x.Params.Address.Trsvcid] = x.Params.Secure
		}
	}
	return psks, secure
}

var tlsCases = []example{
	{name: "hosts by TLS", nodes: 2, only: stock, run: func(c *run) {
		const host = "nqn.2026-01.io.example:h"
		first := nvmetcp.NewPSK().Text()
		for name, text := range map[string]string{"tls first": first, "tls second": nvmetcp.NewPSK().Text(), "tls line": first + "\n", "tls none": "none"} {
			path := c.pskFile(name, text)
			c.n1.ok("keyring_file_add_key", M{"name": name, "path": path})
			c.n2.ok("keyring_file_add_key", M{"name": name, "path": path})
		}
		c.n1.ok("nvmf_create_subsystem", M{"nqn": c.n1.nqn(), "ana_reporting": true})
		c.n1.add(1, c.n1.pool().thin("a", 4))
		of := func(more M) M { return with(M{"nqn": c.n1.nqn(), "host": host}, more) }
		secret := M{"nqn": c.n1.nqn(), "listen_address": c.n1.address(), "secure_channel": true}

		// The file has the key to the byte, and is read as the host is let in.
		c.n1.refusals([]refusal{
			{"nvmf_subsystem_add_host", of(M{"psk": "tls none"}), -32603, "Internal error"},
			{"nvmf_subsystem_add_host", of(M{"psk": "tls line"}), -32603, "Internal error"},
			{"nvmf_subsystem_add_host", of(M{"psk": "tls other"}), -32603, "Internal error"},
		})
		c.n1.ok("nvmf_subsystem_allow_any_host", M{"nqn": c.n1.nqn(), "allow_any_host": true})
		c.n1.refuses(-32603, "Cannot establish secure channel, when 'allow_any_host' is set", "nvmf_subsystem_add_listener", secret)
		c.n1.ok("nvmf_subsystem_allow_any_host", M{"nqn": c.n1.nqn(), "allow_any_host": false})
		c.n1.ok("nvmf_subsystem_add_host", of(M{"psk": "tls first"}))
		c.n1.ok("nvmf_subsystem_add_listener", secret)

		// Only the configuration tells.
		c.equal("hosts", c.hostsOf(c.n1), []listedHost{{NQN: host}})
		psks, secure := c.n1.madeWith(c.n1.nqn())
		c.equal("keys", psks, map[string]string{host: "tls first"})
		c.equal("listeners", secure, map[string]bool{c.n1.target.Port(): true})
		c.n1.refuses(-32602, "Subsystem 'other' not found", "framework_get_config", M{"name": "other"})

		attach := func(more M) M { return with(with(c.n1.path(), M{"hostnqn": host}), more) }
		c.n2.refusals([]refusal{
			{"bdev_nvme_attach_controller", attach(nil), -5, "Input/output error"},
			{"bdev_nvme_attach_controller", attach(M{"psk": "tls second"}), -5, "Input/output error"},
			{"bdev_nvme_attach_controller", attach(M{"psk": "tls other"}), -126, "Required key not available"},
		})
		waits := M{"hostnqn": host, "ctrlr_loss_timeout_sec": -1, "reconnect_delay_sec": 1, "fast_io_fail_timeout_sec": 0}
		c.n2.attach(c.n1, waits, M{"psk": "tls first"})

		// A host that is listed has the key that it has: it is taken off the list, which ends its connections,
		// and put there again. One with the former key waits, and is back once that counts again.
		state := func(want string) func() bool {
			return func() bool { return slices.Equal(c.n2.controllerStates(), []string{want}) }
		}
		c.n1.refuses(-32603, "Internal error", "nvmf_subsystem_add_host", of(M{"psk": "tls second"}))
		c.n1.ok("nvmf_subsystem_set_keys", of(nil))
		psks, _ = c.n1.madeWith(c.n1.nqn())
		c.equal("keys", psks, map[string]string{host: "tls first"})
		c.equal("controllers", c.n2.controllerStates(), []string{"enabled"})
		c.n1.ok("nvmf_subsystem_remove_host", of(nil))
		c.n1.ok("nvmf_subsystem_add_host", of(M{"psk": "tls second"}))
		c.until("it is refused", state("reconnect_is_delayed"))
		c.n1.ok("nvmf_subsystem_remove_host", of(nil))
		c.n1.ok("nvmf_subsystem_add_host", of(M{"psk": "tls first"}))
		c.until("it is back", state("enabled"))
		c.n2.ok("bdev_nvme_detach_controller", M{"name": "n1"})

		// A key that is in use is taken out of the keyring; the configuration has its name still.
		c.n1.ok("keyring_file_remove_key", M{"name": "tls first"})
		psks, _ = c.n1.madeWith(c.n1.nqn())
		c.equal("keys", psks, map[string]string{host: "tls first"})

		// What listens at the address is of TLS from then on, whatever it was made with.
		const other = "nqn.2026-01.io.example:other"
		c.n1.ok("nvmf_create_subsystem", M{"nqn": other, "allow_any_host": true})
		c.n1.ok("nvmf_subsystem_add_listener", M{"nqn": other, "listen_address": c.n1.address()})
		c.n2.refuses(-5, "Input/output error", "bdev_nvme_attach_controller", with(attach(nil), M{"subnqn": other}))
		_, secure = c.n1.madeWith(other)
		c.equal("listeners", secure, map[string]bool{c.n1.target.Port(): false})
	}},
	{name: "no TLS where it is begun without", nodes: 2, only: stock, run: func(c *run) {
		const host, other = "nqn.2026-01.io.example:h", "nqn.2026-01.io.example:other"
		path := c.pskFile("psk", nvmetcp.NewPSK().Text())
		c.n1.ok("keyring_file_add_key", M{"name": "tls psk", "path": path})
		c.n2.ok("keyring_file_add_key", M{"name": "tls psk", "path": path})
		c.n1.ok("nvmf_create_subsystem", M{"nqn": other})
		c.n1.ok("nvmf_subsystem_add_listener", M{"nqn": other, "listen_address": c.n1.address()})
		c.n1.ok("nvmf_create_subsystem", M{"nqn": c.n1.nqn(), "ana_reporting": true})
		c.n1.add(1, c.n1.pool().thin("a", 4))
		c.n1.ok("nvmf_subsystem_add_host", M{"nqn": c.n1.nqn(), "host": host, "psk": "tls psk"})

		// It is told to be of TLS, and is not, also when nobody else listens there any more.
		c.n1.ok("nvmf_subsystem_add_listener", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address(), "secure_channel": true})
		c.n1.ok("nvmf_subsystem_remove_listener", M{"nqn": other, "listen_address": c.n1.address()})
		_, secure := c.n1.madeWith(c.n1.nqn())
		c.equal("listeners", secure, map[string]bool{c.n1.target.Port(): true})
		attach := with(c.n1.path(), M{"hostnqn": host})
		c.n2.refuses(-5, "Input/output error", "bdev_nvme_attach_controller", with(attach, M{"psk": "tls psk"}))
		c.n2.attach(c.n1, M{"hostnqn": host})
		c.n2.ok("bdev_nvme_detach_controller", M{"name": "n1"})

		// Made again once nobody listens, it is.
		c.n1.ok("nvmf_subsystem_remove_listener", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address()})
		c.n1.ok("nvmf_subsystem_add_listener", M{"nqn": c.n1.nqn(), "listen_address": c.n1.address(), "secure_channel": true})
		c.n2.refuses(-5, "Input/output error", "bdev_nvme_attach_controller", attach)
		c.n2.attach(c.n1, M{"hostnqn": host, "psk": "tls psk"})
	}},
	{name: "buffers for TLS", only: stock, run: func(c *run) {
		var o struct {
			Receive int `json:"recv_buf_size"`
			Send    int `json:"send_buf_size"`
		}
		c.n1.into(&o, "sock_impl_get_options", M{"impl_name": "ssl"})
		c.equal("buffers", []int{o.Receive, o.Send}, []int{4096, 4096})
		c.n1.refuses(-32602, "Invalid parameters", "sock_impl_get_options", M{"impl_name": "other"})
	}},
}
