package plan

import (
	"fmt"

	"strata/amount"
	"strata/lineage"
)

// Fill writes an image to an lvol that is empty, one of an archive or a file: strata has the
// node show it to nobody but itself over NVMe/TCP, and writes the clusters that the image has.
type Fill struct {
	At
	Archive string
	Cluster lineage.Cluster  // whose image it is
	Image   lineage.LvolName // the layer of which it is the image
	// File is a raw image, where it is none of an archive, SHA256 what all of it has to have,
	// and Raw has it taken as it is.
	File, SHA256 string
	Raw          bool
	Lvstore      string
	Name         lineage.LvolName
	Bytes        int64
}

func (op Fill) Words() string {
	if op.File != "" {
		return fmt.Sprintf("write image %s to %s/%s, at most %s", op.File, op.Lvstore, op.Name, amount.Bytes(op.Bytes))
	}
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
	raw := ""
	if op.Raw {
		raw = "raw"
	}
	return key{text(op.Archive), text(op.Cluster), text(op.Image), text(op.File), text(op.SHA256), text(raw), text(op.Lvstore), lvolNamed(op.Name)}
}
