package page

import (
	"slices"

	"strata/report"
	"strata/view"
)

// Whole is a volume that is laid out over others, which are shown behind it.
type Whole struct {
	report.Whole
	ID string // on the page
}

// wholes are those of the volumes that were asked for, or all; and the names that are
// asked for then: the parts of a whole with it.
func wholes(v *view.View, asked []string) (all []Whole, names []string) {
	if names = asked; v.Report == nil {
		return nil, names
	}
	for _, w := range v.Report.Wholes {
		if len(asked) > 0 && !slices.Contains(asked, w.Name) {
			continue
		}
		all = append(all, Whole{w, "whole-" + w.Name})
		if len(asked) > 0 {
			for _, p := range w.Parts {
				names = append(slices.Clip(names), p.Name)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Whole) int { return view.Worse(a.Health, b.Health) })
	return all, names
}
