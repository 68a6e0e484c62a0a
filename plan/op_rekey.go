package plan

import (
	"fmt"
	"strings"

	"strata/amount"
	"strata/lineage"
)

// KeyedCreate is bdev_lvol_create, thin, of an lvol that a replica is to be written to anew with
// the key that the volume is to have. Its name is that of a fenced head with the check of that
// key, which is read for it, and has to be another than that of the former.
type KeyedCreate struct {
	At
	Lvstore string
	Name    lineage.LvolName // with a check that is not known yet
	Size    int64            // bytes
}

// Volume is whose it is.
func (op KeyedCreate) Volume() lineage.Volume {
	h, _ := lineage.ParseHead(op.Name)
	return h.Volume
}

// Keyed is what it is called with a key of that check.
func (op KeyedCreate) Keyed(check lineage.Check) lineage.LvolName {
	h, _ := lineage.ParseHead(op.Name)
	h.Check = check
	return h.Lvol()
}

// Words are what is made.
func (op KeyedCreate) Words() string {
	return fmt.Sprintf("read the new key of %s, and create %s/%s, %s, for what is written with it", op.Volume(), op.Lvstore, op.Name, amount.Bytes(op.Size))
}

// Facts are that nobody waits for it.
func (op KeyedCreate) Facts() Facts { return Facts{RiskCreate, lvolNamed(op.Name), noHosts, noCopy} }
func (op KeyedCreate) key() key {
	return key{text(op.Lvstore), lvolNamed(op.Name), number(op.Size)}
}

// MirrorApart makes a mirror as RaidCreate does, of legs that are not all encrypted with one key:
// it has each through the cipher of that leg, or as it is. The mirror has a place for a leg
// more than it has legs, which is held by bdev_null_create while it is made, and given free
// by bdev_raid_remove_base_bdev before anything is written.
type MirrorApart struct {
	At
	Raid   string
	UUID   lineage.UUID // follows from the volume
	Legs   []lineage.UUID
	Bases  []string // through which it has them, in the same order
	Labels []Label
}

// Words are what is mirrored.
func (op MirrorApart) Words() string {
	var legs []string
	for i, l := range op.Labels {
		how := ", as it is,"
		if op.Bases[i] != string(op.Legs[i]) {
			how = " through " + op.Bases[i]
		}
		legs = append(legs, string(l)+how)
	}
	return fmt.Sprintf("mirror %s as %s, with room for another", strings.Join(legs, " and "), op.Raid)
}

// Facts are those of RaidCreate.
func (op MirrorApart) Facts() Facts { return Facts{RiskCreate, raidNamed(op.Raid), noHosts, noCopy} }
func (op MirrorApart) key() key     { return key{raidNamed(op.Raid), bdevsNamed(op.Labels)} }
func (op MirrorApart) label(called func(string) Label) Op {
	op.Labels = nil
	for _, l := range op.Legs {
		op.Labels = append(op.Labels, called(string(l)))
	}
	return op
}

// LegFill is bdev_raid_add_base_bdev, and waiting until the target has written all that the
// mirror has to the new leg, too: every block, also those that nothing was written to. Of one
// that is being filled it only waits.
type LegFill struct {
	At
	Raid  string
	Leg   lineage.UUID
	Base  string       // through which the mirror has it
	Owner lineage.Node // that the leg is on
	Label Label
	Bytes int64
}

// Words are what is written.
func (op LegFill) Words() string {
	how := "as it is"
	if op.Base != string(op.Leg) {
		how = "through " + op.Base
	}
	return fmt.Sprintf("write all %s of %s to %s, %s, while hosts go on", amount.Bytes(op.Bytes), op.Raid, op.Label, how)
}

// Facts are that it copies.
func (op LegFill) Facts() Facts {
	nodes := []lineage.Node{op.Node}
	if op.Owner != op.Node {
		nodes = append(nodes, op.Owner)
	}
	return Facts{RiskCopy, raidNamed(op.Raid), noHosts, Copy{nodes, op.Bytes}}
}
func (op LegFill) key() key { return key{raidNamed(op.Raid), bdevNamed(op.Label)} }
func (op LegFill) label(called func(string) Label) Op {
	op.Label = called(string(op.Leg))
	return op
}
