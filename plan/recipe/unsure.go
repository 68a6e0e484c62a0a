package recipe

// unsure leaves a volume down whose legs may be those of a copy.
func (s *subject) unsure() result {
	why := s.b.unsure(s.Legs)
	if why == "" {
		return idle
	}
	s.b.block("volume "+s.v.Name, s.v.Pos, "correct the path, or take one of the disks away", "%s", why)
	return blocked
}
