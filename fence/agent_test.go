package fence

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"strata/fence/fencetest"
	"strata/program"
	"strata/schema"
)

// TestMain is the agent's main function, when the test runs itself under its name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "fence_dummy" {
		fencetest.Main()
	}
	os.Exit(m.Run())
}

// dummy is an agent of that type, whose machine is on.
func dummy(t *testing.T, kind string) *Agent {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "fence_dummy")
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	a := &Agent{Node: "n1", Fence: &schema.Fence{
		Command:   []string{program},
		Options:   map[string]string{"status_file": filepath.Join(dir, "power"), "log_file": filepath.Join(dir, "log"), "type": kind},
		TimeoutMs: 60_000,
	}}
	a.set(t, "on")
	return a
}

func (a *Agent) set(t *testing.T, power string) {
	t.Helper()
	if err := os.WriteFile(a.Fence.Options["status_file"], []byte(power), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (a *Agent) power(t *testing.T) string {
	return strings.TrimSpace(read(t, a.Fence.Options["status_file"]))
}

func (a *Agent) asked(t *testing.T) string {
	return strings.Join(strings.Fields(read(t, a.Fence.Options["log_file"])), " ")
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOff(t *testing.T) {
	for _, kind := range []string{"", "slow", "denies"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			a := dummy(t, kind)
			before := time.Now()
			e, err := a.Off(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if a.power(t) != "off" || e.Node != "n1" || e.Agent != "fence_dummy" || e.At.Before(before) || e.At.After(time.Now()) {
				t.Errorf("%s: %+v", a.power(t), e)
			}
			if want := `^fence_dummy said at 2\S+Z that n1 is off; it had been switched off just before$`; !regexp.MustCompile(want).MatchString(e.String()) {
				t.Errorf("%s", e)
			}
		})
	}
}

// TestOffAlready: what is off is not switched.
func TestOffAlready(t *testing.T) {
	t.Parallel()
	a := dummy(t, "")
	a.set(t, "off")
	e, err := a.Off(t.Context())
	if err != nil || !strings.HasSuffix(e.String(), "that n1 is off; so it was when it was first asked") {
		t.Errorf("%v, %v", e, err)
	}
	if got := a.asked(t); got != "status" {
		t.Errorf("it was asked: %s", got)
	}
}

// TestOffFails: an agent is not believed, and what is wrong is said.
func TestOffFails(t *testing.T) {
	for kind, want := range map[string]struct {
		timeoutMs  int
		text, asks string
	}{
		"lies":  {7000, `^it is not known to be off: fence_dummy: it says that it has switched the node off, and when asked that it is on, still after 7s$`, `^status off( status)+$`},
		"fails": {60_000, `^it is on: fence_dummy: off: exit code 1: Failed: Timed out waiting to power OFF$`, `^status off status$`},
		"mute":  {60_000, `^nothing was switched off: fence_dummy: status: exit code 1: Failed: Unable to connect/login to fencing device$`, `^status$`},
		"hangs": {4000, `^it is not known to be off: fence_dummy: off: no answer within 4s in all; it was ended: Connecting$`, `^status off( status)?$`},
		"stuck": {4000, `^nothing was switched off: fence_dummy: status: no answer within 4s in all; it was ended$`, `^status( status)?$`},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			a := dummy(t, kind)
			a.Fence.TimeoutMs = want.timeoutMs
			start := time.Now()
			e, err := a.Off(t.Context())
			if err == nil || !regexp.MustCompile(want.text).MatchString(err.Error()) {
				t.Errorf("%v, %v", e, err)
			}
			if got := a.asked(t); !regexp.MustCompile(want.asks).MatchString(got) {
				t.Errorf("it was asked: %s", got)
			}
			if took := time.Since(start); took > a.Fence.Timeout()+time.Minute {
				t.Errorf("it took %v", took)
			}
			nothingRuns(t, a)
		})
	}
}

