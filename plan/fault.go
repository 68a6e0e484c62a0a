package plan

// fault is a section that cannot be planned, or must not be carried out.
type Fault struct {
	Key Key
	Err error
}

func (f *Fault) Error() string { return f.Key.String() + ": " + f.Err.Error() }

func (f *Fault) Unwrap() error { return f.Err }
