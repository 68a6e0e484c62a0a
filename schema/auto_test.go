package schema

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestParseAuto: every set that is whole is read back from its words, and no other is
// read.
func TestParseAuto(t *testing.T) {
	for a := range AllDuties + 1 {
		whole := true
		for d, first := range needs {
			whole = whole && (!a.Has(d) || a.Has(first))
		}
		switch got, err := ParseAuto(a.Words()); {
		case whole && (err != nil || got != a):
			t.Errorf("%s is read as %s (%v)", a, got, err)
		case !whole && err == nil:
			t.Errorf("%s is read, and something in it needs more", a)
		}
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var again Auto
		if err := json.Unmarshal(text, &again); whole && (err != nil || again != a) {
			t.Errorf("%s is read from %s as %s (%v)", a, text, again, err)
		}
	}
	for _, c := range []struct{ words, want string }{
		{"serve fense", `did you mean "fence"?`},
		{"serve serve", `names "serve" again`},
		{"serve rebuild", `"rebuild" needs "fence" (add "fence")`},
		{"fence", `"fence" needs "serve" (add "serve")`},
		{"destroy", "serve, fence, rebuild, change"},
	} {
		if _, err := ParseAuto(strings.Fields(c.words)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, and not %s", c.words, err, c.want)
		}
	}
}

// TestAutos: a volume's own word counts before the cluster's, and before both what is
// said instead. One that is laid out over parts is shown to hosts as such, so it is there
// beside its parts.
func TestAutos(t *testing.T) {
	cfg := &Config{Auto: AutoOf(DutyServe), Volumes: []*Volume{{Name: "a", Auto: AllDuties}, {Name: "b"}}, Wholes: []*Whole{{Volume: Volume{Name: "w", Auto: AllDuties}}}}
	if got := cfg.Autos(nil); len(got) != 4 || got["w"] != AllDuties || got[""] != AutoOf(DutyServe) || got["a"] != AllDuties || got["b"] != 0 {
		t.Errorf("%v", got)
	}
	none := Auto(0)
	if got := cfg.Autos(&none); len(got) != 4 || got["w"] != 0 || got[""] != 0 || got["a"] != 0 || got["b"] != 0 {
		t.Errorf("%v", got)
	}
}