// nothingRuns fails while a process of the agent's program is left.
func nothingRuns(t *testing.T, a *Agent) {
	t.Helper()
	self, err := os.Readlink(a.Fence.Command[0])
	if err != nil {
		t.Fatal(err)
	}
	left := func() (pids []string) {
		all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, file := range all {
			line, _ := os.ReadFile(file)
			if name, _, _ := strings.Cut(string(line), "\x00"); name == a.Fence.Command[0] {
				pids = append(pids, filepath.Base(filepath.Dir(file)))
			}
		}
		return pids
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) { // a process that was killed goes at some time
		pids := left()
		if len(pids) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s is left: %v", self, pids)
		}
	}
}

// TestSaid: what an agent prints is bounded, without secrets and without what a terminal
// acts on.
func TestSaid(t *testing.T) {
	t.Parallel()
	a := dummy(t, "noisy")
	a.Fence.Secrets = map[string]schema.Secret{"password": {Env: "IPMI"}}
	a.Secret = func(_ context.Context, s schema.Secret) (string, error) { return "s3cret-of-" + s.Env, nil }
	_, err := a.Off(t.Context())
	if err == nil {
		t.Fatal("it was switched off")
	}
	text := err.Error()
	if !strings.HasPrefix(text, "it is on: fence_dummy: off: exit code 1: …") || !strings.HasSuffix(text, "… is wrong: ? end") || !strings.Contains(text, "password is … password is …") {
		t.Errorf("%q", text)
	}
	if strings.ContainsAny(text, "\x1b\x07\r\n") || strings.Contains(text, "cret") || len([]rune(text)) > 500 {
		t.Errorf("%q", text)
	}
}

func TestUnsuitable(t *testing.T) {
	script := func(text string) string {
		file := filepath.Join(t.TempDir(), "own")
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for _, c := range []struct {
		command []string
		want    string
	}{
		{[]string{"fence_that_is_not_there"}, "fence_that_is_not_there: metadata: there is no program fence_that_is_not_there on this machine, in PATH or /usr/sbin"},
		{[]string{script("exit 2")}, "own: metadata: exit code 2"},
		{[]string{script("echo usage; exit 2")}, "own: metadata: exit code 2: usage"},
		{[]string{"/bin/sh", script("exit 0") + "-gone"}, "sh: metadata: exit code "},
		{[]string{"/bin/true"}, "true: it does not say what it is, in XML with resource-agent, to action=metadata: EOF"},
		{[]string{script(`echo '<resource-agent><actions><action name="off"/><action name="monitor"/></actions></resource-agent>'`)}, "own: it has no action status"},
		{[]string{script(`echo '<resource-agent><actions><action name="off"/><action name="monitor"/><action name="status"/></actions></resource-agent>'`)},
			"own: it has no action reboot, so it does not cut power"},
		{[]string{script("kill -9 $$")}, "own: metadata: signal: killed"},
	} {
		a := &Agent{Node: "n1", Fence: &schema.Fence{Command: c.command, TimeoutMs: 60_000}}
		_, err := a.Off(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), "nothing was switched off: "+c.want) {
			t.Errorf("%v", err)
		}
	}
}

