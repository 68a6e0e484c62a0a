package lineage

import "strings"

// showing stands where backing does, of an image of an archive that strata serves to a node.
const showing = "~image"

// ImageNQN is the name of the subsystem, on no node, through which a node reads the image
// of which a volume is being made: the same whoever serves it, and since when.
func (c Cluster) ImageNQN(v Volume) NQN {
	return NQN(nqnPrefix + string(c) + ":" + showing + ":" + v.String())
}

// ParseImage is the inverse of ImageNQN.
func (c Cluster) ParseImage(n NQN) (Volume, bool) {
	rest, ok := strings.CutPrefix(string(n), nqnPrefix+string(c)+":"+showing+":")
	v, is := parseVolume(rest)
	return v, ok && is
}

// ImageController is the name of the controller on the node.
func (c Cluster) ImageController(v Volume) string {
	return string(c) + "." + showing + "." + v.String()
}

// ImageUUID identifies the image that a forerunner reads through. A target keeps it with the
// lvol for good, so it follows from the name alone, whoever serves the image.
func (c Cluster) ImageUUID(s Staging) UUID { return uuidOf(string(c), "/", s.Lvol()) }
