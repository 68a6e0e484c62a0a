package secret

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"strata/lineage"
)

func TestParseKey(t *testing.T) {
	a, b := strings.Repeat("0a", 16), strings.Repeat("B1", 16)
	for text, ok := range map[string]bool{
		a + b: true, a + a + b + b: true, a + a: false, a: false, "": false, a + b + a: false, a + strings.Repeat("zz", 16): false, a + b + "\n": false,
	} {
		k, err := ParseKey(text)
		if (err == nil) != ok {
			t.Errorf("%d digits: %v", len(text), err)
		}
		if err != nil && len(text) > 2 && strings.Contains(err.Error(), text[:2]) {
			t.Errorf("it says what was there: %v", err)
		}
		if data, place := k.Halves(); ok && data+place != text {
			t.Error("the halves are others")
		}
		printed, err := json.Marshal(k) //nolint:staticcheck // that nothing of it is told is what is asked
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{fmt.Sprint(k), fmt.Sprintf("%v %+v %#v %s %q", k, k, k, k, []VolumeKey{k}), string(printed)} {
			if strings.Contains(text, a[:8]) {
				t.Errorf("it is printed: %s", text)
			}
		}
	}
}

// TestCheck: it is another for another key, incarnation or cluster, and stays the same.
func TestCheck(t *testing.T) {
	key := func(text string) VolumeKey {
		k, err := ParseKey(strings.Repeat(text, 16) + strings.Repeat("ff", 16))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	db := lineage.Volume{Name: "db", ID: "k3f7"}
	seen := map[lineage.Check]bool{}
	for _, c := range []lineage.Check{
		key("00").Check("lab", db), key("01").Check("lab", db), key("00").Check("lab2", db), key("00").Check("lab", lineage.Volume{Name: "db", ID: "aaaa"}),
	} {
		if seen[c] || c == lineage.Unkeyed || !lineage.ValidCheck(c) {
			t.Errorf("%s is not its own", c)
		}
		seen[c] = true
	}
	if got := key("00").Check("lab", db); got != "hmze" {
		t.Errorf("the check of a key has changed, to %s: no volume that is there could be opened", got)
	}
}
