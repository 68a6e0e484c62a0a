package sim

// Strand has the next try of a target to connect to a peer again be one that has no end: the
// peer ends when the admin queue is connected and the I/O queues are not yet. While a target connects it counts none
// of the times after which it gives a peer up, and disables nothing. Detaching works.
func (t *Target) Strand() { t.c.locked(func() { t.strands = true }) }

// strand reports whether a try is that one.
func (ct *controller) strand() bool {
	if !ct.p.t.strands || ct.peer() == nil {
		return false
	}
	ct.p.t.strands, ct.stranded = false, true
	ct.epoch++ // nothing that was due happens any more
	return true
}
