package plan

import (
	"fmt"

	"strata/amount"
	"strata/lineage"
)

// Backup records a layer in an archive. strata listens, the node attaches to it, and
// bdev_lvol_start_shallow_copy sends the clusters of the layer and of those below it that
// the archive has no record of, the oldest first. The record is made last.
type Backup struct {
	At
	Archive string
	Lvstore string
	Layer   lineage.LvolName
	// Below are the layers whose clusters are sent before those of Layer, the oldest first.
	Below []lineage.LvolName
	// Over is the layer on whose record it builds, which Layer or the first of Below
	// stands on; "" when all is sent.
	Over  lineage.LvolName
	Bytes int64
	Check lineage.Check // of the volume's key; "" of one that is not encrypted
	// Proven has strata and the node prove themselves to each other, by keys that are made for it.
	Proven bool `json:",omitzero"`
}

func (op Backup) Words() string {
	how := "over " + string(op.Over)
	if op.Over == "" {
		how = "all there is of it"
	}
	if len(op.Below) > 0 {
		how += fmt.Sprintf(", with %s below it", amount.Of(len(op.Below), "layer"))
	}
	return fmt.Sprintf("copy %s of layer %s/%s into archive %s: %s", amount.Bytes(op.Bytes), op.Lvstore, op.Layer, op.Archive, how)
}
func (op Backup) Facts() Facts {
	return Facts{RiskCopy, lvolNamed(op.Layer), noHosts, Copy{[]lineage.Node{op.Node}, op.Bytes}}
}

// proven tells an operation whose ends prove themselves from one whose ends do not.
func proven(k key, is bool) key {
	if is {
		k = append(k, flag(true))
	}
	return k
}

func (op Backup) key() key {
	return proven(key{text(op.Archive), text(op.Lvstore), lvolNamed(op.Layer)}, op.Proven)
}
