package main

import (
	"slices"
	"strings"
	"time"

	"strata/lineage"
	"strata/report"
)

// others has to do with layers that were asked for and that another strata, which compares
// layers, too, has read in the same round. It notes which they are, of a volume whose round has
// come to its end, and counts the copies that are damaged as their nodes know. asked has, by
// volume, when the round began, in seconds since 1970.
func (r *comparison) others(asked map[string]int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		return
	}
	for _, v := range report.Build(r.cfg, r.seen).Volumes {
		if asked[v.Name] == 0 || v.Scrub == nil {
			continue
		}
		for _, c := range v.Scrub.Copies {
			if c.Damaged != "" && !slices.Contains(r.bad[c.Node], v.Name) {
				r.damaged++
				r.bad[c.Node] = append(r.bad[c.Node], v.Name)
				r.line("the copy of %s on %s is damaged, as was found when it was read before", c.Damaged, c.Node)
			}
		}
		ended, err := time.Parse(time.RFC3339, v.Scrub.Time)
		if err != nil || ended.Unix() < asked[v.Name] {
			continue
		}
		if unread := r.unread(v.Name); len(unread) > 0 {
			r.byOthers[v.Name] = true
			r.later = append(r.later, "volume "+v.Name+": not read here, but by another strata in the same round, or younger than that: "+strings.Join(unread, ", "))
		}
	}
}

// unread are the layers of a volume that the nodes have and that were not read here, by the
// names of their snapshots where they have some. r.mu is held.
func (r *comparison) unread(volume string) (names []string) {
	for _, n := range r.seen.Nodes {
		for _, l := range n.Lvols {
			of, is := l.Parsed.(lineage.Layer)
			if is && of.Volume.Name == volume && !r.layers[l.Name] {
				names = append(names, string(l.Name))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
