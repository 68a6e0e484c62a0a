package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Lab is real targets and a configuration for them.
type Lab struct {
	Dir       string
	Targets   map[string]*Target
	Links     string   // CUE of links; lost peers are given up soon by default
	Node      string   // CUE that is added to every node; NODE in it is that node's name
	Suspended string   // node that somebody works on; "" for none
	Retired   []string // pools whose disks were replaced
	HostKey   string   // file of the key with which hosts authenticate; "" for none
	HostPSK   string   // file of the key with which they come by TLS; "" for none

	t        testing.TB
	bin      Binaries
	names    []string
	programs atomic.Int64 // started so far
}

// NewLab starts three targets whose disks have diskSize bytes each, and waits
// until they answer. They end with the test.
func NewLab(t testing.TB, diskSize int64) *Lab {
	t.Helper()
	return NewLabOf(t, diskSize, "n1", "n2", "n3")
}

// NewLabOf is NewLab with the targets named.
func NewLabOf(t testing.TB, diskSize int64, names ...string) *Lab {
	t.Helper()
	return newLab(t, diskSize, names, func(i int, x *Target) error {
		if !OwnNetwork() {
			return nil
		}
		x.Address = networkAddress(i)
		return x.Connect()
	})
}

// newLab is NewLabOf with targets that have a place in a network.
func newLab(t testing.TB, diskSize int64, names []string, place func(i int, x *Target) error) *Lab {
	t.Helper()
	bin := FromEnv(t)
	dir, err := os.MkdirTemp("", "e2e") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l := &Lab{
		Dir: dir, t: t, bin: bin, Targets: map[string]*Target{},
		Links: "{ctrlrLossTimeoutSec: 3, reconnectDelaySec: 1, fastIOFailTimeoutSec: 2}",
	}
	masks := strings.Split(bin.CPUMask, ",")
	for i, name := range names {
		l.names = append(l.names, name)
		bin.CPUMask = masks[i%len(masks)]
		x := NewTarget(t, bin, dir, name, diskSize)
		if err := place(i, x); err != nil {
			t.Fatal(err)
		}
		l.Targets[name] = x
	}
	l.Start(l.names...)
	return l
}

// Start starts targets and waits until they answer; all when none is named.
func (l *Lab) Start(names ...string) {
	l.t.Helper()
	for _, n := range l.or(names) {
		l.Targets[n].Launch()
	}
	for _, n := range l.or(names) {
		l.Targets[n].Ready()
	}
}

// Kill ends targets as a power failure does; all when none is named.
func (l *Lab) Kill(names ...string) {
	for _, n := range l.or(names) {
		l.Targets[n].Kill()
	}
}

func (l *Lab) or(names []string) []string {
	if len(names) == 0 {
		return l.names
	}
	return names
}

// Configure writes a configuration with the given volumes. Nodes listed in
// bare have no pool.
func (l *Lab) Configure(volumes string, bare ...string) {
	l.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "package lab\n\nimport \"list\"\n\n_list: list.Range\n\ncluster: \"e2e\"\n\nlinks: %s\n\n", l.Links)
	for _, n := range l.names {
		x := l.Targets[n]
		pools := fmt.Sprintf("pools: fast: {aio: %q, format: true}", x.Disk)
		if contains(bare, n) {
			pools = ""
		}
		if l.Node != "" {
			fmt.Fprintf(&b, "nodes: %s: {%s}\n", n, strings.ReplaceAll(l.Node, "NODE", n))
		}
		if n == l.Suspended {
			fmt.Fprintf(&b, "nodes: %s: maintenance: suspend: for: \"5m\"\n", n)
		}
		fmt.Fprintf(&b, "nodes: %s: {rpc: %q, address: [\"%s\"], port: %s, tlsPort: %s, %s}\n", n, x.RPC, strings.Join(x.addresses(), `", "`), x.Port, x.TLSPort, strings.TrimSuffix(pools, ", "))
	}
	if len(l.Retired) > 0 {
		fmt.Fprintf(&b, "retired: [\"%s\"]\n", strings.Join(l.Retired, "\", \""))
	}
	fmt.Fprintf(&b, "\nvolumes: %s\n", volumes)
	if err := os.WriteFile(filepath.Join(l.Dir, "lab.cue"), []byte(b.String()), 0o644); err != nil {
		l.t.Fatal(err)
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// Result is how a run of strata ended.
type Result struct {
	Out  string // standard output and error
	Code int
	Took time.Duration
}

// Strata runs a verb on the lab's configuration.
func (l *Lab) Strata(verb string, flags ...string) Result {
	l.t.Helper()
	args := append(append([]string{verb}, flags...), filepath.Join(l.Dir, "lab.cue"))
	cmd := exec.Command(strata(l.t), args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		l.t.Fatal(err)
	}
	return Result{out.String(), cmd.ProcessState.ExitCode(), time.Since(start)}
}

// Apply runs apply and expects an exit code: 0 converged, 3 some blocked.
func (l *Lab) Apply(code int, flags ...string) Result {
	l.t.Helper()
	r := l.Strata("apply", append([]string{"--auto-approve", "--timeout", "60s"}, flags...)...)
	if r.Code != code {
		l.t.Fatalf("apply ended with %d, not %d:\n%s", r.Code, code, r.Out)
	}
	return r
}

// Settled expects that nothing is left to do, and that applying again changes nothing.
func (l *Lab) Settled() {
	l.t.Helper()
	if r := l.Strata("plan", "--detailed-exitcode"); r.Code != 0 {
		l.t.Fatalf("there is something to do still:\n%s", r.Out)
	}
	before := l.State(Everything)
	l.Apply(0)
	if after := l.State(Everything); after != before {
		l.t.Fatalf("a second apply changed something:\nbefore:\n%s\nafter:\n%s", before, after)
	}
}
