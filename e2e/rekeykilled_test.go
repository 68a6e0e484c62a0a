package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestRekeyKilled: all targets end while the key of a volume changes. With another key than those that the names speak of
// nothing is shown; with them it goes on. And then it has none.
func TestRekeyKilled(t *testing.T) {
	l := NewLabOf(t, gib, "n1", "n2")
	one, two, three := l.volumeKey("one", "0123456789abcdef"), l.volumeKey("two", "00112233445566ff"), l.volumeKey("three", "aa112233445566ff")
	t.Setenv("STRATA_SECRETS", "file:"+l.Dir+"/=*")
	db := func(encryption string) {
		l.Configure(fmt.Sprintf(`db: {size: 96Mi, replicas: 2, engine: "n1", %s export: nvmf: hosts: "any"}`, encryption))
	}
	a := Pattern(1, 8*mib)

	db(fmt.Sprintf(`encryption: key: file: %q,`, two))
	l.Apply(0)
	l.Write("db", 0, a)
	second := l.keyCheck("db")

	// All targets end while one replica is written with the third key.
	db(fmt.Sprintf(`encryption: {key: file: %q, former: {check: %q, key: file: %q}},`, three, second, two))
	run := l.StartApply()
	Eventually(t, time.Minute, "a replica is being written", func() error {
		if raids := string(l.Targets["n1"].Must("bdev_raid_get_bdevs", `{"category": "all"}`)); !strings.Contains(raids, `"process"`) {
			return fmt.Errorf("no process in %s", raids)
		}
		return nil
	})
	l.Kill()
	run.Wait()
	l.Start()
	db(fmt.Sprintf(`encryption: {key: file: %q, former: {check: %q, key: file: %q}},`, one, second, one))
	if r := l.Apply(1); !strings.Contains(r.Out, "is not the one that") {
		t.Errorf("with other keys:\n%s", r.Out)
	}
	if shown := string(l.Targets["n1"].Must("nvmf_get_subsystems", "")); strings.Contains(shown, `"bdev_name"`) && strings.Contains(shown, "lab:db.") && strings.Contains(shown, `"bdev_name": "lab.db.`) {
		t.Errorf("with other keys it is shown: %s", shown)
	}
	db(fmt.Sprintf(`encryption: {key: file: %q, former: {check: %q, key: file: %q}},`, three, second, two))
	l.Apply(0)
	l.Settled()
	third := l.keyCheck("db")
	l.Read("db", 0, a)

	// And none.
	db(fmt.Sprintf(`encryption: {key: "none", former: {check: %q, key: file: %q}},`, third, three))
	l.Apply(0)
	l.Settled()
	l.Read("db", 0, a)
	if keys := string(l.Targets["n1"].Must("accel_crypto_keys_get", "")); keys != "[]" {
		t.Errorf("n1 still has a key")
	}
	db("")
	l.Settled()
	l.Replicas(l.Heads("db"), 0, a)
}
