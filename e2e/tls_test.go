package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"strata/nvmetcp"
)

// pskFile makes a key of TLS in a file of the lab.
func (l *Lab) pskFile(name string) string {
	l.t.Helper()
	file := filepath.Join(l.Dir, name+".psk")
	if err := os.WriteFile(file, []byte(nvmetcp.NewPSK().Text()), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return file
}

// TestHostsByTLS has a host come by TLS that reads what it wrote, while its key becomes another, the
// engine's target is started again and the engine moves, the volume is plain for a while, and of TLS again. Without the key,
// with the one from before, or by a connection that is not encrypted, nobody is let in.
func TestHostsByTLS(t *testing.T) {
	l := NewLabOf(t, gib, "n1", "n2")
	first, next := l.pskFile("first"), l.pskFile("next")
	configure := func(engine, file string) {
		psk := ""
		if file != "" {
			psk = fmt.Sprintf(", psk: path: %q", file)
		}
		l.Configure(fmt.Sprintf(`db: {size: 64Mi, replicas: 2, engine: %q, export: nvmf: hosts: [{nqn: %q%s}]}`, engine, HostNQN, psk))
		l.HostPSK = file
		l.Apply(0)
		l.Settled()
	}
	want := Pattern(1, 4*mib)
	step := func(when, engine string) {
		t.Helper()
		l.Read("db", 0, want)
		nqn, x := l.exporter("db")
		if x.Name != engine {
			t.Errorf("%s: %s serves, not %s", when, x.Name, engine)
		}
		ports := map[string]bool{x.Port: l.HostPSK == "", x.TLSPort: false}
		for port, may := range ports {
			h, err := nvmetcp.Connect(t.Context(), x.Address+":"+port, nvmetcp.HostOptions{HostNQN: HostNQN, Subsystem: nqn})
			if err == nil {
				h.Close()
			}
			if (err == nil) != may {
				t.Errorf("%s: a host without TLS at port %s (TLS: %s): %v", when, port, x.TLSPort, err)
			}
		}
		is := l.HostPSK
		for _, l.HostPSK = range []string{first, next} {
			if l.HostPSK == is {
				continue
			}
			if out, err := l.program(l.bin.DD, l.hostConfig("db"), "--ib", "hostn1", "--of", filepath.Join(l.Dir, "none"), "--bs", "4096", "--count", "1").CombinedOutput(); err == nil {
				t.Errorf("%s: a host with the wrong key is let in:\n%s", when, out)
			}
		}
		l.HostPSK = is
	}
	configure("n1", first)
	l.Write("db", 0, want)
	step("at first", "n1")
	configure("n1", next)
	step("with another key", "n1")
	n1 := l.Targets["n1"]
	n1.Kill()
	n1.Launch()
	n1.Ready()
	l.Apply(0)
	step("after a restart", "n1")
	configure("n2", next)
	step("on the other node", "n2")
	configure("n2", "")
	step("without TLS", "n2")
	want = Pattern(2, 4*mib)
	l.Write("db", 0, want)
	configure("n2", first)
	step("by TLS again", "n2")
}
