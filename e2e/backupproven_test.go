package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strata/nvmetcp"
)

// TestBackupProven has strata and real targets prove themselves to each other wherever data of
// an archive goes between them: strata puts keys on the nodes, by ssh. Who has no key is refused,
// by strata and by the targets; what is recorded and what is restored is what hosts wrote; and no key
// is left at the end, killed in between or not.
func TestBackupProven(t *testing.T) {
	l := archivedLab(t, 2*gib, "n1", "n2")
	d := startSSHD(t)
	t.Setenv("STRATA_SECRETS", "env:STRATA_ARCHIVE_PASSWORD=* ssh=* file:"+d.Key+"=* file:"+d.KnownHosts+"=*")
	for _, x := range l.Targets {
		x.RPC = "ssh://" + d.User + "@" + d.Addr + x.Socket
	}
	l.Configure(l.archived(""))
	l.initArchive()
	l.Apply(0)
	want := l.scattered(16)
	ends := func(run *Run) {
		t.Helper()
		run.Expect(0)
		l.noKeys()
	}
	killed := func(run *Run) {
		t.Helper()
		run.Kill()
		run.Wait()
		l.restic("unlock")
	}

	// Back up: killed while it is under way, and then to its end.
	l.Configure(l.archived(`"one"`))
	run := l.StartApply()
	l.strangerAtStrata(run, ":~backup:")
	killed(run)
	Eventually(t, 15*time.Second, "no node is attached to who is gone", func() error { return l.attachedTo(":~backup:") })
	run = l.StartApply()
	l.strangerAtStrata(run, ":~backup:")
	ends(run)
	l.restic("check", "--read-data")
	if got := l.givenBack(); !bytes.Equal(got, want) {
		t.Fatalf("restic gives back %d bytes, and they are not what was written", len(got))
	}
	l.Settled()

	// Compare: the layers of all replicas come to strata.
	run = l.start("scrub", "--rate", "100", "db")
	l.strangerAtStrata(run, ":~backup:")
	ends(run)

	// Restore: strata comes to the node.
	l.Configure(l.archived(`"one"`) + "\nvolumes: db2: {size: 256Mi, replicas: 1, from: {archive: \"main\", volume: \"db\"}, export: nvmf: hosts: \"any\"}")
	run = l.StartApply()
	l.strangerAtNode(run, ":~restore:")
	killed(run)
	run = l.StartApply()
	l.strangerAtNode(run, ":~restore:")
	ends(run)
	l.Read("db2", 0, want)
	l.Settled()

	// At once: a host uses the volume all the while, through kills of strata and one of the target.
	l.Configure(l.archived(`"one"`) + `
volumes: db2: {size: 256Mi, replicas: 1, export: nvmf: hosts: "any"}
volumes: db3: {size: 256Mi, replicas: 2, from: {archive: "main", volume: "db", instant: true}, export: nvmf: hosts: "any"}`)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	host := &restorer{l: l, volume: "db3", ctx: ctx, want: bytes.Clone(want)}
	host.finished.Add(1)
	go host.use()
	for round := range 4 {
		t.Logf("round %d", round)
		run := l.StartApply("--debug-rpc", filepath.Join(l.Dir, fmt.Sprintf("round%d", round)))
		node := l.strangerAtStrata(run, ":~image:")
		if round == 1 {
			l.Kill(node)
			l.Start(node)
		}
		time.Sleep(time.Duration(rand.IntN(500)) * time.Millisecond)
		killed(run)
	}
	l.Apply(0)
	host.mu.Lock()
	host.stop = true
	host.mu.Unlock()
	host.finished.Wait()
	t.Logf("%d commands, the longest took %v", host.done, host.stall.Round(time.Millisecond))
	if host.problem != nil {
		t.Fatal(host.problem)
	}
	l.Apply(0)
	l.noKeys()
	l.Read("db3", 0, host.want)
	l.restic("check")
	l.Settled()
}

