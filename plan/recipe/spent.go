package recipe

import "strata/lineage"

// spent leaves a volume as it is whose names count so high that no further epoch
// is minted: one that did not fit would not be read as a name, or
// be taken for an early one.
func (s *subject) spent() result {
	top := s.nextCut() - 1
	if !top.Last() {
		return idle
	}
	s.b.block("volume "+s.v.Name, s.v.Pos, "strata does not count that far by itself: see who gave an lvol of it such a name, and rename or remove that lvol if it is not the volume's; else make a new volume of one of its snapshots (from: …)",
		"an lvol of it names epoch %d, and strata counts no further than to %d; nothing that needs another epoch can be done", top, lineage.MaxEpoch)
	return blocked
}
