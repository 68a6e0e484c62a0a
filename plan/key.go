package plan

import "strata/lineage"

// linkName is what the section of a link is called.
func LinkName(l lineage.Link) string { return string(l.From) + " → " + string(l.To) }

func LinkKey(l lineage.Link) string {
	return (&Section{Kind: KindLink, Name: LinkName(l)}).Key()
}
