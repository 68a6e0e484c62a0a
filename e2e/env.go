package e2e

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Binaries are the programs of SPDK that the stories run.
type Binaries struct {
	Target   string // spdk_tgt
	DD       string // spdk_dd
	Bdevperf string // bdevperf; may be empty
	CPUMask  string // of targets; several, separated by commas, are taken in turns
	HostMask string // of hosts
}

// FromEnv finds the programs, and skips the test where they are not named.
func FromEnv(t testing.TB) Binaries {
	t.Helper()
	b := Binaries{
		Target: os.Getenv("SPDK_TGT"), DD: os.Getenv("SPDK_DD"), Bdevperf: os.Getenv("BDEVPERF"),
		CPUMask: cmp.Or(os.Getenv("SPDK_CPUMASK"), "0x1"), HostMask: cmp.Or(os.Getenv("SPDK_HOST_CPUMASK"), "0x1"),
	}
	if b.Target == "" || b.DD == "" {
		t.Skip("needs real targets: set SPDK_TGT and SPDK_DD to the paths of spdk_tgt and spdk_dd, " +
			"or run make e2e SPDK_TGT=... SPDK_DD=... (no hugepages and no root needed)")
	}
	return b
}

var build struct {
	sync.Once
	path string
	err  error
}

// strata builds the command once for all stories and returns its path; that of
// one that is built already can be in STRATA.
func strata(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("STRATA"); path != "" {
		return path
	}
	build.Do(func() {
		dir, err := os.MkdirTemp("", "strata-e2e")
		if err != nil {
			build.err = err
			return
		}
		build.path = filepath.Join(dir, "strata")
		out, err := exec.Command("go", "build", "-o", build.path, "strata/cmd/strata").CombinedOutput()
		if err != nil {
			t.Logf("%s", out)
		}
		build.err = err
	})
	if build.err != nil {
		t.Fatal(build.err)
	}
	return build.path
}

// freePort returns a TCP port of the loopback that nobody listens on.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	if _, twice := given.LoadOrStore(port, true); twice {
		return freePort(t)
	}
	return strconv.Itoa(port)
}

// given has the ports that were handed out: a target listens on its own only later.
var given sync.Map

// wanted is the error of something that is not what it should be yet.
type wanted struct{ got, want any }

func (w wanted) Error() string { return fmt.Sprintf("got %v, want %v", w.got, w.want) }

// Eventually tries until try succeeds; what it waits for is something that
// a target does by itself and tells nobody.
func Eventually(t testing.TB, limit time.Duration, what string, try func() error) {
	t.Helper()
	for until := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("after %v: %s: %v", limit, what, err)
		}
	}
}
