package recipe

import "strata/schema"

// endOthers ends the engines that are not believed, before anything the
// volume's own does: an operator has given them up.
func (s *subject) endOthers() result {
	if s.Engine != "" && !s.may(schema.DutyFence) || !s.endStrays() {
		return idle
	}
	s.reread()
	return acted
}
