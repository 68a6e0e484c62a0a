package plan

// fault is a section that cannot be planned, or must not be carried out.
type Fault struct {
	Key string
	Err error
}

func (f *Fault) Error() string { return f.Key + ": " + f.Err.Error() }

func (f *Fault) Unwrap() error { return f.Err }
