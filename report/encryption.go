package report

import (
	"strata/lineage"
	"strata/state"
)

// Encryption is what the names of a volume's heads say of the key that it is encrypted with.
type Encryption struct {
	// Check tells its key from others, as the names do; "" while nothing was written to it with
	// any key.
	Check lineage.Check `json:"check,omitempty"`
}

// String says it in a line.
func (e *Encryption) String() string {
	if e.Check == "" {
		return "encrypted, and nothing is written to it with any key yet"
	}
	return "encrypted with the key of check " + string(e.Check)
}

// encryption is that of an incarnation; nil for one that is not encrypted.
func encryption(inc *state.Incarnation) *Encryption {
	check := inc.Check()
	switch check {
	case "":
		return nil
	case lineage.Unkeyed:
		check = ""
	}
	return &Encryption{check}
}
