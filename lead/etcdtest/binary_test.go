package etcdtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

const two = `volumes: db: {size: 64Mi, replicas: on: ["n1", "n2"], engine: "n1", export: nvmf: hosts: "any"}
`

// TestBinary has three processes of strata watch one cluster, with an etcd that asks for
// certificates and a password. Who leads is killed in the middle of its work, stopped, and
// cut off from etcd; another does the work each time, and the former, when it is back, none.
func TestBinary(t *testing.T) {
	c, _, secrets := startSecure(t)
	l := newLab(t, secrets)
	one := l.watch(c, 1)
	one.logs(`msg="this watch has the seat, and works"`, 20*time.Second)
	other := l.watch(c, 2)
	other.logs(`msg="standing by: .*process \d+\) leads, by election of etcd"`, 20*time.Second)
	one.logs(`msg="nothing is left to do" .*converged=true`, 20*time.Second)

	l.edit(two + `volumes: a: {size: 64Mi, replicas: on: ["n1", "n2", "n3"], engine: "n2", export: nvmf: hosts: "any"}`)
	one.logs("msg=planned", 20*time.Second)
	one.signal(syscall.SIGKILL)
	other.logs(`msg="this watch has the seat, and works"`, within)
	other.logs(`msg="nothing is left to do" .*converged=true`, 20*time.Second)
	l.done()

	third := l.watch(c, 3)
	third.logs("msg=\"standing by: ", 20*time.Second)
	other.signal(syscall.SIGSTOP)
	l.edit(two)
	third.logs(`msg="this watch has the seat, and works"`, within)
	third.logs(`msg=noted about="volume a"`, 20*time.Second) // which has to be released
	l.edit(two + `volumes: b: {size: 64Mi, replicas: on: ["n3"]}`)
	third.logs(`msg="step done"`, 20*time.Second)
	before := other.log()
	other.signal(syscall.SIGCONT)
	other.logs(`msg="this watch has the seat no longer"`, within)
	other.logs("msg=\"standing by: ", 20*time.Second)
	other.idleSince(before)

	before = third.log()
	third.etcd.cut()
	third.logs(`msg="this watch has the seat no longer"`, within)
	other.logs(`msg="this watch has the seat, and works"`, within)
	l.edit(two + `volumes: {b: {size: 64Mi, replicas: on: ["n3"]}, c: {size: 64Mi, replicas: on: ["n3"]}}`)
	other.logs(`msg="step done"`, 20*time.Second)
	third.logs(`msg="standing by: the seat cannot be had: etcd at `, 20*time.Second)
	third.etcd.mend()
	third.logs("msg=\"standing by: ", 20*time.Second)
	third.idleSince(before)
}

// lab is simulated nodes and their configuration.
type lab struct {
	t                            *testing.T
	strata, dir, secrets, config string
}

func newLab(t *testing.T, secrets string) *lab {
	t.Helper()
	dir, err := os.MkdirTemp("", "lab") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l := &lab{t: t, dir: dir, secrets: secrets, strata: filepath.Join(dir, "strata"), config: filepath.Join(dir, "config")}
	build := exec.Command("go", "build", "-o", l.strata, "./cmd/strata")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sim := exec.Command(l.strata, "sim", "--dir", dir, "n1", "n2", "n3")
	l.process(sim)
	var nodes strings.Builder
	fmt.Fprintln(&nodes, "package lab\ncluster: \"lab\"")
	for i := 1; i <= 3; i++ {
		socket := filepath.Join(dir, fmt.Sprintf("n%d.sock", i))
		fmt.Fprintf(&nodes, "nodes: n%d: {rpc: \"unix://%s\", address: \"10.0.0.%d\", pools: fast: {aio: \"/dev/disk\", format: true}}\n", i, socket, i)
		for until := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if _, err := os.Stat(socket); err == nil {
				break
			}
			if time.Now().After(until) {
				t.Fatal("strata sim does not serve")
			}
		}
	}
	if err := os.Mkdir(l.config, 0o755); err != nil {
		t.Fatal(err)
	}
	l.write("nodes.cue", nodes.String())
	l.edit(two)
	return l
}

// process starts a process that ends with the test.
func (l *lab) process(cmd *exec.Cmd) {
	l.t.Helper()
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

func (l *lab) write(name, text string) {
	l.t.Helper()
	if err := os.WriteFile(filepath.Join(l.config, name), []byte(text), 0o644); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) edit(volumes string) { l.write("volumes.cue", "package lab\n"+volumes) }

// done fails the test if anything is left to do.
func (l *lab) done() {
	l.t.Helper()
	if out, err := exec.Command(l.strata, "plan", "--detailed-exitcode", l.config).CombinedOutput(); err != nil {
		l.t.Errorf("%v\n%s", err, out)
	}
}

// watching is a process of strata watch.
type watching struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	etcd *watch // its way there
	at   int    // what was waited for ends there
}

func (l *lab) watch(c *etcd, n int) *watching {
	l.t.Helper()
	w := &watching{t: l.t, name: filepath.Join(l.dir, fmt.Sprintf("watch%d.log", n)), etcd: c.watch(l.t, n)}
	out, err := os.Create(w.name)
	if err != nil {
		l.t.Fatal(err)
	}
	defer out.Close()
	w.cmd = exec.Command(l.strata, "watch", "--auto", "serve,fence,rebuild,change", "--log-level", "debug",
		"--lead", "etcd://strata@"+strings.Join(w.etcd.etcd.Hosts, ",")+"/strata", "--lead-ca", filepath.Join(l.secrets, "ca.pem"),
		"--lead-cert", filepath.Join(l.secrets, "client.pem"), "--lead-key", filepath.Join(l.secrets, "client.key"), l.config)
	w.cmd.Env = append(os.Environ(), "STRATA_LEAD_PASSWORD=right")
	w.cmd.Stdout, w.cmd.Stderr = out, out
	l.process(w.cmd)
	return w
}

func (w *watching) signal(s os.Signal) {
	w.t.Helper()
	if err := w.cmd.Process.Signal(s); err != nil {
		w.t.Fatal(err)
	}
}

func (w *watching) log() string {
	w.t.Helper()
	text, err := os.ReadFile(w.name)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// logs waits until it logs that, or has since what was last waited for.
func (w *watching) logs(want string, within time.Duration) {
	w.t.Helper()
	re := regexp.MustCompile("(?m)" + want)
	begin := time.Now()
	for {
		text := w.log()
		if at := re.FindStringIndex(text[w.at:]); at != nil {
			w.at += at[1]
			w.t.Logf("%s logs %s after %v", filepath.Base(w.name), want, time.Since(begin).Round(time.Millisecond))
			return
		}
		if time.Since(begin) > within {
			w.t.Fatalf("%s does not log %s within %v; it has:\n%s", filepath.Base(w.name), want, within, text[w.at:])
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// idleSince fails the test if it has begun anything since then.
func (w *watching) idleSince(before string) {
	w.t.Helper()
	time.Sleep(2 * time.Second)
	if since := strings.TrimPrefix(w.log(), before); regexp.MustCompile(`msg="?(step|planned|copying)`).MatchString(since) {
		w.t.Errorf("%s is not idle:\n%s", filepath.Base(w.name), since)
	}
}
