package plan

import (
	"fmt"
	"strings"

	"strata/amount"
	"strata/lineage"
)

// LayOut is bdev_raid_create, concat or raid0 without superblock: the parts of a whole
// become one bdev. It fails unless that has the size that is expected, and nothing is left
// of it then: what lies where in it follows from the sizes of its parts.
type LayOut struct {
	At
	Raid     string
	UUID     lineage.UUID // follows from the volume
	Parts    []string     // bdevs in their order: RAIDs by name, others by UUID
	Striped  bool         // else they follow one another
	StripKiB int
	Size     int64 // bytes of all of it
	Labels   []Label
}

func (op LayOut) Words() string {
	var parts []string
	for _, l := range op.Labels {
		parts = append(parts, string(l))
	}
	how := fmt.Sprintf("lay out %s, one behind the other", strings.Join(parts, ", "))
	if op.Striped {
		how = fmt.Sprintf("stripe %s, %s at a time", strings.Join(parts, ", "), amount.Bytes(int64(op.StripKiB)<<10))
	}
	return fmt.Sprintf("%s, as %s of %s", how, op.Raid, amount.Bytes(op.Size))
}
func (op LayOut) Facts() Facts { return Facts{RiskCreate, raidNamed(op.Raid), noHosts, noCopy} }
func (op LayOut) key() key {
	k := key{raidNamed(op.Raid), flag(op.Striped), number(op.StripKiB), number(op.Size)}
	for _, l := range op.Labels { // in their order
		k = append(k, bdevNamed(l))
	}
	return k
}
func (op LayOut) label(called func(string) Label) Op {
	op.Labels = nil
	for _, p := range op.Parts {
		op.Labels = append(op.Labels, called(p))
	}
	return op
}
