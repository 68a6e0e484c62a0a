package plan

import (
	"fmt"

	"strata/lineage"
)

// KeyCheck has the key of a volume that was never used read, from where the configuration
// says that it is, and its check written down on the target, by bdev_null_create. No key goes
// there with it. It fails if another key is expected: that of the volume whose layers it
// stands on.
type KeyCheck struct {
	At
	Volume  lineage.Volume
	Source  lineage.Volume  // whose key it has to be, too; zero for none
	Cluster lineage.Cluster // of the source
	Expect  lineage.Check   // of the source's key
}

// Words are whose key is looked at.
func (op KeyCheck) Words() string {
	if op.Source != (lineage.Volume{}) {
		return fmt.Sprintf("read the key of %s, which is to be that of %s, and note its check", op.Volume, op.Source)
	}
	return fmt.Sprintf("read the key of %s, and note its check", op.Volume)
}

// Facts are that nobody waits for it.
func (op KeyCheck) Facts() Facts { return Facts{RiskCreate, keyOf(op.Volume), noHosts, noCopy} }
func (op KeyCheck) key() key {
	return key{keyOf(op.Volume), keyOf(op.Source)}
}

// KeyExpect has the key of a volume read and fails unless it has the check that is expected,
// before hosts have to wait for it. No target is called.
type KeyExpect struct {
	At
	Volume lineage.Volume
	Check  lineage.Check
}

// Words are whose key is looked at.
func (op KeyExpect) Words() string {
	return fmt.Sprintf("make sure that the key of %s is there, and has check %s", op.Volume, op.Check)
}

// Facts are that nobody waits for it.
func (op KeyExpect) Facts() Facts { return Facts{RiskCreate, keyOf(op.Volume), noHosts, noCopy} }
func (op KeyExpect) key() key     { return key{keyOf(op.Volume)} }

// CipherCreate is accel_crypto_key_create and bdev_crypto_create: what hosts write is
// encrypted from there down. It fails unless the key has the check that is expected.
type CipherCreate struct {
	At
	Volume lineage.Volume
	Cipher string // the bdev
	Base   string // a RAID, or the UUID of a leg
	Label  Label
	Check  lineage.Check
}

// Words are what is encrypted.
func (op CipherCreate) Words() string {
	return fmt.Sprintf("encrypt %s, as %s, with the key of check %s", op.Label, op.Cipher, op.Check)
}

// Facts are that nobody waits for it.
func (op CipherCreate) Facts() Facts { return Facts{RiskCreate, keyOf(op.Volume), noHosts, noCopy} }
func (op CipherCreate) key() key     { return key{keyOf(op.Volume), bdevNamed(op.Label)} }
func (op CipherCreate) label(called func(string) Label) Op {
	op.Label = called(op.Base)
	return op
}

// CipherDelete is bdev_crypto_delete and accel_crypto_key_destroy.
type CipherDelete struct {
	At
	Volume lineage.Volume
	Cipher string
}

// Words are what goes.
func (op CipherDelete) Words() string {
	return fmt.Sprintf("delete %s, and destroy its key there", op.Cipher)
}

// Facts are that hosts have to wait before.
func (op CipherDelete) Facts() Facts { return Facts{RiskPause, keyOf(op.Volume), noHosts, noCopy} }
func (op CipherDelete) key() key     { return key{keyOf(op.Volume)} }

// KeyForget is accel_crypto_key_destroy where a volume is not encrypted any more, or was
// never: its key may be there still.
type KeyForget struct {
	At
	Volume lineage.Volume
}

// Words are whose key goes.
func (op KeyForget) Words() string { return fmt.Sprintf("destroy the key of %s there", op.Volume) }

// Facts are that nobody waits for it.
func (op KeyForget) Facts() Facts { return Facts{RiskCreate, keyOf(op.Volume), noHosts, noCopy} }
func (op KeyForget) key() key     { return key{keyOf(op.Volume)} }