// strangerAtStrata waits until a node is attached to a subsystem of strata's of that kind, and
// has others try to be let in there as that node, which is returned. Its target stands still meanwhile, so that what it is
// attached for does not end.
func (l *Lab) strangerAtStrata(run *Run, kind string) (node string) {
	l.t.Helper()
	l.soon("a node is attached to "+kind, func() error {
		for _, n := range l.names {
			x := l.Targets[n]
			all, err := x.client.GetControllers(l.t.Context())
			if err != nil {
				return err
			}
			for _, c := range all {
				for _, p := range c.Paths {
					if !strings.Contains(p.Trid.SubNQN, kind) || p.State != "enabled" {
						continue
					}
					l.keysAt(x, kind)
					x.Freeze()
					refused := l.refused(net.JoinHostPort(p.Trid.TrAddr, p.Trid.TrSvcID), p.Trid.SubNQN, p.Host.NQN)
					x.Thaw()
					if node = n; refused {
						return nil
					}
				}
			}
		}
		return fmt.Errorf("none is, so that a stranger is refused: %s", run.Out())
	})
	return node
}

// strangerAtNode waits until a node shows a subsystem of that kind to strata, which stands still then, while
// others try to be let in there as strata.
func (l *Lab) strangerAtNode(run *Run, kind string) {
	l.t.Helper()
	l.soon("a node shows "+kind, func() error {
		for _, n := range l.names {
			x := l.Targets[n]
			all, err := x.client.GetSubsystems(l.t.Context())
			if err != nil {
				return err
			}
			for _, s := range all {
				if !strings.Contains(s.NQN, kind) || len(s.ListenAddresses) == 0 {
					continue
				}
				l.keysAt(x, kind)
				run.Freeze()
				refused := len(s.Hosts) == 1 && l.refused(net.JoinHostPort(x.Address, x.Port), s.NQN, s.Hosts[0].NQN)
				run.Thaw()
				if refused {
					return nil
				}
			}
		}
		return fmt.Errorf("none does, so that a stranger is refused: %s", run.Out())
	})
}

// soon is Eventually for what may not be for long.
func (l *Lab) soon(what string, try func() error) {
	l.t.Helper()
	late := time.Now().Add(3 * time.Minute)
	for err := try(); err != nil; err = try() {
		if time.Now().After(late) {
			l.t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(time.Millisecond)
	}
}

// refused reports whether a host is refused there that has no key, or another than strata has
// made; false where nobody is there any more. That one is let in fails the test.
func (l *Lab) refused(at, nqn, host string) bool {
	l.t.Helper()
	for _, key := range []*nvmetcp.Key{nil, nvmetcp.NewKey()} {
		ctx, cancel := context.WithTimeout(l.t.Context(), 10*time.Second)
		h, err := nvmetcp.Connect(ctx, at, nvmetcp.HostOptions{HostNQN: host, Subsystem: nqn, Key: key})
		cancel()
		if err == nil {
			h.Close()
			l.t.Errorf("%s lets a host in that has not the key (it has another: %t)", nqn, key != nil)
		}
		if !errors.Is(err, nvmetcp.ErrAuth) {
			return false
		}
	}
	return true
}

// keysAt expects that keys of both ends are there for a path of that kind, which nobody but the
// target's user may read.
func (l *Lab) keysAt(x *Target, kind string) {
	l.t.Helper()
	files, _ := filepath.Glob(x.Socket + ".keys/*." + strings.Trim(kind, ":") + ".*")
	if len(files) < 2 {
		l.t.Errorf("for %s, %s has the keys %v", kind, x.Name, files)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.Mode().Perm() != 0o600 {
			l.t.Errorf("%s: %v", file, info.Mode())
		}
	}
}

// noKeys expects that no node has a key of strata's, neither as a file nor in its keyring.
func (l *Lab) noKeys() {
	l.t.Helper()
	for _, n := range l.names {
		x := l.Targets[n]
		if files, _ := filepath.Glob(x.Socket + ".keys/*"); len(files) > 0 {
			l.t.Errorf("keys are left at %s: %v", n, files)
		}
		var keys []json.RawMessage
		if x.Into(&keys, "keyring_get_keys", ""); len(keys) > 0 {
			l.t.Errorf("keys are left in the keyring of %s: %s", n, keys)
		}
	}
}

// attachedTo is an error while a node is attached to a subsystem of that kind.
func (l *Lab) attachedTo(kind string) error {
	for _, n := range l.names {
		if list := string(l.Targets[n].Must("bdev_nvme_get_controllers", "")); strings.Contains(list, kind) {
			return wanted{n + ": " + list, "nothing"}
		}
	}
	return nil
}
