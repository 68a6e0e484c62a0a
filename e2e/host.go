package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// HostNQN is what hosts call themselves.
const HostNQN = "nqn.2014-08.org.nvmexpress:uuid:6a9f1e1c-0000-4000-8000-000000000001"

const mib = 1 << 20

// Pattern is data that is told from any other by its seed.
func Pattern(seed uint64, size int) []byte {
	p := make([]byte, size)
	rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(p)
	return p
}

// call is one line of an SPDK configuration file.
type call struct {
	Method string         `json:"method"`
	Params map[string]any `json:"params,omitempty"`
}

// hostConfig attaches a volume's export as "hostn1", by all of its paths if it has
// several.
func (l *Lab) hostConfig(volume string) (calls []call) {
	nqn, paths := l.paths(volume)
	if l.HostKey != "" {
		calls = append(calls, call{"keyring_file_add_key", map[string]any{"name": "host", "path": l.HostKey}})
	}
	if l.HostPSK != "" {
		calls = append(calls, call{"keyring_file_add_key", map[string]any{"name": "psk", "path": l.HostPSK}})
	}
	for _, x := range paths {
		for _, address := range x.addresses() {
			attach := call{"bdev_nvme_attach_controller", map[string]any{
				"name": "host", "trtype": "TCP", "adrfam": family(address), "traddr": address, "trsvcid": x.Port, "subnqn": nqn, "hostnqn": HostNQN,
				"ctrlr_loss_timeout_sec": -1, "reconnect_delay_sec": 1,
			}}
			if l.HostKey != "" {
				attach.Params["dhchap_key"] = "host"
			}
			if l.HostPSK != "" {
				attach.Params["psk"], attach.Params["trsvcid"] = "psk", x.TLSPort
			}
			if len(paths)+len(x.Also) > 1 {
				attach.Params["multipath"] = "multipath"
			}
			calls = append(calls, attach)
		}
	}
	return calls
}

func family(address string) string {
	if strings.Contains(address, ":") {
		return "IPv6"
	}
	return "IPv4"
}

// config writes an SPDK configuration file.
func (l *Lab) config(name string, calls []call) string {
	l.t.Helper()
	keys := []call{}
	for len(calls) > 0 && strings.HasPrefix(calls[0].Method, "keyring_") {
		keys, calls = append(keys, calls[0]), calls[1:]
	}
	text, err := json.Marshal(map[string]any{"subsystems": []any{
		map[string]any{"subsystem": "keyring", "config": keys}, map[string]any{"subsystem": "bdev", "config": calls},
	}})
	if err != nil {
		l.t.Fatal(err)
	}
	file := filepath.Join(l.Dir, name+".json")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		l.t.Fatal(err)
	}
	return file
}

// program makes a command of an SPDK program with a configuration.
func (l *Lab) program(bin string, calls []call, args ...string) *exec.Cmd {
	return l.programOn(l.bin.HostMask, bin, calls, args...)
}

func (l *Lab) programOn(mask, bin string, calls []call, args ...string) *exec.Cmd {
	name := fmt.Sprintf("host%d", l.programs.Add(1))
	flags := append(appFlags(mask, "512"), "-r", filepath.Join(l.Dir, name+".sock"), "--json", l.config(name, calls))
	cmd := exec.Command(bin, append(flags, args...)...)
	cmd.Dir = l.Dir // where a core would be left
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// dd runs spdk_dd.
func (l *Lab) dd(calls []call, args ...string) {
	l.t.Helper()
	cmd := l.program(l.bin.DD, calls, args...)
	out, err := cmd.CombinedOutput()
	tidy(cmd.Process.Pid)
	if err != nil {
		l.t.Fatalf("spdk_dd %v: %v\n%s", args, err, out)
	}
}

// Write writes data at an offset in MiB through a volume's export.
func (l *Lab) Write(volume string, offset int, data []byte) {
	l.t.Helper()
	l.write(l.hostConfig(volume), offset, data)
}

// write writes to the disk that a host of this configuration has attached.
func (l *Lab) write(calls []call, offset int, data []byte) {
	l.t.Helper()
	file := filepath.Join(l.Dir, "data")
	if err := os.WriteFile(file, data, 0o644); err != nil {
		l.t.Fatal(err)
	}
	l.dd(calls, "--if", file, "--ob", "hostn1", "--bs", fmt.Sprint(mib), "--seek", fmt.Sprint(offset))
}

// Read reads through a volume's export and compares.
func (l *Lab) Read(volume string, offset int, want []byte) {
	l.t.Helper()
	l.compare(l.hostConfig(volume), "hostn1", offset, want, "the export of "+volume)
}

func (l *Lab) compare(calls []call, bdev string, offset int, want []byte, what string) {
	l.t.Helper()
	file := filepath.Join(l.Dir, "read")
	l.dd(calls, "--ib", bdev, "--of", file, "--bs", fmt.Sprint(mib), "--skip", fmt.Sprint(offset), "--count", fmt.Sprint(len(want)/mib))
	got, err := os.ReadFile(file)
	if err != nil {
		l.t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		l.t.Fatalf("%s differs from byte %d on (%d of %d bytes were read)", what, offset*mib+at, len(got), len(want))
	}
}

// disk gives spdk_dd a node's disk; the target must not be running.
func (l *Lab) disk(node string) []call { return diskAt(l.Targets[node].Disk) }

// diskAt is disk of a copy.
func diskAt(file string) []call {
	return []call{
		{"bdev_aio_create", map[string]any{"name": "disk", "filename": file, "block_size": 4096}},
		{"bdev_wait_for_examine", nil},
	}
}

// Replica reads all of an lvol straight from a node's disk, past its target,
// which must not be running, and compares a part of it.
func (l *Lab) Replica(node, alias string, offset int, want []byte) []byte {
	l.t.Helper()
	data := l.whole(node, alias)
	if part := data[offset*mib:]; len(part) < len(want) || !bytes.Equal(part[:len(want)], want) {
		l.t.Errorf("%s/%s does not have at %d MiB what was written there", node, alias, offset)
	}
	return data
}

// Replicas is Replica for all of a volume, which have to be equal from the
// first byte to the last.
func (l *Lab) Replicas(heads map[string]string, offset int, want []byte) {
	l.t.Helper()
	var first []byte
	for _, node := range l.names {
		if heads[node] == "" {
			continue
		}
		data := l.Replica(node, heads[node], offset, want)
		if first != nil && !bytes.Equal(first, data) {
			l.t.Errorf("%s/%s differs from the first replica", node, heads[node])
		}
		first = data
	}
}

func (l *Lab) whole(node, alias string) []byte {
	l.t.Helper()
	file := filepath.Join(l.Dir, "whole")
	l.dd(l.disk(node), "--ib", alias, "--of", file, "--bs", fmt.Sprint(mib))
	data, err := os.ReadFile(file)
	if err != nil {
		l.t.Fatal(err)
	}
	return data
}