// TestInput: what is for strata alone is not given to agents, nor are secrets on
// their command line.
func TestInput(t *testing.T) {
	t.Setenv("STRATA_RPC_PASSWORD", "s3cret")
	t.Setenv("STRATA", "x")
	dir := t.TempDir()
	program := filepath.Join(dir, "own")
	text := "#!/bin/sh\nenv > " + dir + "/env\necho \"$@\" > " + dir + "/args\ncat > " + dir + "/in\nexit 1\n"
	if err := os.WriteFile(program, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	a := &Agent{Node: "n1", Fence: &schema.Fence{
		Command: []string{program, "-v"}, TimeoutMs: 60_000,
		Options: map[string]string{"plug": "3 ü=x", "ip": "10.0.9.1"}, Secrets: map[string]schema.Secret{"password": {File: "/pw"}},
	}, Secret: func(_ context.Context, s schema.Secret) (string, error) { return "pw of " + s.File, nil }}
	if _, err := a.status(t.Context()); err == nil {
		t.Fatal("exit code 1 passes")
	}
	if got := read(t, dir+"/in"); got != "ip=10.0.9.1\nplug=3 ü=x\npassword=pw of /pw\naction=status\n" {
		t.Errorf("%q", got)
	}
	if env, args := read(t, dir+"/env"), read(t, dir+"/args"); strings.Contains(env, "s3cret") || strings.Contains(env, "pw of") || !strings.Contains(env, "STRATA=x") || args != "-v\n" {
		t.Errorf("%s%s", env, args)
	}
	a.Secret = func(context.Context, schema.Secret) (string, error) { return "", errors.New("file /pw is not there") }
	if _, err := a.status(t.Context()); err == nil || err.Error() != "own: status: password: file /pw is not there" {
		t.Error(err)
	}
	a.Secret = func(context.Context, schema.Secret) (string, error) { return "x\naction=on", nil }
	if _, err := a.status(t.Context()); err == nil || err.Error() != "own: status: password: the value of password has more than one line" {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	for kind, want := range map[string]string{
		"":      "on",
		"off":   "off",
		"lies":  "on",
		"mute":  "fence_dummy: status: exit code 1: Failed: Unable to connect/login to fencing device",
		"stuck": "fence_dummy: status: no answer within 4s in all; it was ended",
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			a := dummy(t, strings.TrimPrefix(kind, "off"))
			a.set(t, map[bool]string{true: "off", false: "on"}[kind == "off"])
			if a.Fence.TimeoutMs = 20_000; kind == "stuck" {
				a.Fence.TimeoutMs = 4000
			}
			before := a.power(t)
			power, err := a.Check(t.Context())
			if got := power.String(); err != nil && err.Error() != want || err == nil && got != want {
				t.Errorf("%v, %v", power, err)
			}
			if strings.Contains(a.asked(t), "off") || a.power(t) != before {
				t.Errorf("it was asked: %s", a.asked(t))
			}
		})
	}
}

// TestInterrupted: an agent that is asked when strata ends is ended with it.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	a := dummy(t, "hangs")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		for t.Context().Err() == nil {
			if log, _ := os.ReadFile(a.Fence.Options["log_file"]); strings.HasSuffix(string(log), "off\n") {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	_, err := a.Off(ctx)
	if err == nil || !strings.HasPrefix(err.Error(), "it is not known to be off: fence_dummy: off: interrupted") {
		t.Error(err)
	}
	nothingRuns(t, a)
}

// TestClusterLabs: the agent of ClusterLabs does as strata expects, and as the dummy of
// these tests does.
func TestClusterLabs(t *testing.T) {
	path, err := program.Find("fence_dummy")
	if err != nil {
		t.Skip("no fence_dummy here; Debian has it in fence-agents")
	}
	file := filepath.Join(t.TempDir(), "power")
	a := &Agent{Node: "n1", Fence: &schema.Fence{Command: []string{path}, Options: map[string]string{"status_file": file}, TimeoutMs: 60_000}}
	a.set(t, "on")
	if power, err := a.Check(t.Context()); err != nil || power != On {
		t.Errorf("%v, %v", power, err)
	}
	for _, want := range []string{"it had been switched off just before", "so it was when it was first asked"} {
		if e, err := a.Off(t.Context()); err != nil || e.How != want || a.power(t) != "off" {
			t.Errorf("%v, %v, %s", e, err, a.power(t))
		}
	}
	if power, err := a.Check(t.Context()); err != nil || power != Off {
		t.Errorf("%v, %v", power, err)
	}

	// Given an argument it does not read what it is to do, and reboots.
	a.set(t, "off")
	cmd := exec.Command(path, "--status-file="+file)
	cmd.Stdin = strings.NewReader("action=status\n")
	if out, err := cmd.CombinedOutput(); err != nil || a.power(t) != "on" {
		t.Errorf("with an argument it does: %s, %v, %s", out, err, a.power(t))
	}

	// Those that cut a network or a disk say so.
	if fabric, err := program.Find("fence_brocade"); err == nil {
		a := &Agent{Node: "n1", Fence: &schema.Fence{Command: []string{fabric}, TimeoutMs: 60_000}}
		if _, err := a.Off(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "nothing was switched off: fence_brocade: it has no action reboot") {
			t.Error(err)
		}
	}
}
