package plan

// Words says what an op does, without its node.
func Words(op Op) string { return op.Words() }
