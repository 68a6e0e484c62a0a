package machine

import "strata/plan"

// Import is what import --json prints; import.cue says what it means.
type Import struct {
	Format  int           `json:"format"`
	File    string        `json:"file,omitempty"`
	Text    string        `json:"text"`
	Pools   []string      `json:"pools"`
	Volumes []string      `json:"volumes"`
	Offers  []string      `json:"offers"`
	Strange []string      `json:"strange"`
	Left    []plan.Remark `json:"left"`
	Plan    *plan.Outline `json:"plan"`
}
