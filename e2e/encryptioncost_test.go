package e2e

import (
	"strconv"
	"strings"
	"testing"
)

// TestEncryptionCost prints what encryption leaves of what one core does with a disk of memory, in the process that
// does both, in turns. Without encryption the core does nothing but copy, so no network and no disk hides what it takes.
func TestEncryptionCost(t *testing.T) {
	const blocks, rounds = 64 << 20 / 4096, 5
	l := NewLabOf(t, gib)
	if l.bin.Bdevperf == "" {
		t.Skip("set BDEVPERF: it is measured with it")
	}
	disk := func(name string) call {
		return call{"bdev_malloc_create", map[string]any{"name": name, "num_blocks": blocks, "block_size": 4096}}
	}
	plain := []call{disk("plain")}
	encrypted := []call{disk("beneath"),
		{"accel_crypto_key_create", map[string]any{"name": "k", "cipher": "AES_XTS", "key": strings.Repeat("0123456789abcdef", 2), "key2": strings.Repeat("fedcba9876543210", 2)}},
		{"bdev_crypto_create", map[string]any{"name": "encrypted", "base_bdev_name": "beneath", "key_name": "k"}}}
	for _, block := range []int{4096, 128 << 10} {
		for _, work := range []string{"randread", "randwrite"} {
			var with, without []float64
			for range rounds {
				without = append(without, l.perform(plain, work, block))
				with = append(with, l.perform(encrypted, work, block))
			}
			t.Logf("%s of %d bytes: %.0f MiB/s encrypted, %.0f plain: %.2f of it (encrypted %.0f, plain %.0f)", work, block, median(with), median(without), median(with)/median(without), with, without)
		}
	}
}

// perform has a core do so with a disk for a second, 16 at a time, and returns MiB/s.
func (l *Lab) perform(disk []call, work string, block int) float64 {
	l.t.Helper()
	cmd := l.program(l.bin.Bdevperf, disk, "-q", "16", "-o", strconv.Itoa(block), "-w", work, "-t", "1")
	out, err := cmd.CombinedOutput()
	tidy(cmd.Process.Pid)
	m := results.FindSubmatch(out)
	if err != nil || m == nil || string(m[3]) != "0.00" {
		l.t.Fatalf("bdevperf: %v\n%s", err, out)
	}
	rate, _ := strconv.ParseFloat(string(m[2]), 64)
	return rate
}
