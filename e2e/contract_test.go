package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"strata/spdk"
	"strata/spdk/contract"
)

var record = flag.Bool("record", false, "write testdata/transcripts/contract-<build>.jsonl")

// TestContract: a real target does what package contract says.
func TestContract(t *testing.T) { keepContract(t, "SPDK_TGT", "v26.05") }

// TestContractLonghorn is the same for Longhorn's fork.
func TestContractLonghorn(t *testing.T) { keepContract(t, "SPDK_TGT_LONGHORN", "longhorn-v24.09") }

func keepContract(t *testing.T, env, build string) {
	bin := Binaries{Target: os.Getenv(env), CPUMask: cmp.Or(os.Getenv("SPDK_CPUMASK"), "0x1")}
	if bin.Target == "" {
		t.Skipf("needs a real target: set %s to the path of spdk_tgt", env)
	}
	dir, err := os.MkdirTemp("", "e2e") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l := &contractLab{bin: bin, dir: dir, all: t}
	if l.net, err = newHub(t); err != nil {
		t.Logf("no power over the network, cases that need it are skipped: %v", err)
	}
	var transcript bytes.Buffer
	if *record {
		var names []string
		for i := range l.nodes {
			l.node(i)
			n := l.nodes[i].Name
			names = append(names, l.nodes[i].Disk(), "disks/"+n+".img", `"trsvcid":"`+l.nodes[i].Port()+`"`, `"trsvcid":"442`+n[1:]+`"`,
				`"traddr":"`+l.nodes[i].Address()+`"`, `"traddr":"127.0.0.1"`)
		}
		l.rec = contract.NewRecorder(&transcript, names...)
	}
	contract.Run(t, l)
	if !*record {
		return
	}
	if err := l.rec.Err(); err != nil {
		t.Fatal(err)
	}
	if t.Failed() {
		t.Log("not recorded: the target does not keep the contract")
		return
	}
	path := filepath.Join("..", "testdata", "transcripts", "contract-"+build+".jsonl")
	if err := os.WriteFile(path, transcript.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// contractLab keeps its targets running from case to case and empties them in
// between.
type contractLab struct {
	bin   Binaries
	dir   string
	all   *testing.T // ends after every case
	rec   *contract.Recorder
	net   *hub // nil without the rights to make one
	nodes [3]*contractTarget
}

func (l *contractLab) Do(t *testing.T, f func(*testing.T)) { f(t) }

// Slack allows for a machine that has much else to do.
func (l *contractLab) Slack() time.Duration { return 8 * time.Second }

func (l *contractLab) Recorder() *contract.Recorder { return l.rec }

func (l *contractLab) Fresh(t *testing.T, n int) []contract.Target {
	t.Helper()
	targets := make([]contract.Target, n)
	for i := range targets {
		x := l.node(i)
		x.spoilt = x.spoilt || x.leans()
	}
	for i := range targets {
		x := l.node(i)
		if t.Cleanup(func() { x.spoilt = x.spoilt || t.Failed() }); x.spoilt || !x.empty() {
			x.Target.Kill()
		}
		if x.cmd == nil {
			x.Launch()
		}
		targets[i] = x
	}
	for i := range targets {
		x := l.nodes[i]
		x.Ready()
		x.spoilt = false
		x.blank()
		if string(x.Must("nvmf_get_transports", "")) == "[]" {
			x.Must("nvmf_create_transport", `{"trtype":"TCP"}`)
		}
	}
	return targets
}

func (l *contractLab) node(i int) *contractTarget {
	if l.nodes[i] == nil {
		name := "n" + string(rune('1'+i))
		x := &contractTarget{Target: NewTarget(l.all, l.bin, l.dir, name, contractDisk), net: l.net}
		if l.net != nil {
			if err := l.net.join(name); err != nil {
				l.all.Fatal(err)
			}
			x.Space = l.net.space(name)
		}
		l.nodes[i] = x
	}
	return l.nodes[i]
}

const contractDisk = 1 << 30

// contractTarget is a real target that cases may kill and freeze.
type contractTarget struct {
	*Target
	net      *hub
	spoilt   bool // not worth emptying
	vanished bool
}

func (x *contractTarget) Client() *spdk.Client    { return x.client }
func (x *contractTarget) Dial() (net.Conn, error) { return net.Dial("unix", x.Socket) }
func (x *contractTarget) Disk() string            { return x.Target.Disk }
func (x *contractTarget) Port() string            { return x.Target.Port }

func (x *contractTarget) Copy(to contract.Target) string {
	path := to.Disk() + ".copy"
	if out, err := exec.Command("cp", "--sparse=always", x.Target.Disk, path).CombinedOutput(); err != nil {
		x.t.Fatalf("%v: %s", err, out)
	}
	return path
}

func (x *contractTarget) Address() string {
	if x.net == nil {
		return "127.0.0.1"
	}
	return x.net.address(x.Name)
}

// Vanish also leaves behind what emptying might wait for.
func (x *contractTarget) Vanish(on bool) bool {
	if x.net == nil {
		return false
	}
	if x.spoilt = true; on != x.vanished {
		x.vanished = on
		x.net.vanish(x.Name, on)
	}
	return true
}

func (x *contractTarget) Start() {
	x.Launch()
	x.Ready()
}

// Freeze leaves behind what emptying might wait for.
func (x *contractTarget) Freeze() {
	x.spoilt = true
	x.Target.Freeze()
}

// Crashed waits for the target to end by itself.
func (x *contractTarget) Crashed() bool {
	giveUp := time.AfterFunc(time.Minute, func() { x.cmd.Process.Signal(syscall.SIGTERM) })
	x.cmd.Wait()
	if !giveUp.Stop() {
		return false
	}
	how := x.cmd.ProcessState.Sys().(syscall.WaitStatus)
	x.t.Logf("%s has ended by itself, as expected: %v%s", x.Name, x.cmd.ProcessState, x.backtrace())
	x.cleanUp()
	return how.Signaled()
}

// blank makes the disk read zeroes everywhere, and removes a copy beside it.
func (x *contractTarget) blank() {
	os.Remove(x.Target.Disk + ".copy")
	for _, size := range []int64{0, contractDisk} {
		if err := os.Truncate(x.Target.Disk, size); err != nil {
			x.t.Fatal(err)
		}
	}
}

// leans says whether an lvol stands on what another target offers: to delete it
// once that is gone ends the target.
func (x *contractTarget) leans() bool {
	if x.cmd == nil {
		return false
	}
	raw, err := x.Call("bdev_lvol_get_lvols", "")
	return err != nil || strings.Contains(string(raw), `"is_esnap_clone":true`)
}

// empty removes everything but the transport, takes options back to what they
// are at first, and says whether that worked.
// A target that is not running is empty.
func (x *contractTarget) empty() bool {
	if x.cmd == nil {
		return true
	}
	answered := true
	each := func(list, params, remove, key, as string) {
		var all []map[string]any
		if raw, err := x.Call(list, params); err == nil && json.Unmarshal(raw, &all) == nil {
			for _, o := range all {
				if name, ok := o[key].(string); ok && !strings.HasSuffix(name, ".discovery") {
					b, _ := json.Marshal(map[string]string{as: name})
					_, err := x.Call(remove, string(b))
					answered = answered && spdk.ClassOf(err) != spdk.Unknown // or it is under way still
				}
			}
		}
	}
	each("nvmf_get_subsystems", "", "nvmf_delete_subsystem", "nqn", "nqn")
	each("bdev_get_bdevs", "", "bdev_crypto_delete", "name", "name")
	each("accel_crypto_keys_get", "", "accel_crypto_key_destroy", "name", "key_name")
	each("bdev_raid_get_bdevs", `{"category":"all"}`, "bdev_raid_delete", "name", "name")
	each("bdev_lvol_get_lvstores", "", "bdev_lvol_delete_lvstore", "uuid", "uuid")
	each("bdev_nvme_get_controllers", "", "bdev_nvme_disable_controller", "name", "name")
	each("bdev_nvme_get_controllers", "", "bdev_nvme_detach_controller", "name", "name")
	for _, kind := range []string{"null", "malloc", "aio"} {
		each("bdev_get_bdevs", "", "bdev_"+kind+"_delete", "name", "name")
	}
	if _, err := x.Call("bdev_nvme_set_options", `{"bdev_retry_count":3,"transport_ack_timeout":0,"timeout_us":0}`); err != nil {
		return false
	}
	if !answered {
		return false
	}
	for _, list := range []string{"bdev_get_bdevs", "bdev_lvol_get_lvstores", "bdev_nvme_get_controllers"} {
		if raw, err := x.Call(list, ""); err != nil || string(raw) != "[]" {
			return false
		}
	}
	return true
}
