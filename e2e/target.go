package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"strata/lineage"
	"strata/spdk"
)

// Target is a real spdk_tgt with one disk.
type Target struct {
	Name    string
	Socket  string
	RPC     string   // where strata is told to reach it: Socket unless something stands between
	Disk    string   // file
	Address string   // of its NVMe-oF listeners
	Also    []string // its other addresses
	Port    string
	TLSPort string
	Space   string // network namespace it runs in, "" for that of the test

	t      testing.TB
	bin    Binaries
	log    string
	cmd    *exec.Cmd // nil while it is not running
	client *spdk.Client
}

// NewTarget makes a target that is not running yet, with everything of its in dir.
func NewTarget(t testing.TB, bin Binaries, dir, name string, diskSize int64) *Target {
	t.Helper()
	x := &Target{
		Name: name, Socket: filepath.Join(dir, name+".sock"), Disk: filepath.Join(dir, name+".disk"), Address: "127.0.0.1", Port: freePort(t), TLSPort: freePort(t),
		t: t, bin: bin, log: filepath.Join(dir, name+".log"),
	}
	x.RPC = "unix://" + x.Socket
	x.NewDisk(diskSize)
	client, err := spdk.New("unix://"+x.Socket, spdk.Options{Timeout: 60 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	x.client = client
	t.Cleanup(func() {
		x.Kill()
		client.Close()
		if t.Failed() {
			x.showLog()
		}
	})
	return x
}

// NewDisk makes its disk one that nothing was ever written to.
func (x *Target) NewDisk(size int64) {
	x.t.Helper()
	if err := os.WriteFile(x.Disk, nil, 0o600); err != nil {
		x.t.Fatal(err)
	}
	if err := os.Truncate(x.Disk, size); err != nil {
		x.t.Fatal(err)
	}
}

// Launch starts the process, with nothing but its disk, and does not wait.
func (x *Target) Launch() {
	x.t.Helper()
	if x.cmd != nil {
		x.t.Fatalf("%s is running already", x.Name)
	}
	log, err := os.OpenFile(x.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		x.t.Fatal(err)
	}
	defer log.Close()
	line := append([]string{x.bin.Target, "-r", x.Socket}, appFlags(x.bin.CPUMask, "1024")...)
	if x.Space != "" {
		line = append([]string{"ip", "netns", "exec", x.Space}, line...)
	}
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = filepath.Dir(x.log) // where a core would be left
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		x.t.Fatal(err)
	}
	x.cmd = cmd
}

// appFlags are those of every SPDK program: no hugepages, a core that others
// may use, too.
func appFlags(cpuMask, memoryMiB string) []string {
	return []string{"--no-huge", "-s", memoryMiB, "-m", cpuMask, "--iova-mode=va", "--disable-cpumask-locks"}
}

// Ready waits until the target answers.
func (x *Target) Ready() {
	x.t.Helper()
	Eventually(x.t, 60*time.Second, x.Name+" answers", func() error {
		if x.cmd.ProcessState != nil {
			return fmt.Errorf("it has ended: %v", x.cmd.ProcessState)
		}
		_, err := x.Call("spdk_get_version", "")
		return err
	})
}

// Kill ends the target as a power failure does. It is harmless when it is not running.
func (x *Target) Kill() { x.end(syscall.SIGKILL) }

// Stop asks the target to end, and waits until it has.
func (x *Target) Stop() { x.end(syscall.SIGTERM) }

// Ended says whether the target has ended by itself; then it can be launched again.
func (x *Target) Ended() bool {
	if x.cmd == nil || !x.zombie() {
		return false
	}
	x.cmd.Wait()
	x.t.Logf("%s has ended by itself: %v%s", x.Name, x.cmd.ProcessState, x.backtrace())
	x.cleanUp()
	return true
}

// zombie says whether the process has ended and nobody has waited for it.
func (x *Target) zombie() bool {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", x.cmd.Process.Pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "Z")
}

func (x *Target) end(sig syscall.Signal) {
	if x.cmd == nil {
		return
	}
	x.cmd.Process.Signal(sig)
	x.cmd.Wait()
	if how := x.cmd.ProcessState; how.Sys().(syscall.WaitStatus).Signal() != sig && !how.Success() {
		x.t.Errorf("%s had ended by itself: %v%s", x.Name, how, x.backtrace())
	}
	x.cleanUp()
}

// cleanUp removes what a target that has ended leaves behind.
func (x *Target) cleanUp() {
	tidy(x.cmd.Process.Pid)
	os.Remove(x.Socket)
	os.Remove(x.Socket + ".lock")
	x.cmd = nil
}

// Freeze stops the process while its kernel goes on; Thaw lets it go on.
func (x *Target) Freeze() { x.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (x *Target) Thaw() { x.cmd.Process.Signal(syscall.SIGCONT) }

// tidy removes what an SPDK program of that process id leaves behind.
func tidy(pid int) {
	left, _ := filepath.Glob(fmt.Sprintf("/dev/shm/*_trace.pid%d", pid))
	for _, f := range append(left, fmt.Sprintf("/var/run/dpdk/spdk_pid%d", pid)) {
		os.RemoveAll(f)
	}
}

// Call makes one call past strata. params is JSON, or empty. An lvstore of a
// pool is called in it as plans do.
func (x *Target) Call(method, params string) (json.RawMessage, error) {
	if strings.Contains(params, `"e2e.fast`) {
		var stores []spdk.Lvstore
		if err := x.client.Round(context.Background(), spdk.GetLvstores(&stores)); err != nil {
			return nil, err
		}
		for _, lvs := range stores {
			if s, ok := lineage.ParseStore(lvs.Name); ok && s.ID != "" {
				plain := s.Cluster.Lvstore(s.Pool)
				params = strings.NewReplacer(`"`+plain+`"`, `"`+lvs.Name+`"`, `"`+plain+`/`, `"`+lvs.Name+`/`).Replace(params)
			}
		}
	}
	var result json.RawMessage
	req := &spdk.Req{Method: method, Result: &result}
	if params != "" {
		req.Params = json.RawMessage(params)
	}
	if err := x.client.Round(context.Background(), req); err != nil {
		return nil, err
	}
	return result, req.Err
}

// Must is Call for what has to succeed.
func (x *Target) Must(method, params string) json.RawMessage {
	x.t.Helper()
	result, err := x.Call(method, params)
	if err != nil {
		x.t.Fatalf("%s: %s %s: %v", x.Name, method, params, err)
	}
	return result
}

// Into decodes the result of a call that has to succeed.
func (x *Target) Into(v any, method, params string) {
	x.t.Helper()
	if err := json.Unmarshal(x.Must(method, params), v); err != nil {
		x.t.Fatalf("%s: %s: %v", x.Name, method, err)
	}
}

// try is Into for what may fail, from any goroutine.
func (x *Target) try(v any, method string) error {
	result, err := x.Call(method, "")
	if err != nil {
		return err
	}
	return json.Unmarshal(result, v)
}

// RoundTrips are the times that trivial calls take, one after another.
func (x *Target) RoundTrips(n int) []time.Duration {
	x.t.Helper()
	times := make([]time.Duration, n)
	for i := range times {
		start := time.Now()
		x.Must("spdk_get_version", "")
		times[i] = time.Since(start)
	}
	return times
}

// Memory is the resident set of the process, in bytes.
func (x *Target) Memory() int64 {
	var pages, resident int64
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", x.cmd.Process.Pid))
	fmt.Sscan(string(data), &pages, &resident)
	return resident * int64(os.Getpagesize())
}

// backtrace is where a target that has crashed was, as far as a core and gdb
// are there.
func (x *Target) backtrace() string {
	cores, _ := filepath.Glob(filepath.Join(filepath.Dir(x.log), "core*"))
	for _, core := range cores {
		defer os.Remove(core)
		out, err := exec.Command("gdb", "-batch", "-ex", "bt", x.bin.Target, core).CombinedOutput()
		if err == nil {
			return "\n" + string(out)
		}
	}
	return ", and left no core that gdb could read"
}

func (x *Target) showLog() {
	data, _ := os.ReadFile(x.log)
	const most = 4000
	x.t.Logf("log of %s, its end:\n%s", x.Name, data[max(0, len(data)-most):])
}

func (x *Target) addresses() []string { return append([]string{x.Address}, x.Also...) }
