package plan

import (
	"fmt"
	"strings"

	"strata/lineage"
)

// RaidCreate is bdev_raid_create, raid1 without superblock.
type RaidCreate struct {
	At
	Raid   string
	UUID   lineage.UUID // follows from the volume
	Legs   []lineage.UUID
	Labels []Label
}

func (op RaidCreate) Words() string {
	var legs []string
	for _, l := range op.Labels {
		legs = append(legs, string(l))
	}
	return fmt.Sprintf("mirror %s as %s", strings.Join(legs, " and "), op.Raid)
}
func (op RaidCreate) Facts() Facts { return Facts{RiskCreate, raidNamed(op.Raid), noHosts, noCopy} }
func (op RaidCreate) key() key     { return key{raidNamed(op.Raid), bdevsNamed(op.Labels)} }
func (op RaidCreate) label(called func(string) Label) Op {
	op.Labels = nil
	for _, l := range op.Legs {
		op.Labels = append(op.Labels, called(string(l)))
	}
	return op
}

// RaidDelete is bdev_raid_delete.
type RaidDelete struct {
	At
	Raid string
}

func (op RaidDelete) Words() string { return fmt.Sprintf("delete RAID %s", op.Raid) }
func (op RaidDelete) Facts() Facts  { return Facts{RiskCreate, raidNamed(op.Raid), noHosts, noCopy} }
func (op RaidDelete) key() key      { return key{raidNamed(op.Raid)} }

// ExpectLegs reads a RAID that nobody writes to any more, and fails unless it
// has all these legs. A leg that was lost never comes back to a running RAID,
// so those it has then were written with the others until the last write.
type ExpectLegs struct {
	At
	Raid string
	Legs []lineage.UUID
}

func (op ExpectLegs) Words() string {
	if len(op.Legs) == 1 {
		return fmt.Sprintf("make sure that %s has not lost its only leg", op.Raid)
	}
	return fmt.Sprintf("make sure that %s has lost none of its %d legs", op.Raid, len(op.Legs))
}
func (op ExpectLegs) Facts() Facts { return Facts{RiskCreate, raidNamed(op.Raid), noHosts, noCopy} }
func (op ExpectLegs) key() key     { return key{raidNamed(op.Raid)} }

// RaidGrow is bdev_raid_grow_base_bdev, of the Longhorn fork: a RAID in use
// gets a leg, and nothing is copied.
type RaidGrow struct {
	At
	Raid  string
	Leg   lineage.UUID
	Label Label
}

func (op RaidGrow) Words() string { return fmt.Sprintf("add leg %s to %s", op.Label, op.Raid) }
func (op RaidGrow) Facts() Facts  { return Facts{RiskPause, raidNamed(op.Raid), noHosts, noCopy} }
func (op RaidGrow) key() key      { return key{raidNamed(op.Raid), bdevNamed(op.Label)} }
func (op RaidGrow) label(called func(string) Label) Op {
	op.Label = called(string(op.Leg))
	return op
}

// RaidRemoveLeg is bdev_raid_remove_base_bdev.
type RaidRemoveLeg struct {
	At
	Raid  string
	Leg   lineage.UUID
	Label Label
}

func (op RaidRemoveLeg) Words() string {
	return fmt.Sprintf("take leg %s out of %s", op.Label, op.Raid)
}
func (op RaidRemoveLeg) Facts() Facts { return Facts{RiskReduce, raidNamed(op.Raid), noHosts, noCopy} }
func (op RaidRemoveLeg) key() key     { return key{raidNamed(op.Raid), bdevNamed(op.Label)} }
func (op RaidRemoveLeg) label(called func(string) Label) Op {
	op.Label = called(string(op.Leg))
	return op
}
