package apply

import (
	"context"
	"errors"
	"fmt"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/secret"
	"strata/spdk"
)

// Keys reads a key of a volume from where the configuration says that it is; nil: nobody
// does here. It is asked whenever a target is told the key, so that none is kept.
type Keys func(context.Context, *schema.Volume, schema.Secret) (secret.VolumeKey, error)

// encrypt carries out an op on what encrypts a volume.
func (c *caller) encrypt(ctx context.Context, t *spdk.Client, op plan.Op) error {
	switch op := op.(type) {
	case plan.KeyCheck:
		return c.checkKey(ctx, t, op)
	case plan.KeyExpect:
		k, err := c.key(ctx, op.Volume, op.Check)
		if err != nil {
			return err
		}
		return c.fits(k, op.Volume, op.Check)
	case plan.CipherCreate:
		return c.createCipher(ctx, t, op)
	case plan.CipherDelete:
		return c.deleteCipher(ctx, t, op)
	case plan.KeyForget:
		return c.forgetKey(ctx, t, op.Volume)
	}
	return fmt.Errorf("no call is known for %T", op)
}

// key is that of a volume which should have that check.
func (c *caller) key(ctx context.Context, id lineage.Volume, check lineage.Check) (k secret.VolumeKey, err error) {
	v := c.cfg.Volume(id.Name)
	if v == nil || v.Encryption == nil {
		return k, fmt.Errorf("no key of %s is configured", id.Name)
	}
	from, ok := v.KeyOf(check)
	switch {
	case !ok:
		return k, fmt.Errorf("no key of %s is configured that may have check %s", id.Name, check)
	case c.keys == nil:
		return k, errors.New("nobody reads keys here")
	}
	if k, err = c.keys(ctx, v, from); err != nil {
		return k, fmt.Errorf("the key of %s: %w", id.Name, err)
	}
	return k, nil
}

// fits says why a key is not the one that names speak of.
func (c *caller) fits(k secret.VolumeKey, id lineage.Volume, expect lineage.Check) error {
	if is := k.Check(c.cluster, id); is != expect {
		return fmt.Errorf("the key of %s is not the one that %s was written with: its check is %s, and the names of %s say %s. Put the former key back; with this one hosts would be shown garbage",
			id.Name, id, is, id, expect)
	}
	return nil
}

// checkKey notes the check of a key with which nothing was written yet.
func (c *caller) checkKey(ctx context.Context, t *spdk.Client, op plan.KeyCheck) error {
	k, err := c.key(ctx, op.Volume, lineage.Unkeyed)
	if err != nil {
		return err
	}
	if op.Expect != "" {
		if is := k.Check(op.Cluster, op.Source); is != op.Expect {
			return fmt.Errorf("the key of %s is another than that of %s, from which it is made: its check would be %s there, and it is %s. What is made of a volume has its key",
				op.Volume.Name, op.Source, is, op.Expect)
		}
	}
	return c.noteKey(ctx, t, op.Volume, k.Check(c.cluster, op.Volume))
}

// noteKey writes down that a target may have the key of a volume.
func (c *caller) noteKey(ctx context.Context, t *spdk.Client, id lineage.Volume, check lineage.Check) error {
	note := spdk.NullCreate{Name: c.cluster.KeyNote(id), NumBlocks: 1, BlockSize: noteBlock, UUID: string(lineage.KeyMark(id, check))}
	_, err := t.NullCreate(ctx, note)
	if spdk.ClassOf(err) != spdk.Exists {
		return err
	}
	if b, err := t.GetBdev(ctx, note.Name); err != nil || b.UUID == note.UUID {
		return err
	}
	if err := t.NullDelete(ctx, note.Name); err != nil {
		return err
	}
	_, err = t.NullCreate(ctx, note)
	return err
}

const noteBlock = 512

// createCipher has a target encrypt what is written to a bdev.
func (c *caller) createCipher(ctx context.Context, t *spdk.Client, op plan.CipherCreate) error {
	k, err := c.key(ctx, op.Volume, op.Check)
	if err != nil {
		return err
	}
	if err := c.fits(k, op.Volume, op.Check); err != nil {
		return err
	}
	base := c.resolve(op.Base)
	below, err := t.GetBdev(ctx, base)
	if err != nil {
		return err // or the name would be taken, and nothing there
	}
	if err := c.noteKey(ctx, t, op.Volume, op.Check); err != nil {
		return err
	}
	// One that is there has the same check, and so is the same: it was told by a try that
	// failed, or is kept for a cipher whose base has gone.
	data, place := k.Halves()
	if err := unless(spdk.Exists, t.KeyCreate(ctx, spdk.KeyCreate{Cipher: spdk.AESXTS, Key: data, Key2: place, Name: op.Cipher})); err != nil {
		return err
	}
	if err := unless(spdk.Exists, t.CryptoCreate(ctx, spdk.CryptoCreate{Base: base, Name: op.Cipher, KeyName: op.Cipher})); err != nil {
		return err
	}
	b, err := t.GetBdev(ctx, op.Cipher)
	if err != nil || b.Driver.Crypto == nil || b.Driver.Crypto.Base != base && b.Driver.Crypto.Base != below.Name {
		return fmt.Errorf("%s does not encrypt %s: the target keeps its name for what was below it before; start the target again", op.Cipher, base)
	}
	return nil
}

// deleteCipher deletes one that nothing shows, and destroys its key.
func (c *caller) deleteCipher(ctx context.Context, t *spdk.Client, op plan.CipherDelete) error {
	if err := unless(spdk.NotFound, t.CryptoDelete(ctx, op.Cipher)); err != nil {
		return err
	}
	if err := unless(spdk.NotFound, t.KeyDestroy(ctx, op.Cipher)); err != nil {
		return err
	}
	if others, err := c.enciphers(ctx, t, op.Volume); err != nil || others {
		return err
	}
	return c.forgetKey(ctx, t, op.Volume)
}

// enciphers reports whether a target still has a cipher of a volume.
func (c *caller) enciphers(ctx context.Context, t *spdk.Client, id lineage.Volume) (bool, error) {
	all, err := t.GetBdevs(ctx)
	for _, b := range all {
		if v, ok := c.cluster.ParseCipher(b.Name); ok && v == id && b.Driver.Crypto != nil {
			return true, err
		}
	}
	return false, err
}

// forgetKey destroys the keys of a volume where none of its ciphers is listed, and their note.
// A target may keep the name of one whose base has gone: it would be there again with that
// base, without a key, and the target hang. So its name is tried first, on the note; where it
// is taken, that key stays for as long as the target runs.
func (c *caller) forgetKey(ctx context.Context, t *spdk.Client, id lineage.Volume) error {
	note := c.cluster.KeyNote(id)
	if _, err := t.GetBdev(ctx, note); err != nil {
		return unless(spdk.NotFound, err)
	}
	for _, cipher := range c.cluster.Ciphers(id) {
		switch err := t.CryptoCreate(ctx, spdk.CryptoCreate{Base: note, Name: cipher, KeyName: cipher}); spdk.ClassOf(err) {
		case spdk.Exists, spdk.NotFound: // the name is taken, or there never was a key
			continue
		default:
			if err != nil {
				return err
			}
		}
		if err := t.CryptoDelete(ctx, cipher); err != nil {
			return err
		}
		if err := unless(spdk.NotFound, t.KeyDestroy(ctx, cipher)); err != nil {
			return err
		}
	}
	return unless(spdk.NotFound, t.NullDelete(ctx, note))
}
