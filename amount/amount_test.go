package amount

import (
	"strings"
	"testing"
)

func TestSizes(t *testing.T) {
	for n, want := range map[int64][2]string{
		0:                {"0 B", "0 B"},
		1:                {"1 B", "1 B"},
		1000:             {"1000 B", "1000 B"},
		1 << 10:          {"1Ki", "1Ki"},
		1536:             {"1536 B", "1536 B"},
		15 << 9:          {"7680 B", "7680 B"},
		12345:            {"12345 B", "12.1Ki"},
		64 << 30:         {"64Gi", "64Gi"},
		3 << 29:          {"1536Mi", "1536Mi"},
		10000<<20 + 1:    {"10485760001 B", "9.8Gi"},
		12345 << 20:      {"12345Mi", "12.1Gi"},
		1 << 50:          {"1Pi", "1Pi"},
		1<<60 + 1<<50:    {"1025Pi", "1025Pi"},
		5001 << 50:       {"5001Pi", "5001Pi"},
		1023<<40 + 1<<30: {"1047553Gi", "1023.0Ti"},
	} {
		if got := [2]string{Bytes(n), About(n)}; got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestOf(t *testing.T) {
	for _, c := range []struct {
		n          int
		what, want string
	}{{0, "step", "0 steps"}, {1, "step", "1 step"}, {2, "step", "2 steps"}, {1, "pass", "1 pass"}, {3, "pass", "3 passes"}} {
		if got := Of(c.n, c.what); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestOutOf(t *testing.T) {
	for _, c := range []struct {
		n, of int
		want  string
	}{{1, 2, "1 of 2 replicas is"}, {2, 3, "2 of 3 replicas are"}, {0, 1, "0 of 1 replica are"}, {1, 1, "1 of 1 replica is"}} {
		if got := OutOf(c.n, c.of, "replica", "is", "are"); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestVerb(t *testing.T) {
	for n, want := range map[int]string{0: "are", 1: "is", 2: "are"} {
		if got := Verb(n, "is", "are"); got != want {
			t.Errorf("Verb(%d): %q, want %q", n, got, want)
		}
	}
}

func TestList(t *testing.T) {
	for want, names := range map[string]string{
		"none": "", "a": "a", "a and b": "a b", "a, b and c": "a b c",
		"a, b, c, d, e, f, g, h and 2 more": "a b c d e f g h i j",
	} {
		if got := List(strings.Fields(names)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
