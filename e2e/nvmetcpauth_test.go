package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"strata/nvmetcp"
)

// key gives the target a key of that name.
func (x *Target) key(name string, k *nvmetcp.Key) {
	x.t.Helper()
	file := filepath.Join(filepath.Dir(x.log), name+".key")
	if err := os.WriteFile(file, []byte(k.Text()), 0o600); err != nil {
		x.t.Fatal(err)
	}
	x.Must("keyring_file_add_key", fmt.Sprintf(`{"name": %q, "path": %q}`, name, file))
}

// TestOurKeys: SPDK and we authenticate to one another, on either end, and do not with
// other keys.
func TestOurKeys(t *testing.T) {
	l := NewLabOf(t, gib, "n1")
	n1 := l.Targets["n1"]
	host, target, other := nvmetcp.NewKey(), nvmetcp.NewKey(), nvmetcp.NewKey()
	n1.key("host", host)
	n1.key("target", target)
	n1.key("other", other)
	layer := n1.store(4)

	disk := &ram{data: make([]byte, len(layer))}
	served := &nvmetcp.Target{}
	at := ours(t, served, int64(len(layer)), disk, host, target)
	attach := func(keys string) error {
		_, err := n1.Call("bdev_nvme_attach_controller", fmt.Sprintf(`{"name": "ours", "trtype": "TCP", "adrfam": "IPv4", "traddr": %q, "trsvcid": %q, "subnqn": %q, "hostnqn": %q%s}`,
			at.Address, at.Port, oursNQN, HostNQN, keys))
		return err
	}
	for _, wrong := range []string{``, `, "dhchap_key": "other"`, `, "dhchap_key": "host", "dhchap_ctrlr_key": "other"`} {
		if attach(wrong) == nil {
			t.Errorf("SPDK with keys %s is let in, or lets itself be deceived", wrong)
		}
	}
	for _, right := range []string{`, "dhchap_key": "host"`, `, "dhchap_key": "host", "dhchap_ctrlr_key": "target"`} {
		clear(disk.data)
		if err := attach(right); err != nil {
			t.Fatalf("SPDK with keys %s: %v", right, err)
		}
		n1.Must("bdev_wait_for_examine", "")
		n1.shallowCopy("lvs/layer", "oursn1", 4)
		n1.Must("bdev_nvme_detach_controller", `{"name": "ours"}`)
		if !bytes.Equal(disk.data, layer) {
			t.Error("what was copied is not the layer")
		}
	}

	n1.Must("nvmf_subsystem_remove_host", fmt.Sprintf(`{"nqn": %q, "host": %q}`, oursNQN, HostNQN))
	n1.Must("nvmf_subsystem_add_host", fmt.Sprintf(`{"nqn": %q, "host": %q, "dhchap_key": "host", "dhchap_ctrlr_key": "target"}`, oursNQN, HostNQN))
	for _, c := range []struct {
		key, target *nvmetcp.Key
		fails       bool
	}{{nil, nil, true}, {other, nil, true}, {host, other, true}, {host, nil, false}, {host, target, false}} {
		h, err := nvmetcp.Connect(t.Context(), "127.0.0.1:"+n1.Port, nvmetcp.HostOptions{HostNQN: HostNQN, Subsystem: oursNQN, Queues: 2, Key: c.key, TargetKey: c.target})
		if c.fails {
			if !errors.Is(err, nvmetcp.ErrAuth) {
				t.Errorf("a host of ours with other keys: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		d, err := h.Open(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(layer))
		if err := d.ReadAt(t.Context(), got, 0); err != nil || !bytes.Equal(got, layer) {
			t.Errorf("it reads something else: %v", err)
		}
		h.Close()
	}
}
