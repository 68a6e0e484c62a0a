package apply

import (
	"fmt"
	"testing"

	"strata/plan"
)

// TestAttaching: of a section there is left what an end of the run would leave that comes
// once disks are attached.
func TestAttaching(t *testing.T) {
	options, disk := plan.Step{Op: plan.InitiatorOptions{}}, plan.Step{Op: plan.DiskAttach{}}
	other := plan.Step{Op: plan.TransportCreate{}}
	for _, test := range []struct {
		stages [][]plan.Step
		want   string // steps in each stage
	}{
		{nil, "[]"},
		{[][]plan.Step{{disk, disk}}, "[2]"},
		{[][]plan.Step{{options}, {disk}, {other}}, "[1 1]"},
		{[][]plan.Step{{options}, {disk, other}, {disk}}, "[1 1]"},
		{[][]plan.Step{{options, other}, {disk}}, "[]"},
		{[][]plan.Step{{disk, other}}, "[1]"},
		{[][]plan.Step{{other}, {disk}}, "[]"},
		{[][]plan.Step{{options}, {other}}, "[]"},
		{[][]plan.Step{{disk}, {options}, {other}}, "[1]"},
	} {
		counts := []int{}
		for _, stage := range attaching(test.stages) {
			counts = append(counts, len(stage))
		}
		if got := fmt.Sprint(counts); got != test.want {
			t.Errorf("%v leaves %s, not %s", test.stages, got, test.want)
		}
	}
}
