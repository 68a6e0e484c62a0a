package schema

import "testing"

func TestNearest(t *testing.T) {
	fields := []string{"size", "replicas", "engine", "export", "protect"}
	for name, want := range map[string]string{
		"replica": "replicas", "Size": "size", "enigne": "engine", "exports": "export", "protected": "protect",
		"head": "", "from": "", "snapshots": "", "": "",
	} {
		if got, ok := nearest(name, fields); got != want && ok || ok != (want != "") {
			t.Errorf("nearest(%q) = %q, %v; want %q", name, got, ok, want)
		}
	}
	if got, ok := nearest("n9", []string{"n1", "n2"}); ok {
		t.Errorf("two names are as near, and %q was chosen", got)
	}
}

func TestSizes(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 1 << 20: "1Mi", 64 << 30: "64Gi", 1536 << 20: "1536Mi", 1000: "1000"} {
		if got := SizeText(n); got != want {
			t.Errorf("SizeText(%d) = %s, want %s", n, got, want)
		}
	}
}
