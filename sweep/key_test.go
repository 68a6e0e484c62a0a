package sweep

import (
	"bytes"
	"context"
	"crypto/aes"
	"encoding/hex"
	"strings"

	"golang.org/x/crypto/xts"

	"strata/lineage"
	"strata/schema"
	"strata/secret"
	"strata/spdk/sim"
)

// keyText is the key of every encrypted volume.
var keyText = strings.Repeat("0123456789abcdef", 4) + strings.Repeat("fedcba9876543210", 4)

func (w *world) key(context.Context, *schema.Volume, schema.Secret) (secret.VolumeKey, error) {
	return secret.ParseKey(keyText)
}

// encryptedBlock is what is encrypted as one, by its number: a block of the nodes' disks.
const encryptedBlock = 4096

// deciphered reads what hosts see of an lvol. What was never written is zeroes there, which
// hosts of an encrypted volume are not shown.
func deciphered(v *sim.View, l sim.Stored, p []byte, off int64) error {
	if !encrypted(v, l) {
		return v.Read(l, p, off)
	}
	from := off / encryptedBlock * encryptedBlock
	block := make([]byte, encryptedBlock)
	if err := v.Read(l, block, from); err != nil {
		return err
	}
	if !bytes.Equal(block, make([]byte, encryptedBlock)) {
		raw, err := hex.DecodeString(keyText)
		if err != nil {
			return err
		}
		c, err := xts.NewCipher(aes.NewCipher, raw)
		if err != nil {
			return err
		}
		c.Decrypt(block, block, uint64(from/encryptedBlock))
	}
	copy(p, block[off-from:])
	return nil
}

// encrypted reports whether an lvol is a head that names a key, or of a volume with one.
func encrypted(v *sim.View, l sim.Stored) bool {
	name, ok := lineage.Parse(lineage.LvolName(l.Name))
	if !ok {
		return false
	}
	if h, head := name.(lineage.Head); head {
		return h.Check != "" // others of its volume may be so not yet
	}
	for _, o := range v.Lvols() {
		if h, head := lineage.ParseHead(lineage.LvolName(o.Name)); head && h.Volume == name.Of() && h.Check != "" {
			return true
		}
	}
	return false
}
