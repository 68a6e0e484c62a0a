package plan

import (
	"fmt"

	"strata/amount"
	"strata/lineage"
)

// InArchive reports whether an op is done to an archive: strata does it by itself, and On is
// no node.
func InArchive(op Op) bool {
	switch op.(type) {
	case RecordForget, ArchivePrune:
		return true
	default: // is done to a node
		return false
	}
}

// RecordForget removes the records of layers of a volume from an archive. What only they
// needed stays until the archive is pruned.
type RecordForget struct {
	At
	Archive string
	Volume  string
	// Layers are those of which the records go, the oldest first: all that there are of each.
	Layers []lineage.LvolName
}

func (op RecordForget) Words() string {
	which := ""
	for i, l := range op.Layers {
		if of, ok := lineage.ParseLayer(l); ok && (i == 0 || i == len(op.Layers)-1) {
			which += map[bool]string{true: ": ", false: " to "}[i == 0] + of.Snapshot
		}
	}
	return fmt.Sprintf("forget %s of %s in archive %s%s", amount.Of(len(op.Layers), "record"), op.Volume, op.Archive, which)
}
func (op RecordForget) Facts() Facts { return Facts{RiskDestroy, noVolume{}, noHosts, noCopy} }
func (op RecordForget) key() key {
	k := key{text(op.Archive), text(op.Volume)}
	for _, l := range op.Layers {
		k = append(k, lvolNamed(l))
	}
	return k
}

// ArchivePrune deletes from an archive what no record needs any more. It has the archive
// for itself for as long as that takes, which is to read the index and the trees of all
// records, and to store anew what is needed of packs of which much is not.
type ArchivePrune struct {
	At
	Archive string
}

func (op ArchivePrune) Words() string {
	return fmt.Sprintf("free what no record in archive %s needs any more", op.Archive)
}
func (op ArchivePrune) Facts() Facts { return Facts{RiskReduce, noVolume{}, noHosts, noCopy} }
func (op ArchivePrune) key() key     { return key{text(op.Archive)} }
