package report

import "strata/lineage"

// Written is how much has been written to a replica, in bytes: what its head has, and the layers
// that it stands on. What was overwritten after a layer was cut counts in both.
func (r Replica) Written() int64 {
	for _, bottom := range r.Stack {
		if n, ok := bottom.upTo(r.Head); ok {
			return n
		}
	}
	return r.Allocated
}

// upTo adds up a layer and what leads from it to a head; false if that does not stand on it.
func (l Layer) upTo(head lineage.LvolName) (n int64, ok bool) {
	if l.Name == head {
		return l.Allocated, true
	}
	for _, above := range l.Above {
		if n, ok := above.upTo(head); ok {
			return l.Allocated + n, true
		}
	}
	return 0, false
}
