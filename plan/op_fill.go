package plan

import (
	"fmt"

	"strata/amount"
	"strata/lineage"
)

// Fill writes an image to an lvol, one of an archive or a file: strata has the node show it
// to nobody but itself over NVMe/TCP, and writes what the image has, or what differs from
// another image.
type Fill struct {
	At
	Archive string
	Cluster lineage.Cluster  // whose image it is
	Image   lineage.LvolName // the layer of which it is the image
	Over    lineage.LvolName // the layer whose image the lvol stands on; "" where it is empty
	// File is a raw image, where it is none of an archive, SHA256 what all of it has to have,
	// and Raw has it taken as it is.
	File, SHA256 string
	Raw          bool
	Lvstore      string
	Name         lineage.LvolName
	Bytes        int64
	// Proven has strata and the node prove themselves to each other, by keys that are made for it.
	Proven bool `json:",omitzero"`
}

func (op Fill) Words() string {
	if op.File != "" {
		return fmt.Sprintf("write image %s to %s/%s, at most %s", op.File, op.Lvstore, op.Name, amount.Bytes(op.Bytes))
	}
	what := imageOf(op.Image)
	if op.Over != "" {
		what = "what " + what + " has over " + imageOf(op.Over)
	}
	return fmt.Sprintf("write %s of archive %s to %s/%s, at most %s", what, op.Archive, op.Lvstore, op.Name, amount.Bytes(op.Bytes))
}

// imageOf is what people call the image of a layer.
func imageOf(layer lineage.LvolName) string {
	if l, ok := lineage.ParseLayer(layer); ok {
		return l.Volume.Name + "@" + l.Snapshot
	}
	return string(layer)
}

func (op Fill) Facts() Facts {
	return Facts{RiskCopy, lvolNamed(op.Name), noHosts, Copy{[]lineage.Node{op.Node}, op.Bytes}}
}
func (op Fill) key() key {
	raw := ""
	if op.Raw {
		raw = "raw"
	}
	return proven(key{text(op.Archive), text(op.Cluster), text(op.Image), text(op.Over), text(op.File), text(op.SHA256), text(raw), text(op.Lvstore), lvolNamed(op.Name)}, op.Proven)
}
