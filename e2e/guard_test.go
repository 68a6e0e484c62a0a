package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// reliefLimit is how soon hosts go on after strata has died while it held them.
const reliefLimit = time.Second

// TestGuard kills apply while it holds hosts: once when they are only paused,
// once when the volume is sealed and nobody listens for hosts any more. The
// guard that apply has started lets them go on; a host that reads sees no error.
func TestGuard(t *testing.T) {
	for _, method := range []string{"nvmf_subsystem_set_ns_ana_group", "bdev_lvol_rename"} {
		t.Run(method, func(t *testing.T) {
			l := NewLab(t, 2*gib)
			l.Configure(`db: {size: 256Mi, replicas: on: ["n1"], engine: "n1", export: nvmf: hosts: "any"}`)
			l.Apply(0)
			nqn, _ := l.Export("db")
			reader := l.StartReader("db", 12)

			x := l.Targets["n1"]
			proxy := NewProxy(t, x)
			l.Configure(`db: {size: 256Mi, replicas: 3, engine: "n1", export: nvmf: hosts: "any"}`)
			proxy.Hang(method)
			cmd := exec.Command(strata(t), "apply", "--auto-approve", filepath.Join(l.Dir, "lab.cue"))
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-proxy.Hung
			if l.served("n1", nqn) {
				t.Error("hosts are not held")
			}
			died := time.Now()
			cmd.Process.Kill()
			for !l.served("n1", nqn) && time.Since(died) < 20*time.Second {
				time.Sleep(time.Millisecond)
			}
			took := time.Since(died)
			cmd.Wait()
			t.Logf("hosts go on %v after apply was killed in %s", took.Round(time.Millisecond), method)
			if took > reliefLimit {
				t.Errorf("hosts waited for %v, more than %v", took, reliefLimit)
			}
			reader.Wait()
			l.Apply(0)
			l.Settled()
		})
	}
}

// served reports whether hosts can use an export at this moment.
func (l *Lab) served(node, nqn string) bool {
	result, err := l.Targets[node].Call("nvmf_subsystem_get_listeners", `{"nqn":"`+nqn+`"}`)
	text := string(result)
	return err == nil && strings.Contains(text, "traddr") && !strings.Contains(text, "inaccessible")
}
