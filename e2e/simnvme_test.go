package e2e

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"strata/nvmetcp"
)

// TestSimServesSPDK: SPDK is a host of a simulated target as it is of a real one: it
// writes, verifies, and finds in a clone of a snapshot what was there before.
func TestSimServesSPDK(t *testing.T) {
	l := NewLabOf(t, gib)
	x := NewTarget(t, l.bin, l.Dir, "n1", gib)
	cmd := exec.Command(strata(t), "sim", "--dir", l.Dir, "--disk-size", "1024", "--nvme", "n1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	Eventually(t, 30*time.Second, "the simulator answers", func() error {
		_, err := x.Call("spdk_get_version", "")
		return err
	})
	layer := x.store(8)
	at := Portal{"127.0.0.1", x.Port}
	l.compare(attachment(at), "hostn1", 0, layer, "the simulated export")
	for _, digests := range [][]string{nil, {"hdgst", "ddgst"}} {
		want := Pattern(9, 3*mib)
		l.write(attachment(at, digests...), 2, want)
		l.compare(attachment(at, digests...), "hostn1", 2, want, "the simulated export")
	}
	x.Must("nvmf_delete_subsystem", `{"nqn": "`+oursNQN+`"}`)
	x.Must("bdev_lvol_clone", `{"snapshot_name": "lvs/layer", "clone_name": "clone"}`)
	x.offer("lvs/clone")
	l.compare(attachment(at), "hostn1", 0, layer, "a clone of what was there before")

	h := x.host("", nvmetcp.HostOptions{})
	x.Must("nvmf_subsystem_remove_host", `{"nqn": "`+oursNQN+`", "host": "`+HostNQN+`"}`)
	select {
	case <-h.Lost():
	case <-time.After(10 * time.Second):
		t.Error("a host that is not listed any more goes on")
	}
	x.Must("nvmf_subsystem_add_host", `{"nqn": "`+oursNQN+`", "host": "`+HostNQN+`"}`)
	if l.bin.Bdevperf == "" {
		t.Log("without BDEVPERF nothing is verified under load")
		return
	}
	load := l.program(l.bin.Bdevperf, attachment(at), "-q", "16", "-o", "16384", "-w", "verify", "-t", "3")
	out, err := load.CombinedOutput()
	tidy(load.Process.Pid)
	if err != nil || !strings.Contains(string(out), "Total  ") {
		t.Errorf("bdevperf: %v\n%s", err, out)
	}
}
