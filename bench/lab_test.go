//go:build bench

package bench

import (
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
	"strata/schema"
	"strata/spdk"
)

// strata builds the command once and returns its path.
func strata(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(os.TempDir(), fmt.Sprintf("strata-bench-%d", os.Getpid()))
	if _, err := os.Stat(bin); err == nil {
		return bin
	}
	if out, err := exec.Command("go", "build", "-o", bin, "strata/cmd/strata").CombinedOutput(); err != nil {
		t.Fatalf("building strata: %v\n%s", err, out)
	}
	return bin
}

// lab is a set of simulated targets in a process of their own, so that their
// work is not taken for strata's, and a configuration for them.
type lab struct {
	t     *testing.T
	bin   string
	dir   string
	file  string
	nodes int
}

// newLab serves n targets, which look at their sockets every 4 ms as real ones do.
func newLab(t *testing.T, nodes int) *lab {
	t.Helper()
	dir, err := os.MkdirTemp("", "strata")
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, bin: strata(t), dir: dir, file: filepath.Join(dir, "lab.cue"), nodes: nodes}
	args := []string{"sim", "--dir", dir}
	for i := range nodes {
		args = append(args, l.node(i))
	}
	cmd := exec.Command(l.bin, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		os.RemoveAll(dir)
	})
	for i := range nodes {
		for {
			if _, err := os.Stat(filepath.Join(dir, l.node(i)+".sock")); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	return l
}

func (l *lab) node(i int) string { return fmt.Sprintf("n%03d", i+1) }

// configure writes a configuration of so many volumes of so many replicas.
func (l *lab) configure(volumes, replicas int) {
	l.t.Helper()
	var b strings.Builder
	fmt.Fprint(&b, "package lab\ncluster: \"lab\"\n")
	for i := range l.nodes {
		fmt.Fprintf(&b, "nodes: %q: {rpc: \"unix://%s/%s.sock\", address: \"10.0.0.%d\", pools: fast: {aio: \"/dev/a\", clusterSize: 1Mi, format: true}}\n",
			l.node(i), l.dir, l.node(i), i+1)
	}
	for i := range volumes {
		fmt.Fprintf(&b, "volumes: \"v%05d\": {size: 1Gi, replicas: %d, export: nvmf: hosts: [\"nqn.2014-08.org.nvmexpress:uuid:6a9f1e1c-0000-4000-8000-000000000001\"]}\n", i, replicas)
	}
	if err := os.WriteFile(l.file, []byte(b.String()), 0o644); err != nil {
		l.t.Fatal(err)
	}
}

// run runs strata and returns what it used.
func (l *lab) run(args ...string) usage {
	l.t.Helper()
	start := time.Now()
	// As patient as the clients of load.
	cmd := exec.Command(l.bin, append(args, "--timeout", "1m", l.file)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		l.t.Fatalf("strata %v: %v\n%s", args, err, tail(string(out)))
	}
	ru := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return usage{wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak: ru.Maxrss << 10, out: string(out)}
}

type usage struct {
	wall, cpu time.Duration
	peak      int64 // bytes
	out       string
}

func tail(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

// load reads the configuration and makes its clients, as the command does. They
// are patient, for what is measured is not whether the machine is busy.
func (l *lab) load(trace ...func(method string, result []byte)) (*schema.Config, map[lineage.Node]*spdk.Client) {
	l.t.Helper()
	cfg, err := schema.Load([]string{l.file}, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	targets := map[lineage.Node]*spdk.Client{}
	for _, n := range cfg.Nodes {
		c, err := spdk.New(n.RPC, spdk.Options{Timeout: time.Minute, Trace: func(method string, _, result json.RawMessage, _ error, _ time.Duration) {
			for _, f := range trace {
				f(method, result)
			}
		}})
		if err != nil {
			l.t.Fatal(err)
		}
		l.t.Cleanup(func() { c.Close() })
		targets[n.Name] = c
	}
	return cfg, targets
}

// cpu is what this process has used so far.
func cpu() time.Duration {
	var ru syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &ru)
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}
