package state

import "strata/lineage"

// Forerunner is the lvol that hosts use in place of a head of an incarnation, or may have used
// before it had one; nil for none.
func (inc *Incarnation) Forerunner() *Placed {
	for i, o := range inc.Others {
		if st, is := o.Lvol.Parsed.(lineage.Staging); is && st.Forerunner() {
			return &inc.Others[i]
		}
	}
	return nil
}

// Reads reports whether an lvol shows all that it is to: it reads through no other, or through
// what comes by a controller that is connected.
func (l *Lvol) Reads(c *Controller) bool {
	return l.Complete() || c != nil && c.State == "enabled" && !l.Degraded
}
