package schema

import (
	"fmt"
	"slices"
	"strings"
)

// maxListed is how many valid names a hint lists when none is near.
const maxListed = 16

// Hint suggests one of the valid names, which are what, in place of name: the nearest, or
// all when none is near and they are few.
func Hint(name string, what string, valid []string) string {
	if near, ok := nearest(name, valid); ok {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(valid) == 0 {
		return ""
	}
	valid = slices.Clone(valid)
	rest := ""
	if len(valid) > maxListed {
		rest = fmt.Sprintf(" and %d more", len(valid)-maxListed)
		valid = valid[:maxListed]
	}
	return what + ": " + strings.Join(valid, ", ") + rest
}

// nearest returns the valid name with the smallest edit distance to name, if
// that is small enough to be a slip and no other name is as near.
func nearest(name string, valid []string) (string, bool) {
	best, least, ties := "", max(1, len(name)/3)+1, 0
	for _, v := range valid {
		switch d := distance(strings.ToLower(name), strings.ToLower(v)); {
		case d < least:
			best, least, ties = v, d, 0
		case d == least:
			ties++
		}
	}
	return best, best != "" && ties == 0
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that make a into b.
func distance(a, b string) int {
	before, prev := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev = prev, row
	}
	return prev[len(b)]
}
