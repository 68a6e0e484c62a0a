package e2e

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"strata/spdk/reachtest"
)

// startSSHD starts an sshd that lets strata in for the length of the test.
func startSSHD(t *testing.T) *reachtest.SSHD {
	t.Helper()
	d, err := reachtest.StartSSHD(t.TempDir())
	if errors.Is(err, reachtest.ErrNoSSHD) && os.Getenv(reachtest.NeedSSHD) == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	t.Setenv("STRATA_SSH_KEY", d.Key)
	t.Setenv("STRATA_SSH_KNOWN_HOSTS", d.KnownHosts)
	return d
}

// TestThroughSSH has every target behind a real sshd.
func TestThroughSSH(t *testing.T) {
	l := NewLab(t, 2*gib)
	d := startSSHD(t)
	through(t, l, func(x *Target) string { return "ssh://" + d.User + "@" + d.Addr + x.Socket })
	if d.Logins() == 0 {
		t.Error("nobody came through it")
	}
}

// TestThroughHTTP has every target behind SPDK's own proxy.
func TestThroughHTTP(t *testing.T) {
	script := os.Getenv("SPDK_HTTP_PROXY")
	if script == "" {
		t.Skip("needs SPDK's proxy: set SPDK_HTTP_PROXY to the path of scripts/rpc_http_proxy.py in a tree of SPDK")
	}
	l := NewLab(t, 2*gib)
	t.Setenv("STRATA_RPC_PASSWORD", "s3cret")
	through(t, l, func(x *Target) string {
		return "http://admin@" + reachtest.StartScript(t, script, x.Socket, "admin", "s3cret")
	})
}

// through is a day in which strata reaches the targets as reach says: volumes
// are made, written to, cut under load and lose a node that comes back. How
// long it takes is set against the same through sockets.
func through(t *testing.T, l *Lab, reach func(*Target) string) {
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `v%d: {size: 8Mi, replicas: 2, export: nvmf: hosts: "any"}, `, i)
		}
		return b.String()
	}
	const db = `db: {size: 64Mi, replicas: 3, engine: "n1", export: nvmf: hosts: "any"%s}`
	volumes := func(n int, more string) string { return "{" + many(n) + fmt.Sprintf(db, more) + "}" }

	l.Configure(volumes(10, ""))
	near := l.Apply(0).Took
	nearPlan := l.Strata("plan").Took
	for _, x := range l.Targets {
		x.RPC = reach(x)
	}
	l.Configure(volumes(20, ""))
	far := l.Apply(0).Took
	l.Settled()
	plan := l.Strata("plan").Took
	t.Logf("10 volumes: %v through sockets, %v this way; plan of no change: %v with 10, %v with 20 volumes", near, far, nearPlan, plan)

	data := Pattern(1, 4*mib)
	l.Write("db", 16, data)
	w := l.StartWriter("db", 3, 2, 8)
	w.Going(16, time.Minute)
	l.Configure(volumes(20, `, snapshots: ["a"]`))
	p := Pauses(l.StartApply().Expect(0))
	if len(p) != 1 {
		t.Fatalf("hosts were held %d times for a snapshot", len(p))
	}
	w.Going(16, time.Minute)
	t.Logf("a snapshot over 3 replicas holds hosts for %v; %v", p[0].Took(), w.Stop())
	l.Read("db", 16, data)

	// A target that is away is reported; back, it is served again.
	l.Kill("n3")
	if r := l.Strata("status"); !strings.Contains(r.Out, "node n3  unknown: ") {
		t.Errorf("n3 is away, and status does not say so:\n%s", r.Out)
	}
	l.Start("n3")
	l.Apply(0)
	l.Settled()
	l.Read("db", 16, data)
}
