package plan

import (
	"cmp"
	"encoding/json"
	"slices"
	"testing"

	"strata/lineage"
)

// Every key reads back as what it was written from, and keys sort as their texts.
func TestKeyText(t *testing.T) {
	all := map[Key]string{
		NodeKey("n1"): "node n1",
		LinkKey(lineage.Link{From: "n1", To: "n2"}): "link n1 → n2",
		VolumeKey("db"): "volume db",
		IncarnationKey(lineage.Volume{Name: "db", ID: "k3f7"}): "volume db.k3f7",
		GroupKey("g"): "group g",
	}
	var keys []Key
	for k, text := range all {
		if k.String() != text {
			t.Errorf("%#v is %q, want %q", k, k, text)
		}
		keys = append(keys, k)
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	var back map[Key]string
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	for k, text := range all {
		if back[k] != text {
			t.Errorf("%s is not read back: %s", k, b)
		}
	}
	slices.SortFunc(keys, Key.Compare)
	if !slices.IsSortedFunc(keys, func(a, b Key) int { return cmp.Compare(a.String(), b.String()) }) {
		t.Errorf("sorted as %v", keys)
	}
}

func TestNoKey(t *testing.T) {
	for _, text := range []string{"", "node", "node ", "pool n1/fast", " n1", "Volume db"} {
		var k Key
		if err := k.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for %#v", text, k)
		}
	}
	if text := (Key{}).String(); text != "" {
		t.Errorf("no section is called %q", text)
	}
}

func TestKeyVolume(t *testing.T) {
	for k, want := range map[Key]lineage.Volume{
		VolumeKey("db"): {Name: "db"},
		IncarnationKey(lineage.Volume{Name: "db", ID: "k3f7"}): {Name: "db", ID: "k3f7"},
		NodeKey("db"): {},
	} {
		if v, ok := k.Volume(); v != want || ok != (want.Name != "") {
			t.Errorf("%s is of %v, %v; want %v", k, v, ok, want)
		}
	}
}
