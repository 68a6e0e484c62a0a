package recipe

// result is what came of a recipe that was tried on a volume.
type result int

const (
	idle    result = iota // there is nothing to do
	acted                 // this pass does something about it
	blocked               // it cannot be done now, and the recipe has said why
)

// tally is how much was planned for a volume, and said of any, so far.
type tally struct{ steps, said int }

func (s *subject) tally() tally { return tally{s.sec.steps(), len(s.b.blocked)} }

// since is the result of what was done after a tally.
func (s *subject) since(t tally) result {
	switch now := s.tally(); {
	case now.steps > t.steps:
		return acted
	case now.said > t.said:
		return blocked
	}
	return idle
}
