package sim

import (
	"context"
	"errors"
)

// Damage flips a bit of what the disk has of an lvol of that UUID at an offset, in bytes, as
// a disk does that decays: nothing notices.
func (t *Target) Damage(uuid string, off int64) error {
	t.c.mu.Lock()
	defer t.c.mu.Unlock()
	return t.c.run(context.Background(), func(*op) error {
		if t.p == nil {
			return enodev
		}
		for _, s := range t.p.lvs {
			for _, b := range s.store.blobs {
				if b.UUID != uuid {
					continue
				}
				c, ok := b.Map[uint32(off/s.store.cluster)]
				if !ok {
					return errors.New("the lvol has no cluster there")
				}
				p, at := make([]byte, 1), int64(c)*s.store.cluster+off%s.store.cluster
				if err := s.store.disk.read(p, at); err != nil {
					return err
				}
				p[0] ^= 1
				return s.store.disk.write(p, at)
			}
		}
		return enodev
	})
}
