package plan

import (
	"fmt"

	"strata/amount"
	"strata/lineage"
)

// LvolCreate is bdev_lvol_create, thin.
type LvolCreate struct {
	At
	Lvstore string
	Name    lineage.LvolName
	Size    int64 // bytes
}

func (op LvolCreate) Words() string {
	return fmt.Sprintf("create %s/%s, %s thin", op.Lvstore, op.Name, amount.Bytes(op.Size))
}
func (op LvolCreate) Facts() Facts { return Facts{RiskCreate, lvolNamed(op.Name), noHosts, noCopy} }
func (op LvolCreate) key() key     { return key{text(op.Lvstore), lvolNamed(op.Name), number(op.Size)} }

// LvolResize is bdev_lvol_resize, always to a larger size.
type LvolResize struct {
	At
	Lvstore  string
	Name     lineage.LvolName
	From, To int64 // bytes
}

func (op LvolResize) Words() string {
	return fmt.Sprintf("grow %s/%s from %s to %s", op.Lvstore, op.Name, amount.Bytes(op.From), amount.Bytes(op.To))
}
func (op LvolResize) Facts() Facts { return Facts{RiskCreate, lvolNamed(op.Name), noHosts, noCopy} }
func (op LvolResize) key() key {
	return key{text(op.Lvstore), lvolNamed(op.Name), number(op.From), number(op.To)}
}

// LvolRename is bdev_lvol_rename.
type LvolRename struct {
	At
	Lvstore  string
	From, To lineage.LvolName
}

func (op LvolRename) Words() string {
	return fmt.Sprintf("rename %s/%s to %s%s", op.Lvstore, op.From, op.To, meaning(op.To))
}
func (op LvolRename) Facts() Facts { return Facts{RiskCreate, lvolNamed(op.From), noHosts, noCopy} }
func (op LvolRename) key() key     { return key{text(op.Lvstore), lvolNamed(op.From), lvolNamed(op.To)} }

// meaning explains the new name of a head, and of what says that layers are damaged.
func meaning(to lineage.LvolName) string {
	if s, is := lineage.ParseScrubbed(to); is && s.Anew {
		return fmt.Sprintf(": what was damaged from epoch %d on is gone", s.Damaged)
	} else if is && s.Damaged != 0 {
		return fmt.Sprintf(": damaged from epoch %d on", s.Damaged)
	}
	h, ok := lineage.ParseHead(to)
	if !ok {
		return ""
	}
	switch h.Mark {
	case lineage.Fenced:
		return ": stale"
	case lineage.Sealed:
		return ": sealed"
	case lineage.Primary:
		return fmt.Sprintf(": current, one of %d, local to the engine", h.Legs)
	default:
		return fmt.Sprintf(": current, one of %d", h.Legs)
	}
}

// LvolDelete is bdev_lvol_delete.
type LvolDelete struct {
	At
	Lvstore string
	Name    lineage.LvolName
}

func (op LvolDelete) Words() string { return fmt.Sprintf("delete %s/%s", op.Lvstore, op.Name) }
func (op LvolDelete) Facts() Facts  { return Facts{RiskCreate, lvolNamed(op.Name), noHosts, noCopy} }
func (op LvolDelete) key() key      { return key{text(op.Lvstore), lvolNamed(op.Name)} }

// ExpectEmpty reads an lvol and fails unless nothing was ever written to it.
type ExpectEmpty struct {
	At
	Lvstore string
	Name    lineage.LvolName
}

func (op ExpectEmpty) Words() string {
	return fmt.Sprintf("make sure that %s/%s is empty", op.Lvstore, op.Name)
}
func (op ExpectEmpty) Facts() Facts { return Facts{RiskCreate, lvolNamed(op.Name), noHosts, noCopy} }
func (op ExpectEmpty) key() key     { return key{text(op.Lvstore), lvolNamed(op.Name)} }
