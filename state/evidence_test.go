package state

import (
	"slices"
	"testing"

	"strata/spdk"
)

// A target tells of bdevs in the order in which it came to them, whatever they were asked in.
func TestEvidenceByName(t *testing.T) {
	ok, failed := map[string]uint64{}, map[string]uint64{"failed": 1}
	for _, c := range []struct {
		told []spdk.BdevStat
		want []string
		none bool
	}{
		{told: []spdk.BdevStat{{Name: "u1", Errors: ok}, {Name: "u2", Errors: failed}}, want: []string{"u2"}},
		{told: []spdk.BdevStat{{Name: "u2", Errors: failed}, {Name: "u1", Errors: ok}}, want: []string{"u2"}},
		{told: []spdk.BdevStat{{Name: "u2", Errors: ok}, {Name: "u1"}}, none: true},
		{told: []spdk.BdevStat{{Name: "u2", Errors: ok}, {Name: "u2", Errors: ok}}, none: true},
		{told: []spdk.BdevStat{{Name: "u2", Errors: ok}}, none: true},
	} {
		q := &question{bdevs: []string{"u1", "u2"}, stat: spdk.Iostat{Bdevs: c.told}}
		if e := q.answer(); (e == nil) != c.none || e != nil && !slices.Equal(e.Failed, c.want) {
			t.Errorf("of %+v it says %+v", c.told, e)
		}
	}
}
