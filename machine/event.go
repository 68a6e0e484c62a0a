package machine

import (
	"time"

	"strata/lineage"
	"strata/plan"
)

// Format is the version of the form of events.
const Format = 1

// Head is in every event.
type Head struct {
	Event string `json:"event"`
	Time  string `json:"time"` // RFC 3339
}

// The events of a run, each a line; events.cue says what they mean.
type (
	// Begin is the first.
	Begin struct {
		Head
		Format  int             `json:"format"`
		Version string          `json:"version"` // of strata
		Cluster lineage.Cluster `json:"cluster"`
	}
	// Step is a step that has started, finished or failed.
	Step struct {
		Head
		Pass    int              `json:"pass"`
		Section string           `json:"section"`
		Step    plan.OutlineStep `json:"step"`
		Seconds *float64         `json:"seconds,omitempty"`
		Error   string           `json:"error,omitempty"`
	}
	// Progress is how far the copy of a layer is.
	Progress struct {
		Head
		Volume      string           `json:"volume"`
		Layer       lineage.LvolName `json:"layer"`
		From        lineage.Node     `json:"from"`
		To          lineage.Node     `json:"to"`
		Archive     string           `json:"archive,omitempty"`
		CopiedBytes int64            `json:"copiedBytes"`
		TotalBytes  int64            `json:"totalBytes"`
		// Of all copies of the run, as far as it is known what there will be.
		AllCopiedBytes int64 `json:"allCopiedBytes,omitempty"`
		AllTotalBytes  int64 `json:"allTotalBytes,omitempty"`
	}
	// Note is what the run has to say of itself.
	Note struct {
		Head
		Text string `json:"text"`
	}
	// Summary is the last.
	Summary struct {
		Head
		Result     string           `json:"result"`
		ExitCode   int              `json:"exitCode"`
		Error      string           `json:"error,omitempty"`
		Passes     int              `json:"passes"`
		Steps      int              `json:"steps"`
		Seconds    float64          `json:"seconds"`
		Failures   []Failure        `json:"failures"`
		Blocked    []plan.Remark    `json:"blocked"`
		Notes      []plan.Remark    `json:"notes"`
		Deviations []string         `json:"deviations"`
		Others     []string         `json:"others"`
		Violations []plan.Violation `json:"violations,omitempty"`
	}
)

// Failure is a section that was given up.
type Failure struct {
	Section string           `json:"section"`
	Step    plan.OutlineStep `json:"step"`
	Error   string           `json:"error"`
}

// At makes the head of an event.
func At(event string, t time.Time) Head { return Head{event, t.UTC().Format(time.RFC3339Nano)} }
