package policy

import "cuelang.org/go/cue"

// instance reports whether v has all fields of a pattern, with values that it
// allows. What else v has does not matter, also where the pattern is a closed
// struct: a definition such as #Prod is one, and no step has only its fields.
func instance(ctx *cue.Context, pattern, v cue.Value) bool {
	_, ok := matched(ctx, pattern, v, true)
	return ok
}

// complies is instance for what a rule requires: there a closed struct of labels
// says that there is to be no other label.
func complies(ctx *cue.Context, pattern, v cue.Value) bool {
	_, ok := matched(ctx, pattern, v, false)
	return ok
}

// matched finds an alternative of the pattern that v is an instance of, and
// returns v without the fields that this alternative is closed to.
func matched(ctx *cue.Context, pattern, v cue.Value, deep bool) (cue.Value, bool) {
	for _, p := range alternatives(pattern) {
		if p.Subsume(v, cue.Final()) == nil {
			return v, true
		}
		if !isStruct(p) || !isStruct(v) {
			continue
		}
		if part := within(ctx, p, v, deep); p.Subsume(part, cue.Final()) == nil {
			return part, true
		}
	}
	return v, false
}

// within is v without the fields that p is closed to; with deep, those of its
// structs as well.
func within(ctx *cue.Context, p, v cue.Value, deep bool) cue.Value {
	part := ctx.CompileString("{}")
	it, err := v.Fields()
	for err == nil && it.Next() {
		name := it.Selector().Unquoted()
		path := cue.MakePath(cue.Str(name))
		if !p.Allows(cue.Str(name)) {
			continue
		}
		field := it.Value()
		for _, at := range []cue.Path{path, cue.MakePath(cue.Str(name).Optional())} {
			if below := p.LookupPath(at); deep && below.Exists() && isStruct(below) && isStruct(field) {
				field, _ = matched(ctx, below, field, deep)
				break
			}
		}
		part = part.FillPath(path, field)
	}
	return part
}

func isStruct(v cue.Value) bool { return v.IncompleteKind() == cue.StructKind }

// alternatives takes a pattern apart that is one struct or another, wherever the
// "|" is written: each may be closed, and to other fields.
func alternatives(p cue.Value) []cue.Value {
	p = cue.Dereference(p)
	if !isStruct(p) {
		return []cue.Value{p}
	}
	var all []cue.Value
	switch op, args := p.Expr(); op {
	case cue.OrOp:
		for _, a := range args {
			all = append(all, alternatives(a)...)
		}
	case cue.AndOp:
		for _, a := range args {
			all = both(all, alternatives(a))
		}
	}
	if len(all) <= 1 {
		return []cue.Value{p}
	}
	return all
}

// both are the values that are one of each list.
func both(some, others []cue.Value) []cue.Value {
	if some == nil {
		return others
	}
	var all []cue.Value
	for _, a := range some {
		for _, b := range others {
			if v := a.Unify(b); v.Err() == nil {
				all = append(all, v)
			}
		}
	}
	return all
}
