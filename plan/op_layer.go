package plan

import (
	"fmt"

	"strata/amount"
	"strata/lineage"
)

// LvolSnapshot is bdev_lvol_snapshot: the lvol's clusters become a layer
// below it.
type LvolSnapshot struct {
	At
	Lvstore string
	Lvol    lineage.LvolName
	Layer   lineage.LvolName
}

func (op LvolSnapshot) Words() string {
	return fmt.Sprintf("cut layer %s of %s/%s", op.Layer, op.Lvstore, op.Lvol)
}
func (op LvolSnapshot) Facts() Facts { return Facts{RiskCreate, lvolNamed(op.Lvol), noHosts, noCopy} }
func (op LvolSnapshot) key() key {
	return key{text(op.Lvstore), lvolNamed(op.Lvol), lvolNamed(op.Layer)}
}

// LvolClone is bdev_lvol_clone: a writable lvol on top of a layer.
type LvolClone struct {
	At
	Lvstore string
	Layer   lineage.LvolName
	Name    lineage.LvolName
}

func (op LvolClone) Words() string {
	return fmt.Sprintf("clone %s/%s as %s", op.Lvstore, op.Layer, op.Name)
}
func (op LvolClone) Facts() Facts { return Facts{RiskCreate, lvolNamed(op.Name), noHosts, noCopy} }
func (op LvolClone) key() key {
	return key{text(op.Lvstore), lvolNamed(op.Layer), lvolNamed(op.Name)}
}

// LvolDecouple is bdev_lvol_decouple_parent: the parent's clusters are
// copied into the lvol, which then stands on what the parent stood on.
type LvolDecouple struct {
	At
	Lvstore string
	Name    lineage.LvolName
	Bytes   int64
}

func (op LvolDecouple) Words() string {
	return fmt.Sprintf("copy what %s/%s shares with its parent, at most %s", op.Lvstore, op.Name, amount.Bytes(op.Bytes))
}
func (op LvolDecouple) Facts() Facts {
	return Facts{RiskCopy, lvolNamed(op.Name), noHosts, Copy{[]lineage.Node{op.Node}, op.Bytes}}
}
func (op LvolDecouple) key() key { return key{text(op.Lvstore), lvolNamed(op.Name)} }

// LvolCloneBdev is bdev_lvol_clone_bdev: a writable lvol that reads what it
// does not have itself through a bdev of a peer, or of another pool of its node.
type LvolCloneBdev struct {
	At
	Lvstore string
	Bdev    lineage.UUID
	Name    lineage.LvolName
	Label   Label
}

func (op LvolCloneBdev) Words() string {
	on := string(op.Label)
	if _, is := lineage.ParseForerunner(op.Name); is {
		on = "the image that is served"
	}
	return fmt.Sprintf("create %s/%s on top of %s", op.Lvstore, op.Name, on)
}
func (op LvolCloneBdev) Facts() Facts { return Facts{RiskCreate, lvolNamed(op.Name), noHosts, noCopy} }
func (op LvolCloneBdev) key() key {
	return key{text(op.Lvstore), lvolNamed(op.Name), bdevNamed(op.Label)}
}
func (op LvolCloneBdev) label(called func(string) Label) Op {
	op.Label = called(string(op.Bdev))
	return op
}

// LvolSetParent is bdev_lvol_set_parent: the lvol stands on a local layer
// of the same content instead.
type LvolSetParent struct {
	At
	Lvstore string
	Name    lineage.LvolName
	Layer   lineage.LvolName
}

func (op LvolSetParent) Words() string {
	return fmt.Sprintf("put %s/%s on its own node's %s", op.Lvstore, op.Name, op.Layer)
}
func (op LvolSetParent) Facts() Facts { return Facts{RiskPause, lvolNamed(op.Name), noHosts, noCopy} }
func (op LvolSetParent) key() key {
	return key{text(op.Lvstore), lvolNamed(op.Name), lvolNamed(op.Layer)}
}

// ShallowCopy is bdev_lvol_start_shallow_copy, on the source's node, and
// bdev_lvol_check_shallow_copy until it is done: the clusters of one layer
// are written to a bdev.
type ShallowCopy struct {
	At
	Dest    lineage.Node
	Lvstore string
	Layer   lineage.LvolName
	To      lineage.UUID
	Label   Label
	Bytes   int64
}

func (op ShallowCopy) Words() string {
	return fmt.Sprintf("copy %s of layer %s/%s to %s", amount.Bytes(op.Bytes), op.Lvstore, op.Layer, op.Label)
}
func (op ShallowCopy) Facts() Facts {
	nodes := []lineage.Node{op.Node}
	if op.Dest != op.Node {
		nodes = append(nodes, op.Dest)
	}
	return Facts{RiskCopy, lvolNamed(op.Layer), noHosts, Copy{nodes, op.Bytes}}
}
func (op ShallowCopy) key() key {
	return key{text(op.Dest), text(op.Lvstore), lvolNamed(op.Layer), bdevNamed(op.Label)}
}
func (op ShallowCopy) label(called func(string) Label) Op {
	op.Label = called(string(op.To))
	return op
}

// WriteLimit is bdev_set_qos_limit: at most so many bytes a second are
// written to a bdev and all others that are copied to on the node, each of
// which has as much as any other.
type WriteLimit struct {
	At
	Bdev        lineage.UUID
	Label       Label
	BytesPerSec int64
}

func (op WriteLimit) Words() string {
	if op.BytesPerSec == 0 {
		return fmt.Sprintf("lift the limit on %s", op.Label)
	}
	return fmt.Sprintf("write at most %s a second to %s and whatever else is copied to %s", amount.Bytes(op.BytesPerSec), op.Label, op.Node)
}
func (op WriteLimit) Facts() Facts { return Facts{RiskCreate, bdevNamed(op.Label), noHosts, noCopy} }
func (op WriteLimit) key() key     { return key{bdevNamed(op.Label), number(op.BytesPerSec)} }
func (op WriteLimit) label(called func(string) Label) Op {
	op.Label = called(string(op.Bdev))
	return op
}
