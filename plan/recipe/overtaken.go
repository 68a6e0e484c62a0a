package recipe

// believe leaves an engine that serves nobody as it is while others may be ahead
// of it.
func (s *subject) believe() result {
	why := s.overtaken()
	if why == "" {
		return idle
	}
	s.b.block("volume "+s.v.Name, s.v.Pos, "make its other replicas readable, or say that it is current: --authority "+s.v.Name+"="+string(s.Engine), "its engine on %s serves no host yet and is left as it is: %s", s.Engine, why)
	return blocked
}

// overtaken says why an engine that serves nobody must not go on: it may have been
// overtaken while it could not be read, so it needs as many votes as one that
// is started; "" when it may.
func (s *subject) overtaken() string {
	if s.Engine == "" || s.serves() || s.b.opt.Authority[s.v.Name] == s.Engine {
		return ""
	}
	return s.inc.Minority(s.b.question(s.v))
}
