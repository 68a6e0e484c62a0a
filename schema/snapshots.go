package schema

import (
	"slices"
	"strings"
)

// snapshots reads what a volume says about its snapshots, after its export.
func (o object) snapshots(v *Volume) {
	known := o.field("snapshots").snapshotNames(v)
	at := o.field("head")
	if head, ok := at.ownName("snapshot"); ok {
		v.Head = head
		if known && !slices.Contains(v.Snapshots, head) {
			at.noSnapshot(head, v)
		}
	}
	o.retention(v)
	consistency := o.field("consistency")
	c, ok := consistency.matching(`"barrier" or "none"`, func(t string) bool {
		return t == string(ConsistencyBarrier) || t == string(ConsistencyNone)
	})
	if ok {
		v.Consistency = Consistency(c)
	}
	if (ok || consistency == nil) && v.Consistency == ConsistencyBarrier {
		o.barrier(v)
	}
}

// snapshotNames reads the user's snapshots. It returns whether all could be read.
func (s *spot) snapshotNames(v *Volume) bool {
	if s == nil {
		return true
	}
	return s.snapshotNamesAs(`a list of snapshots, oldest first, such as ["base", "before-upgrade"]`, v)
}

func (s *spot) snapshotNamesAs(want string, v *Volume) bool {
	elems, ok := s.list(want)
	for _, e := range elems {
		name, is := e.ownName("snapshot")
		switch {
		case !is:
			ok = false
			continue
		case strings.HasPrefix(name, AutoPrefix):
			e.wrong("choose another name", "%q: names that start with %q are for the snapshots that every takes", name, AutoPrefix)
			ok = false
		case name == headWord:
			e.wrong("choose another name", "%q: %s@%[1]s is what was written since the last snapshot", name, v.Name)
			ok = false
		case slices.Contains(v.Snapshots, name):
			e.wrong("", "names %q again", name)
		}
		v.Snapshots = append(v.Snapshots, name)
		v.SnapshotPos = append(v.SnapshotPos, e.pos())
	}
	return ok
}

// headWord stands for the head where a snapshot can be named: db@head.
const headWord = "head"

// noSnapshot reports a snapshot that is none of v's.
func (s *spot) noSnapshot(name string, v *Volume) {
	if len(v.Snapshots) == 0 {
		s.wrong("", "%q: volume %s lists no snapshots", name, v.Name)
		return
	}
	s.wrong(Hint(name, "snapshots", v.Snapshots), "%q: volume %s does not list a snapshot of that name", name, v.Name)
}

// retention reads how often strata takes snapshots, and which it keeps.
func (o object) retention(v *Volume) {
	every, keep := o.field("every"), o.field("keep")
	v.Every, _ = every.interval()
	keep.keep(&v.Keep)
	switch {
	case every != nil && keep == nil:
		every.wrong("add, for example, keep: {daily: 7}", "takes snapshots, but without keep nothing says which of them stay")
	case every == nil && keep != nil:
		keep.wrong(`add, for example, every: "1h"`, "says which snapshots stay, but without every none are taken")
	}
}

func (s *spot) keep(k *Keep) {
	if s == nil {
		return
	}
	o, ok := s.object("a struct such as {hourly: 24, daily: 7}")
	if !ok {
		return
	}
	before := len(s.doc.problems)
	o.only(keepFields)
	for i, n := range []*int{&k.Hourly, &k.Daily, &k.Weekly, &k.Monthly} {
		if count, ok := o.field(keepFields[i]).integer("a number of snapshots from 0 to 9999", 0, maxKeep); ok {
			*n = int(count)
		}
	}
	if *k == (Keep{}) && len(s.doc.problems) == before && s.value.Err() == nil {
		s.wrong("for example keep: {daily: 7}", "must have a number above 0 for hourly, daily, weekly or monthly")
	}
}

// barrier reports snapshots that need host I/O held when the export of v
// cannot do that.
func (o object) barrier(v *Volume) {
	if v.Export.Kind != ExportUblk && v.Export.Kind != ExportNBD {
		return
	}
	const hint = `write consistency: "none" to take them while I/O goes on, or export the volume through nvmf`
	if len(v.Snapshots) > 0 {
		o.field("snapshots").wrong(hint, "need host I/O to be held for a moment, and through %s it cannot be", v.Export.Kind)
	} else if every := o.field("every"); every != nil {
		every.wrong(hint, "takes snapshots, which need host I/O to be held for a moment, and through %s it cannot be", v.Export.Kind)
	}
}
