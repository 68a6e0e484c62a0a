package plan

import (
	"fmt"

	"strata/amount"
	"strata/lineage"
)

// Trims asks for volumes that nobody uses to be trimmed.
type Trims struct {
	Volumes map[string]bool
	// Zeroes is the operator's word that what is discarded on NVMe disks reads as zeroes: a
	// target does not tell.
	Zeroes bool
}

// ExpectUnused fails when a host is connected to the subsystem, by
// nvmf_subsystem_get_controllers.
type ExpectUnused struct {
	At
	NQN lineage.NQN
}

func (op ExpectUnused) Words() string {
	return fmt.Sprintf("make sure that no host is connected to %s", op.NQN)
}
func (op ExpectUnused) Facts() Facts {
	return Facts{RiskCreate, subsystemNamed(op.NQN), noHosts, noCopy}
}
func (op ExpectUnused) key() key { return key{subsystemNamed(op.NQN)} }

// Trim frees what of a volume reads as zero: strata has the node show the volume to nobody
// but itself over NVMe/TCP, reads it, and discards each Unit that is all zero.
type Trim struct {
	At
	Volume lineage.Volume
	Bdev   string // what hosts are shown: RAID, or a leg by UUID
	Label  Label
	Unit   int64 // bytes: whole clusters on every leg
	Bytes  int64 // of the volume, all of which are read
	// Proven has strata and the node prove themselves to each other, by keys that are made for it.
	Proven bool `json:",omitzero"`
}

func (op Trim) Words() string {
	return fmt.Sprintf("read %s of %s, and discard each %s that is all zero", amount.Bytes(op.Bytes), op.Label, amount.Bytes(op.Unit))
}
func (op Trim) Facts() Facts {
	return Facts{RiskCopy, bdevNamed(op.Label), noHosts, Copy{[]lineage.Node{op.Node}, op.Bytes}}
}
func (op Trim) label(called func(string) Label) Op {
	op.Label = called(op.Bdev)
	return op
}
func (op Trim) key() key { return proven(key{bdevNamed(op.Label)}, op.Proven) }
