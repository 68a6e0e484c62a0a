package report

import (
	"fmt"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// Encryption is what the names of a volume's replicas say of the key that it is encrypted with.
type Encryption struct {
	// Check tells its key from others, as the names do; "" while nothing was written to it with
	// any key, or where it is to have none.
	Check lineage.Check `json:"check,omitempty"`
	// Changing is how far it is on its way from one key to another, or none; nil of one that
	// stays as it is.
	Changing *Rekeying `json:"changing,omitempty"`
}

// Rekeying is how many of a volume's replicas are written with another key than the former.
type Rekeying struct {
	Former lineage.Check `json:"former,omitempty"` // "": it was not encrypted
	Done   int           `json:"done"`
	Of     int           `json:"of"`
}

// String says it in a line.
func (e *Encryption) String() string {
	is := "encrypted with the key of check " + string(e.Check)
	switch c := e.Changing; {
	case c != nil && c.Former == "":
		return fmt.Sprintf("not encrypted yet: %d of %d replicas are", c.Done, c.Of)
	case c != nil:
		return fmt.Sprintf("its key changes: %d of %d replicas are written with another than that of check %s", c.Done, c.Of, c.Former)
	case e.Check == "":
		return "encrypted, and nothing is written to it with any key yet"
	}
	return is
}

// encryption is that of an incarnation; nil for one that is not encrypted.
func encryption(v *schema.Volume, inc *state.Incarnation, legs []state.CurrentLeg) *Encryption {
	check, changing := inc.Check(), &Rekeying{Of: v.Replicas.Count}
	former := v.Encryption != nil && v.Encryption.Former != nil
	if former {
		changing.Former = v.Encryption.Former.Check
	}
	outdated := false
	for i, l := range legs {
		switch {
		case l.Head == nil:
		case former && l.Head.Name.Check == changing.Former:
			outdated = true
		default:
			changing.Done++
		}
		if l.Head != nil && (i == 0 || check == lineage.Unkeyed || check == changing.Former) {
			check = l.Head.Name.Check // what is being written beside them is none of them
		}
	}
	switch {
	case outdated:
		return &Encryption{check, changing}
	case check == "":
		return nil
	case check == lineage.Unkeyed:
		check = ""
	}
	return &Encryption{Check: check}
}
