package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestRekey: a volume that was made without encryption gets it, and then another key, while a host
// writes without end and verifies. What was there is there still, and in clear on no disk.
func TestRekey(t *testing.T) {
	const offset, area = 64, 16 // MiB that the host writes
	l := NewLabOf(t, gib, "n1", "n2")
	one, two := l.volumeKey("one", "0123456789abcdef"), l.volumeKey("two", "00112233445566ff")
	t.Setenv("STRATA_SECRETS", "file:"+l.Dir+"/=*")
	db := func(encryption string) {
		l.Configure(fmt.Sprintf(`db: {size: 96Mi, replicas: 2, engine: "n1", %s export: nvmf: hosts: "any"}`, encryption))
	}
	a := Pattern(1, 8*mib)

	db("")
	l.Apply(0)
	l.Write("db", 0, a)
	w := l.StartWriter("db", offset, area, 16)
	w.Going(100, time.Minute)
	var held []Pause
	turn := func(encryption string) {
		t.Helper()
		db(encryption)
		events := l.StartApply().Expect(0)
		held = append(held, Pauses(events)...)
		l.Settled()
		w.Going(100, time.Minute)
	}
	turn(fmt.Sprintf(`encryption: {key: file: %q, former: "none"},`, one))
	first := l.keyCheck("db")
	turn(fmt.Sprintf(`encryption: {key: file: %q, former: {check: %q, key: file: %q}},`, two, first, one))
	second := l.keyCheck("db")
	if first == second {
		t.Errorf("both keys have check %s", first)
	}
	load := w.Stop()
	t.Logf("the host: %v", load)
	for _, p := range held {
		t.Logf("stalled for %v, held for %v", load.Stall(p).Round(time.Millisecond), p)
	}
	l.Read("db", 0, a)

	l.Kill()
	l.noneOnDisks(a)
}

// volumeKey makes a file with a key that begins with these digits.
func (l *Lab) volumeKey(name, first string) (file string) {
	l.t.Helper()
	file = filepath.Join(l.Dir, name)
	if err := os.WriteFile(file, []byte(strings.Repeat(first, 4)+strings.Repeat("fedcba9876543210", 4)+"\n"), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return file
}

// keyCheck is what the names of all heads of a volume say of its key.
func (l *Lab) keyCheck(volume string) string {
	l.t.Helper()
	named := ""
	for _, head := range l.Heads(volume) {
		m := regexp.MustCompile(`=([a-z2-7]{4})`).FindStringSubmatch(head)
		if m == nil || named != "" && named != m[1] {
			l.t.Fatalf("heads are called %v", l.Heads(volume))
		}
		named = m[1]
	}
	return named
}
