package schema

import "time"

const defaultReplaceAfterSec = 10 * 60

// replaceAfter returns a time in seconds.
func (s *spot) replaceAfter() (int64, bool) {
	const want = `a time in whole seconds from "0s" to "8784h", such as "10m"`
	t, ok := s.text(want)
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(t)
	if err != nil || d < 0 || d > maxInterval || d%time.Second != 0 {
		s.wrong(inHours(t), "must be %s, not %q", want, t)
		return 0, false
	}
	return int64(d / time.Second), true
}
