package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"strata/nvmetcp"
	"strata/spdk"
)

// keyFile makes a key in a file of the lab.
func (l *Lab) keyFile(name string) string {
	l.t.Helper()
	file := filepath.Join(l.Dir, name+".key")
	if err := os.WriteFile(file, []byte(nvmetcp.NewKey().Text()), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return file
}

// TestHostKeys has a host that writes and verifies authenticate: while it does, its key
// becomes another, the engine's target is started again, and the volume gets a snapshot. Without
// the key, or with the one from before, nobody is let in.
func TestHostKeys(t *testing.T) {
	l := NewLabOf(t, gib, "n1", "n2")
	first, next := l.keyFile("first"), l.keyFile("next")
	configure := func(key, snapshots string) {
		l.Configure(fmt.Sprintf(`db: {size: 64Mi, replicas: 2, engine: "n1", snapshots: [%s], export: nvmf: hosts: [{nqn: %q, dhchap: key: path: %q}]}`, snapshots, HostNQN, key))
	}
	configure(first, "")
	l.Apply(0)
	l.Settled()
	n1 := l.Targets["n1"]
	refused := func(when, file string) {
		t.Helper()
		nqn, port := l.Export("db")
		var key *nvmetcp.Key
		if file != "" {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if key, err = nvmetcp.ParseKey(string(text)); err != nil {
				t.Fatal(err)
			}
		}
		h, err := nvmetcp.Connect(t.Context(), n1.Address+":"+port, nvmetcp.HostOptions{HostNQN: HostNQN, Subsystem: nqn, Key: key})
		if err == nil {
			h.Close()
			t.Errorf("%s: a host with key %q is let in", when, file)
		}
	}
	refused("at first", "")
	refused("at first", next)

	l.HostKey = first
	w := l.StartWriter("db", 3, 2, 8)
	w.Longest()
	configure(next, `"a"`)
	l.Apply(0)
	w.Going(200, 30*time.Second)
	t.Logf("the key is another; the longest write took %v", w.Longest())
	refused("with another key", first)

	l.rekey(next)
	w.Going(200, 30*time.Second)
	n1.Kill()
	n1.Launch()
	n1.Ready()
	l.Apply(0)
	w.Going(200, 30*time.Second) // the replica has joined: a moment was found at which the host did not authenticate
	refused("after a restart", "")
	l.Settled()
	t.Log(l.finish(w))
}

// rekey gives the host that was started last another key, with which it authenticates at once.
func (l *Lab) rekey(file string) {
	l.t.Helper()
	client, err := spdk.New(fmt.Sprintf("unix://%s/host%d.sock", l.Dir, l.programs.Load()), spdk.Options{Timeout: time.Minute})
	if err != nil {
		l.t.Fatal(err)
	}
	defer client.Close()
	if err := client.KeyAdd(l.t.Context(), spdk.KeyAdd{Name: "next", Path: file}); err != nil {
		l.t.Fatal(err)
	}
	r := &spdk.Req{Method: "bdev_nvme_set_keys", Params: map[string]any{"name": "host", "dhchap_key": "next"}}
	if err := client.Round(l.t.Context(), r); err != nil || r.Err != nil {
		l.t.Fatal(err, r.Err)
	}
}
