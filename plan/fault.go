package plan

// fault is a section that cannot be planned, or must not be carried out.
type fault struct {
	key string
	err error
}

func (f *fault) Error() string { return f.key + ": " + f.err.Error() }

func (f *fault) Unwrap() error { return f.err }
