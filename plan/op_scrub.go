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
}

func (op Scrub) Words() string {
	return fmt.Sprintf("read %s of layer %s/%s, to compare it", amount.Bytes(op.Bytes), op.Lvstore, op.Layer)
}
func (op Scrub) Facts() Facts {
	return Facts{RiskCopy, lvolNamed(op.Layer), noHosts, Copy{[]lineage.Node{op.Node}, op.Bytes}}
}
func (op Scrub) key() key { return key{text(op.Lvstore), lvolNamed(op.Layer)} }

// LayerAt is a layer in one place.
type LayerAt struct {
	Node    lineage.Node
	Lvstore string
	Layer   lineage.LvolName
}

// Of is the layer that is read.
func (op Scrub) Of() LayerAt { return LayerAt{op.Node, op.Lvstore, op.Layer} }
