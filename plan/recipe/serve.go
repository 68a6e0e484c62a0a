package recipe

import "strata/schema"

// serveUnserved brings a volume that no engine serves to what is configured. One that
// nobody is to reach and that has one replica needs no engine: it is rebuilt as
// it is. It reports whether its layers may be looked at.
func (s *subject) serveUnserved() bool {
	before := s.sec.steps()
	if !s.raise() {
		return false
	}
	if s.Device == "" && s.v.Export.Kind == schema.ExportNone && s.sec.steps() == before && !s.shaken() {
		s.try(rebuilding)
		s.try(standing) // what there is of that goes
	}
	s.try(tidying)
	return true
}

// start serves a volume again that was taken down in the middle of a recipe.
func (s *subject) start() {
	if s.raise() {
		s.try(tidying)
	}
}

// raise serves a volume that no engine serves. It reports whether all of that could
// be tried.
func (s *subject) raise() bool {
	before := s.sec.steps()
	defer func() {
		if s.sec.steps() > before {
			s.b.examineAgain(s.Legs)
		}
	}()
	return s.through(starting)
}

// hold keeps an export that is to go while its engine would not be believed
// without it.
func (s *subject) hold() result {
	s.inc = s.b.w.Incarnation(s.id)
	if why := s.bound(); why != "" {
		s.b.block("volume "+s.v.Name, s.v.At("export"), "", "it stays exported as it is: %s", why)
		return blocked
	}
	return idle
}
