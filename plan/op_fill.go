package plan

import (
	"fmt"

	"strata/amount"
	"strata/lineage"
)

// Fill writes an image of an archive to an lvol that is empty: strata has the node show it
// to nobody but itself over NVMe/TCP, and writes the clusters that the image has.
type Fill struct {
	At
	Archive string
	Cluster lineage.Cluster  // whose image it is
	Image   lineage.LvolName // the layer of which it is the image
	Lvstore string
	Name    lineage.LvolName
	Bytes   int64
}

func (op Fill) Words() string {
	of := string(op.Image)
	if l, ok := lineage.ParseLayer(op.Image); ok {
		of = l.Volume.Name + "@" + l.Snapshot
	}
	return fmt.Sprintf("write %s of archive %s to %s/%s, at most %s", of, op.Archive, op.Lvstore, op.Name, amount.Bytes(op.Bytes))
}
func (op Fill) Facts() Facts {
	return Facts{RiskCopy, lvolNamed(op.Name), noHosts, Copy{[]lineage.Node{op.Node}, op.Bytes}}
}
func (op Fill) key() key {
	return key{text(op.Archive), text(op.Cluster), text(op.Image), text(op.Lvstore), lvolNamed(op.Name)}
}
