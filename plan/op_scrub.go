package plan

import (
	"fmt"

	"strata/amount"
	"strata/lineage"
)

// Scrub reads a layer: strata listens, the node attaches to it, and
// bdev_lvol_start_shallow_copy sends the clusters that the layer has. Nothing is kept but
// their sums, which are compared with those of the layer elsewhere.
type Scrub struct {
	At
	Lvstore string
	Layer   lineage.LvolName
	Bytes   int64
	// Proven has strata and the node prove themselves to each other, by keys that are made for it.
	Proven bool `json:",omitzero"`
}

func (op Scrub) Words() string {
	return fmt.Sprintf("read %s of layer %s/%s, to compare it", amount.Bytes(op.Bytes), op.Lvstore, op.Layer)
}
func (op Scrub) Facts() Facts {
	return Facts{RiskCopy, lvolNamed(op.Layer), noHosts, Copy{[]lineage.Node{op.Node}, op.Bytes}}
}
func (op Scrub) key() key { return proven(key{text(op.Lvstore), lvolNamed(op.Layer)}, op.Proven) }

// Compare compares a layer, as it was read in all places in this run, and says so by the name
// of an lvol beside it. What came of it whoever asked is told, and the name tells: To is as if
// nothing was different.
type Compare struct {
	At
	Lvstore  string
	Layer    lineage.LvolName
	From, To lineage.LvolName
}

func (op Compare) Words() string {
	return fmt.Sprintf("compare layer %s/%s with what was read elsewhere, and note beside it what came of that", op.Lvstore, op.Layer)
}
func (op Compare) Facts() Facts { return Facts{RiskCreate, lvolNamed(op.Layer), noHosts, noCopy} }
func (op Compare) key() key     { return key{text(op.Lvstore), lvolNamed(op.Layer)} }
