package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEncryption: what hosts write to an encrypted volume is on no disk, comes back after
// restarts, moves, a revert and in a clone, and with a wrong key nothing is shown.
func TestEncryption(t *testing.T) {
	l := NewLabOf(t, 4*gib, "n1", "n2")
	key, other := strings.Repeat("0123456789abcdef", 4)+strings.Repeat("fedcba9876543210", 4), strings.Repeat("00112233445566ff", 4)+strings.Repeat("fedcba9876543210", 4)
	file := filepath.Join(l.Dir, "db.key")
	put := func(key string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(key)
	t.Setenv("STRATA_SECRETS", "file:"+file+"=*")
	db := func(engine, fields string) string {
		return fmt.Sprintf(`db: {size: 64Mi, replicas: 2, engine: %q, encryption: key: file: %q, %s, export: nvmf: hosts: "any"}`, engine, file, fields)
	}
	a, b := Pattern(1, 8*mib), Pattern(2, 8*mib)

	l.Configure(db("n1", `snapshots: []`))
	l.Apply(0)
	l.Settled()
	l.Write("db", 0, a)
	l.Read("db", 0, a)

	// Another engine, and a snapshot there.
	l.Configure(db("n2", `snapshots: ["a"]`))
	l.Apply(0)
	l.Read("db", 0, a)
	l.Write("db", 0, b)
	if keys := string(l.Targets["n1"].Must("accel_crypto_keys_get", "")); keys != "[]" {
		t.Errorf("n1, which the volume has left, has a key")
	}

	// A clone has what the snapshot has, and a revert, too.
	clone := "\n" + fmt.Sprintf(`copy: {size: 64Mi, replicas: 1, engine: "n2", from: {volume: "db", snapshot: "a"}, encryption: key: file: %q, export: nvmf: hosts: "any"}`, file)
	l.Configure("{" + db("n2", `snapshots: ["a", "b"]`) + clone + "}")
	l.Apply(0)
	l.Settled()
	l.Read("copy", 0, a)
	l.Read("db", 0, b)
	l.Configure("{" + db("n2", `snapshots: ["a", "b"], head: "a"`) + clone + "}")
	l.Apply(0, "--allow-destroy", "db@head")
	l.Read("db", 0, a)

	// All targets end. With another key nothing is shown; with the right one it is all there.
	l.Kill()
	l.noneOnDisks(a, b)
	l.Start()
	put(other)
	if r := l.Apply(1); !strings.Contains(r.Out, "is not the one that") || strings.Contains(r.Out, other[:16]) {
		t.Errorf("with another key:\n%s", r.Out)
	}
	if bdevs := string(l.Targets["n2"].Must("bdev_get_bdevs", "")); strings.Contains(bdevs, `"crypto"`) {
		t.Errorf("with another key there is a cipher")
	}
	put(key)
	l.Apply(0)
	l.Settled()
	l.Read("db", 0, a)
	l.Read("copy", 0, a)

	// They go, and the keys with them.
	l.Configure("{}")
	l.Apply(0, "--allow-destroy", "copy", "--allow-destroy", "db")
	for _, n := range l.names {
		if keys := string(l.Targets[n].Must("accel_crypto_keys_get", "")); keys != "[]" {
			t.Errorf("%s still has a key", n)
		}
	}
}

// noneOnDisks fails where a disk has, of what was written, the beginning of any MiB.
func (l *Lab) noneOnDisks(written ...[]byte) {
	l.t.Helper()
	for _, n := range l.names {
		disk, err := os.ReadFile(l.Targets[n].Disk)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, w := range written {
			for i := 0; i < len(w); i += mib {
				if bytes.Contains(disk, w[i:i+64]) {
					l.t.Fatalf("what was written stands on the disk of %s", n)
				}
			}
		}
	}
}
