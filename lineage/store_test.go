package lineage

import (
	"strings"
	"testing"
)

func TestStoresRoundTrip(t *testing.T) {
	long := strings.Repeat("p", MaxName)
	for name, want := range map[string]Store{
		"lab.fast.k3f7": {"lab", "fast", "k3f7"},
		"lab.fast.????": {"lab", "fast", Pending},
		"lab.fast":      {"lab", "fast", ""},
		Store{Cluster(long), long, "k3f7"}.Lvstore(): {Cluster(long), long, "k3f7"},
	} {
		got, ok := ParseStore(name)
		if !ok || got != want || got.Lvstore() != name {
			t.Errorf("ParseStore(%q) = %v, %v, which formats as %q", name, got, ok, got.Lvstore())
		}
		if len(name) > MaxLvolName {
			t.Errorf("%q has %d bytes", name, len(name))
		}
	}
	for _, name := range []string{"", "lvs0", "lab.", ".fast", "lab.fast.", "lab.fast.k3f", "lab.fast.K3F7", "lab.fast.k3f7.x", "lab.f/st"} {
		if s, ok := ParseStore(name); ok {
			t.Errorf("ParseStore(%q) = %v, want none", name, s)
		}
	}
}
