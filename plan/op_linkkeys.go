package plan

import (
	"fmt"

	"strata/lineage"
)

// LinkKeysMake makes a pair of keys at random, by which the ends of a link prove themselves to
// each other, and puts it on both, by ssh: on the node that attaches first, of which the step is,
// then on the other. So where the other has both files the two are the same. No target is called.
type LinkKeysMake struct {
	At
	Keys lineage.LinkKeys
}

// Words are whose keys they are.
func (op LinkKeysMake) Words() string {
	return fmt.Sprintf("make keys %s, and put them there and on %s, for the targets alone", pairWords(op.Keys), op.Keys.Link.From)
}

// Facts are that nobody waits for it.
func (op LinkKeysMake) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op LinkKeysMake) key() key {
	return key{text(op.Keys.Link.String()), number(op.Keys.Set), number(op.Keys.Try)}
}

// pairWords are those for a pair of keys of a link.
func pairWords(k lineage.LinkKeys) string {
	return fmt.Sprintf("%d.%d of the link %v", k.Set, k.Try, k.Link)
}

// ControllerKeysSet is bdev_nvme_set_keys, of a controller that is there: it proves itself with
// other keys at once, and from then on, or is asked for none. Its I/O goes on.
type ControllerKeysSet struct {
	At
	Controller string
	Keys       lineage.HostKeys
}

func (op ControllerKeysSet) Words() string {
	if op.Keys.IsZero() {
		return fmt.Sprintf("have controller %s prove nothing from now on", op.Controller)
	}
	return fmt.Sprintf("have controller %s prove itself with %s, at once and from now on", op.Controller, keysWords(op.Keys))
}
func (op ControllerKeysSet) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op ControllerKeysSet) key() key {
	return append(key{text(op.Controller)}, keysParts(op.Keys)...)
}
