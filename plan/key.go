package plan

import "strata/lineage"

// linkName is what the section of a link is called.
func linkName(l lineage.Link) string { return string(l.From) + " → " + string(l.To) }

func linkKey(l lineage.Link) string {
	return (&Section{Kind: KindLink, Name: linkName(l)}).Key()
}
