package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"strata/nvmetcp"
	"strata/spdk/reachtest"
)

// TestSentKeys has strata put the key of a host on the nodes, by ssh. A host that writes and
// verifies authenticates with it; while it does, the key becomes another, the engine moves, and
// its target is started again where the key cannot be read. Without the key, or with the one
// from before, nobody is let in.
func TestSentKeys(t *testing.T) {
	l := NewLabOf(t, gib, "n1", "n2")
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
	for _, x := range l.Targets {
		x.RPC = "ssh://" + d.User + "@" + d.Addr + x.Socket
	}
	first, next, source := l.keyFile("first"), l.keyFile("next"), filepath.Join(l.Dir, "source")
	t.Setenv("STRATA_SECRETS", "ssh=* file:"+source+"=volume://db file:"+d.Key+"=* file:"+d.KnownHosts+"=*")
	becomes := func(file string) {
		t.Helper()
		text, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(source, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	configure := func(engine string) {
		l.Configure(fmt.Sprintf(`db: {size: 64Mi, replicas: 2, engine: %q, export: nvmf: hosts: [{nqn: %q, dhchap: key: file: %q}]}`, engine, HostNQN, source))
	}
	there := func(x *Target, want int) {
		t.Helper()
		files, err := filepath.Glob(x.Socket + ".keys/*")
		if err != nil || len(files) != want {
			t.Errorf("%s has %d key files, not %d: %v", x.RPC, len(files), want, err)
		}
		for _, file := range files {
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", file, info, err)
			}
		}
	}
	n1, n2 := l.Targets["n1"], l.Targets["n2"]
	refused := func(when string, x *Target, file string) {
		t.Helper()
		nqn, port := l.Export("db")
		var key *nvmetcp.Key
		if file != "" {
			text, err := os.ReadFile(file)
			if err == nil {
				key, err = nvmetcp.ParseKey(string(text))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		h, err := nvmetcp.Connect(t.Context(), x.Address+":"+port, nvmetcp.HostOptions{HostNQN: HostNQN, Subsystem: nqn, Key: key})
		if err == nil {
			h.Close()
			t.Errorf("%s: a host with key %q is let in", when, file)
		}
	}

	becomes(first)
	configure("n1")
	l.Apply(0)
	l.Settled()
	there(n1, 1)
	there(n2, 0)
	refused("at first", n1, "")
	refused("at first", n1, next)
	l.HostKey = first
	w := l.StartWriter("db", 3, 2, 8)

	w.Longest()
	becomes(next)
	l.Apply(0)
	w.Going(200, 30*time.Second)
	t.Logf("the key is another; the longest write took %v", w.Longest())
	there(n1, 1)
	refused("with the key from before", n1, first)
	l.rekey(next)
	w.Going(200, 30*time.Second)

	// The engine's target ends, and the key cannot be read where strata runs.
	if err := os.Remove(source); err != nil {
		t.Fatal(err)
	}
	n1.Kill()
	n1.Launch()
	n1.Ready()
	l.Apply(0)
	w.Going(200, 30*time.Second)
	refused("after a restart", n1, "")
	refused("after a restart", n1, first)
	t.Log(l.finish(w))

	becomes(next)
	configure("n2")
	l.Apply(0)
	l.Settled()
	there(n1, 0)
	there(n2, 1)
	refused("on the other node", n2, first)
	l.HostKey = next
	w = l.StartWriter("db", 3, 2, 8)
	w.Going(200, 30*time.Second)
	t.Log(l.finish(w))

	l.Configure(`db: {size: 64Mi, replicas: 2, engine: "n2"}`)
	l.Apply(0)
	l.Settled()
	there(n1, 0)
	there(n2, 0)
}
