package plan

import (
	"fmt"

	"strata/lineage"
)

// ImageAttach has strata serve the image of a layer that an archive has, and a node attach
// to it: from then on, for as long as strata runs, a forerunner reads there what nobody has
// written to it. A node that is attached, and has lost strata, is where strata was
// found again, or is told where it is now (bdev_nvme_attach_controller).
type ImageAttach struct {
	At
	Archive string
	Cluster lineage.Cluster  // whose image it is
	Image   lineage.LvolName // the layer of which it is the image
	Lvstore string
	Name    lineage.LvolName // the forerunner
	// Proven has strata and the node prove themselves to each other, by keys that are made for it.
	Proven bool `json:",omitzero"`
}

// ImageBound is how long hosts wait in seconds, once a node has noticed that strata is gone,
// for what they read of an image before they get errors (fast_io_fail_timeout_sec).
const ImageBound = 120

func (op ImageAttach) Words() string {
	return fmt.Sprintf("serve %s of archive %s for %s/%s to read what is not written to it yet; while no strata runs hosts wait for that, %d s at most, and get errors then",
		imageOf(op.Image), op.Archive, op.Lvstore, op.Name, ImageBound)
}
func (op ImageAttach) Facts() Facts { return Facts{RiskCreate, lvolNamed(op.Name), noHosts, noCopy} }
func (op ImageAttach) key() key {
	return proven(key{text(op.Archive), text(op.Cluster), text(op.Image), text(op.Lvstore), lvolNamed(op.Name)}, op.Proven)
}

// ImageDetach is bdev_nvme_disable_controller and bdev_nvme_detach_controller of what the node is attached to for a volume that is
// made of an image, which nobody serves to it any more from then on.
type ImageDetach struct {
	At
	Volume lineage.Volume
}

func (op ImageDetach) Words() string {
	return fmt.Sprintf("detach the image of which %s was made", op.Volume)
}
func (op ImageDetach) Facts() Facts { return Facts{RiskCreate, keyOf(op.Volume), noHosts, noCopy} }
func (op ImageDetach) key() key     { return key{keyOf(op.Volume)} }
