package schema

import (
	"strings"
	"testing"
	"time"
)

func TestWithin(t *testing.T) {
	want := &Config{}
	got, err := Within(time.Minute, "--limit", func() (*Config, error) { return want, nil })
	if got != want || err != nil {
		t.Error(got, err)
	}
	end := make(chan bool)
	defer close(end)
	_, err = Within(30*time.Millisecond, "--limit", func() (*Config, error) { <-end; return nil, nil })
	if err == nil || !strings.Contains(err.Error(), "not evaluated after 30ms, the limit of --limit") || !strings.Contains(err.Error(), "--limit 300ms") {
		t.Error(err)
	}
}

// TestMemoryIsSeen: what Within compares grows with what is kept.
func TestMemoryIsSeen(t *testing.T) {
	before := memoryUsed()
	kept := make([]byte, 256<<20)
	for i := 0; i < len(kept); i += 4096 {
		kept[i] = 1
	}
	if grown := memoryUsed() - before; grown < 128<<20 {
		t.Errorf("256 MiB are seen as %d bytes", grown)
	}
	if kept[0] != 1 || freeMemory() < 1<<30 {
		t.Error("no memory")
	}
}
