package policy

import (
	"fmt"
	"strings"

	"cuelang.org/go/cue"

	"strata/amount"
)

// difference is the first field in which a value is not as a pattern wants.
type difference struct {
	path string
	text string
	want cue.Value
}

// at is where the pattern says so.
func (d difference) at(pattern cue.Value) cue.Value {
	if d.want.Exists() {
		return d.want
	}
	return pattern
}

// differs finds what in got is not as want says.
func differs(ctx *cue.Context, want, got cue.Value, path string) difference {
	if isStruct(want) && len(alternatives(want)) == 1 {
		it, err := want.Fields(cue.Optional(true))
		for err == nil && it.Next() {
			name := it.Selector().Unquoted()
			below := strings.TrimPrefix(path+"."+name, ".")
			field := got.LookupPath(cue.MakePath(cue.Str(name)))
			switch {
			case !field.Exists() && !it.IsOptional():
				return difference{below, fmt.Sprintf("it has no %s, and the rule wants %s", below, wanted(below, it.Value())), it.Value()}
			case field.Exists() && !complies(ctx, it.Value(), field):
				return differs(ctx, it.Value(), field, below)
			}
		}
	}
	// Of several constraints, the one that fails.
	if op, args := want.Expr(); op == cue.AndOp {
		for _, a := range args {
			if !complies(ctx, a, got) {
				want = a
				break
			}
		}
	}
	return difference{path, fmt.Sprintf("%s is %s, and the rule wants %s", path, shown(path, got), wanted(path, want)), want}
}

// counts reports whether a field is a number of bytes.
func counts(path string) bool { return path == "bytes" || path == "copyBytes" }

// wanted is a constraint for people.
func wanted(path string, v cue.Value) string {
	if op, args := v.Expr(); counts(path) && len(args) == 1 {
		switch n, err := args[0].Int64(); {
		case err != nil:
		case op == cue.NoOp:
			return amount.Bytes(n)
		case op != cue.SelectorOp:
			return op.String() + amount.Bytes(n)
		}
	}
	return written(v)
}

// shown is a value for people.
func shown(path string, v cue.Value) string {
	if n, err := v.Int64(); err == nil && counts(path) {
		return amount.Bytes(n)
	}
	return written(v)
}
