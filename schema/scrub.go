package schema

// Scrub says how often the layers of a volume are read on all replicas, and compared.
type Scrub struct {
	Every int64 // seconds, from the beginning of a round to that of the next
	Rate  int64 // bytes a second at most
}

// ScrubRate is the rate where none is set.
const ScrubRate = 100 << 20

// scrub reads how often a volume is scrubbed; nil where nothing is said.
func (s *spot) scrub() *Scrub {
	if s == nil {
		return nil
	}
	c := &Scrub{Rate: ScrubRate}
	o, ok := s.object(`a struct such as {every: "168h"}`)
	if !ok {
		return nil
	}
	o.only(scrubFields)
	c.Every, _ = o.required("every", `"168h"`).interval()
	o.field("rate").limit(&c.Rate, "bytes a second from 1Mi to 1Pi", minBandwidth, maxSize)
	return c
}
