// Package amount writes amounts for people: sizes, and how many there are of
// something. It knows nothing of what they are of, and reads none.
package amount

import (
	"fmt"
	"strings"
)

var units = []string{" B", "Ki", "Mi", "Gi", "Ti", "Pi"}

// Bytes writes a size exactly, in the largest binary unit that divides it: "64Gi",
// "1536Mi", "1000 B". It is for what is compared, configured or carried out.
func Bytes(n int64) string {
	u := 0
	for u < len(units)-1 && n != 0 && n%1024 == 0 {
		n /= 1024
		u++
	}
	return fmt.Sprintf("%d%s", n, units[u])
}

// About writes a size to be looked at: as Bytes does if that has no more than four
// digits, else with one decimal in the largest unit of which there is one: "1.5Gi".
func About(n int64) string {
	if exact := Bytes(n); len(strings.TrimRight(exact, "BKMGTPi ")) <= 4 {
		return exact
	}
	f, u := float64(n), 0
	for f >= 1024 && u < len(units)-1 {
		f, u = f/1024, u+1
	}
	return fmt.Sprintf("%.1f%s", f, units[u])
}

// Of counts things that are called by a regular English noun: "1 step", "2 steps",
// "0 passes".
func Of(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "s"):
		what += "e"
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// OutOf says of some of so many things what they are or do: one for 1, many for any other
// number: "1 of 2 replicas is", "2 of 3 replicas are", "1 of 1 replica is". What they all do,
// such as "could be read", is both.
func OutOf(n, of int, what, one, many string) string {
	return fmt.Sprintf("%d of %s %s", n, Of(of, what), Verb(n, one, many))
}

// Verb is what so many things do: one for 1, many for any other number.
func Verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// List lists names in prose: "n1", "n1, n2 and n3", of more than a line's worth "n1, … and 4
// more"; "none" for none.
func List(names []string) string {
	const most = 8
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	case len(names) == 1:
		return names[0]
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
