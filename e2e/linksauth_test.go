package e2e

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strata/lineage"
	"strata/nvmetcp"
)

// TestLinksAuth has the ends of a link prove who they are, by keys that strata makes, while a host
// writes to a volume with a replica behind it: from when that is asked for, with other keys,
// after a restart of either target, and until it is asked for no more. No write fails, and no leg
// is lost. Nobody else is let in.
func TestLinksAuth(t *testing.T) {
	l := NewLabOf(t, gib, "n1", "n2")
	d := startSSHD(t)
	for _, x := range l.Targets {
		x.RPC = "ssh://" + d.User + "@" + d.Addr + x.Socket
	}
	t.Setenv("STRATA_SECRETS", "ssh=* file:"+d.Key+"=* file:"+d.KnownHosts+"=*")
	n1, n2 := l.Targets["n1"], l.Targets["n2"]
	links := func(more string) {
		l.Links = `{loss: "wait", patience: "5m", ` + more + `}`
		l.Configure(`db: {size: 64Mi, replicas: 2, engine: "n1", export: nvmf: hosts: "any"}`)
	}
	cluster := lineage.Cluster("e2e")
	link := cluster.LinkNQN(lineage.Link{From: "n2", To: "n1", Wait: true})
	// proven expects that every connection of the link has authenticated, or none.
	proven := func(when string, want bool) {
		t.Helper()
		out, err := n2.Call("nvmf_subsystem_get_qpairs", `{"nqn": "`+string(link)+`"}`)
		var pairs []struct{ Auth struct{ State string } }
		if err == nil {
			err = json.Unmarshal([]byte(out), &pairs)
		}
		if err != nil || len(pairs) == 0 {
			t.Fatalf("%s: %d connections: %v", when, len(pairs), err)
		}
		for _, p := range pairs {
			if (p.Auth.State == "completed") != want {
				t.Errorf("%s: a connection has proved %q", when, p.Auth.State)
			}
		}
	}
	files := func(x *Target) int {
		t.Helper()
		all, err := filepath.Glob(x.Socket + ".keys/*")
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	refused := func(host lineage.NQN, key *nvmetcp.Key) {
		t.Helper()
		h, err := nvmetcp.Connect(t.Context(), n2.Address+":"+n2.Port, nvmetcp.HostOptions{HostNQN: string(host), Subsystem: string(link), Key: key})
		if err == nil {
			h.Close()
			t.Errorf("%s is let in to the link", host)
		} else if host == cluster.HostNQN("n1") && !errors.Is(err, nvmetcp.ErrAuth) {
			t.Errorf("%s is not let in for another reason: %v", host, err)
		}
	}

	links("")
	l.Apply(0)
	w := l.StartWriter("db", 0, 2, 4) // all of that is soon written to, and nothing more is allocated
	changed := func(what string, f func()) {
		t.Helper()
		w.Going(20, time.Minute)
		w.Longest()
		f()
		w.Going(20, time.Minute)
		t.Logf("%s; the longest write took %v", what, w.Longest().Round(time.Millisecond))
	}
	for i, more := range []string{"auth: true", "auth: true, keys: 2"} {
		changed(more, func() {
			links(more)
			r := l.Apply(0)
			if strings.Contains(r.Out, "copy ") || !strings.Contains(r.Out, "prove itself with") {
				t.Errorf("%s: something else is done:\n%s", more, r.Out)
			}
		})
		proven(more, true)
		if files(n1) != 2 || files(n2) != 2 {
			t.Errorf("%s: there are %d and %d files, not 2", more, files(n1), files(n2))
		}
		refused(cluster.HostNQN("n1"), nil)
		refused(cluster.HostNQN("n1"), nvmetcp.NewKey())
		refused(cluster.HostNQN(lineage.Node([]string{"n3", "n2"}[i])), nil)
	}
	changed("the target behind the link was killed, and started again", func() {
		n2.Kill()
		n2.Launch()
		n2.Ready()
		if r := l.Apply(0); strings.Contains(r.Out, "copy ") || strings.Contains(r.Out, "make keys") {
			t.Errorf("the leg, or its keys, are made anew:\n%s", r.Out)
		}
	})
	proven("after a restart", true)
	changed("auth: false", func() {
		links("auth: false")
		l.Apply(0)
	})
	if files(n1)+files(n2) != 0 {
		t.Errorf("%d and %d files are left", files(n1), files(n2))
	}
	changed("auth: true, keys: 3", func() {
		links("auth: true, keys: 3")
		l.Apply(0)
	})
	proven("when it is asked for again", true)
	t.Log(l.finish(w))

	l.Start()
	l.Apply(0)
	l.Settled()
	proven("after a restart of both targets", true)
}
