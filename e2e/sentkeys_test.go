package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"strata/nvmetcp"
)

// TestSentKeys has strata put the key of a host on the nodes, by ssh. A host that writes and
// reads back authenticates with it: at first, when the key has become another, when the
// engine's target was started again where the key cannot be read, and when the engine has moved. Without
// the key, or with the one from before, nobody is let in.
func TestSentKeys(t *testing.T) {
	l := NewLabOf(t, gib, "n1", "n2")
	d := startSSHD(t)
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
	connect := func(x *Target, file string) (*nvmetcp.Host, error) {
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
		return nvmetcp.Connect(t.Context(), x.Address+":"+port, nvmetcp.HostOptions{HostNQN: HostNQN, Subsystem: nqn, Key: key})
	}
	refused := func(when string, x *Target, file string) {
		t.Helper()
		h, err := connect(x, file)
		if err == nil {
			h.Close()
		}
		if !errors.Is(err, nvmetcp.ErrAuth) {
			t.Errorf("%s: a host with key %q is let in, or fails otherwise: %v", when, file, err)
		}
	}
	// uses writes by a connection, and reads back.
	round := 0
	uses := func(when string, h *nvmetcp.Host) {
		t.Helper()
		d, err := h.Open(t.Context(), 1)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		round++
		want, got := Pattern(uint64(round), 64<<10), make([]byte, 64<<10)
		if err := d.WriteAt(t.Context(), want, 0); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if err := d.ReadAt(t.Context(), got, 0); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s: it reads something else: %v", when, err)
		}
	}
	admitted := func(when string, x *Target, file string) *nvmetcp.Host {
		t.Helper()
		h, err := connect(x, file)
		if err != nil {
			t.Fatalf("%s: a host with its key is not let in: %v", when, err)
		}
		uses(when, h)
		return h
	}

	becomes(first)
	configure("n1")
	l.Apply(0)
	l.Settled()
	there(n1, 1)
	there(n2, 0)
	refused("at first", n1, "")
	refused("at first", n1, next)
	h := admitted("at first", n1, first)

	becomes(next)
	l.Apply(0)
	there(n1, 1)
	uses("with a connection from before the key was another", h)
	h.Close()
	refused("with the key from before", n1, first)
	admitted("with another key", n1, next).Close()

	// The engine's target ends, and the key cannot be read where strata runs.
	if err := os.Remove(source); err != nil {
		t.Fatal(err)
	}
	n1.Kill()
	n1.Launch()
	n1.Ready()
	l.Apply(0)
	refused("after a restart", n1, "")
	refused("after a restart", n1, first)
	admitted("after a restart", n1, next).Close()

	becomes(next)
	configure("n2")
	l.Apply(0)
	l.Settled()
	there(n1, 0)
	there(n2, 1)
	refused("on the other node", n2, first)
	admitted("on the other node", n2, next).Close()

	l.Configure(`db: {size: 64Mi, replicas: 2, engine: "n2"}`)
	l.Apply(0)
	l.Settled()
	there(n1, 0)
	there(n2, 0)
}
