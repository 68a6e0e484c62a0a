package report

import "testing"

// TestWritten: a replica has what is in its head and in the layers below, and nothing of what
// else stands on these.
func TestWritten(t *testing.T) {
	head := Layer{Name: "db.k3f7#5.2.4p", Kind: "head", Allocated: 1}
	stack := []Layer{{Name: "db.k3f7@3.base", Allocated: 10, Above: []Layer{
		{Name: "other.x2m4#2.1p", Kind: "clone", Allocated: 1000},
		{Name: "db.k3f7@4.~join", Allocated: 100, Above: []Layer{head}},
	}}}
	for _, test := range []struct {
		r    Replica
		want int64
	}{
		{Replica{Head: head.Name, Allocated: 1, Stack: stack}, 111},
		{Replica{Head: head.Name, Allocated: 1, Stack: []Layer{head}}, 1},
		{Replica{Head: head.Name, Allocated: 1}, 1},
	} {
		if got := test.r.Written(); got != test.want {
			t.Errorf("%v, not %v, of %+v", got, test.want, test.r.Stack)
		}
	}
}
