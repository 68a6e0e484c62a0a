package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestEncryptionCost prints what encryption leaves of what hosts get of a volume over NVMe/TCP: an
// encrypted and a plain volume with one replica on the same disk, in turns, all of it written before.
func TestEncryptionCost(t *testing.T) {
	const size, rounds = 256, 3
	l := NewLabOf(t, gib, "n1")
	if l.bin.Bdevperf == "" {
		t.Skip("set BDEVPERF: what hosts get is measured with it")
	}
	key := filepath.Join(l.Dir, "db.key")
	if err := os.WriteFile(key, []byte(strings.Repeat("0123456789abcdef", 4)+strings.Repeat("fedcba9876543210", 4)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("STRATA_SECRETS", "file:"+key+"=*")
	l.Configure(fmt.Sprintf(`{plain: {size: %[1]dMi, replicas: 1, export: nvmf: hosts: "any"}
locked: {size: %[1]dMi, replicas: 1, encryption: key: file: %[2]q, export: nvmf: hosts: "any"}}`, size, key))
	l.Apply(0)
	for _, volume := range []string{"plain", "locked"} {
		l.Write(volume, 0, Pattern(1, size*mib))
	}
	for _, block := range []int{4096, 128 << 10} {
		for _, work := range []string{"randread", "randwrite"} {
			got := map[string][]float64{}
			for range rounds {
				for _, volume := range []string{"plain", "locked"} {
					got[volume] = append(got[volume], l.perform(volume, work, block))
				}
			}
			plain, locked := median(got["plain"]), median(got["locked"])
			t.Logf("%s of %d bytes: %.1f MiB/s encrypted, %.1f plain: %.2f of it (encrypted %.0f, plain %.0f)", work, block, locked, plain, locked/plain, got["locked"], got["plain"])
		}
	}
}

// perform has a host do so with a volume for two seconds, 16 at a time, and returns MiB/s.
func (l *Lab) perform(volume, work string, block int) float64 {
	l.t.Helper()
	cmd := l.program(l.bin.Bdevperf, l.hostConfig(volume), "-q", "16", "-o", strconv.Itoa(block), "-w", work, "-t", "2")
	out, err := cmd.CombinedOutput()
	tidy(cmd.Process.Pid)
	m := results.FindSubmatch(out)
	if err != nil || m == nil || string(m[3]) != "0.00" {
		l.t.Fatalf("bdevperf: %v\n%s", err, out)
	}
	rate, _ := strconv.ParseFloat(string(m[2]), 64)
	return rate
}
