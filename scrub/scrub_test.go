package scrub

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"strata/lineage"
)

// layer is a copy on a node: of each block a letter, "." for one that it does not have.
func layer(node, blocks string) Copy {
	c := Copy{Node: lineage.Node(node), Lvstore: "lab.fast", Layer: "db.k3f7@2.a", UUID: lineage.UUID("u-" + node), Block: 1 << 20}
	for i, letter := range blocks {
		if letter != '.' {
			c.Sums = append(c.Sums, Sum{int64(i), [32]byte{byte(letter)}})
		}
	}
	return c
}

func TestCompare(t *testing.T) {
	record := func(blocks string) Record {
		return func(at int64) ([32]byte, bool) {
			if at >= int64(len(blocks)) || blocks[at] == '?' {
				return [32]byte{}, false
			}
			return [32]byte{blocks[at]}, true
		}
	}
	was := func(copies ...Copy) map[lineage.UUID]Copy {
		all := map[lineage.UUID]Copy{}
		for _, c := range copies {
			all[c.UUID] = c
		}
		return all
	}
	for _, x := range []struct {
		name    string
		now     []Copy
		earlier map[lineage.UUID]Copy
		record  Record
		want    string
	}{
		{"equal", []Copy{layer("n1", "ab.c"), layer("n2", "ab.c")}, nil, nil, ""},
		{"of two nobody is odd", []Copy{layer("n1", "abbc"), layer("n2", "axyc")}, nil, nil, "differ 1-3 []"},
		{"one lacks a block", []Copy{layer("n1", "ab"), layer("n2", "a.")}, nil, nil, "differ 1-2 []"},
		{"of three one is odd", []Copy{layer("n1", "abc"), layer("n2", "axc"), layer("n3", "abc")}, nil, nil, "differ 1-2 [n2]"},
		{"three that all differ", []Copy{layer("n1", "a"), layer("n2", "b"), layer("n3", "c")}, nil, nil, "differ 0-1 []"},
		{"two of four are no majority", []Copy{layer("n1", "a"), layer("n2", "a"), layer("n3", "b"), layer("n4", "b")}, nil, nil, "differ 0-1 []"},
		{"an archive knows", []Copy{layer("n1", "abc"), layer("n2", "axc")}, nil, record("abc"), "differ 1-2 [n2] recorded"},
		{"an archive knows better than most", []Copy{layer("n1", "x"), layer("n2", "x"), layer("n3", "a")}, nil, record("a"), "differ 0-1 [n1 n2] recorded"},
		{"an archive has something else than all", []Copy{layer("n1", "a"), layer("n2", "a")}, nil, record("x"), "differ 0-1 []"},
		{"what the layer has not is of another", []Copy{layer("n1", ".a"), layer("n2", ".a")}, nil, record("xa"), ""},
		{"it differed before", []Copy{layer("n1", "ab"), layer("n2", "ax")}, was(layer("n1", "ab"), layer("n2", "ax")), nil, ""},
		{"it has changed", []Copy{layer("n1", "ab"), layer("n2", "ay")}, was(layer("n1", "ab"), layer("n2", "ax")), nil, "changed 1-2 [n2]"},
		{"it is gone", []Copy{layer("n1", "ab"), layer("n2", "a.")}, was(layer("n1", "ab"), layer("n2", "ab")), nil, "changed 1-2 [n2]"},
		{"it has come", []Copy{layer("n1", "a.b"), layer("n2", "a.")}, was(layer("n1", "a."), layer("n2", "a.")), nil, "changed 2-3 [n1]"},
		{"one was not read before", []Copy{layer("n1", "ab"), layer("n2", "ax")}, was(layer("n1", "ab")), nil, "differ 1-2 []"},
		{"one copy", []Copy{layer("n1", "ab")}, was(layer("n1", "ax")), nil, "changed 1-2 [n1]"},
		{"two stretches", []Copy{layer("n1", "abcde"), layer("n2", "xbcyz")}, nil, nil, "differ 0-1 []; differ 3-5 []"},
	} {
		var got []string
		for _, f := range Compare(x.now, x.earlier, x.record) {
			text := fmt.Sprintf("%s %d-%d %v", f.Kind, f.From>>20, f.To>>20, f.Odd)
			if f.Recorded {
				text += " recorded"
			}
			got = append(got, text)
		}
		if strings.Join(got, "; ") != x.want {
			t.Errorf("%s: %q, not %q", x.name, got, x.want)
		}
	}
}

func TestFile(t *testing.T) {
	want := []Copy{layer("n1", "ab.c"), layer("n2", "")}
	var file bytes.Buffer
	if err := Write(&file, want); err != nil {
		t.Fatal(err)
	}
	text := file.String()
	got, err := Read(&file)
	if err != nil || len(got) != 2 || !reflect.DeepEqual(got[0], want[0]) || len(got[1].Sums) != 0 || got[1].UUID != "u-n2" {
		t.Fatalf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "{}\n", text[:len(text)-20], strings.Replace(text, `"sums":"`, `"sums":"AAAA`, 1), header + "\n{\"sums\":1}\n"} {
		if _, err := Read(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestSort(t *testing.T) {
	got := Sort([]Sum{{2, [32]byte{1}}, {0, [32]byte{1}}, {2, [32]byte{2}}})
	if want := []Sum{{0, [32]byte{1}}, {2, [32]byte{2}}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}
