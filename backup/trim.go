package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"strata/nvmetcp"
)

// Trim is a volume that nobody uses, of which what reads as zero is discarded.
type Trim struct {
	Alone
	Unit int64           // bytes that are discarded at a time, or not
	From int64           // where it begins, in whole units
	For  time.Duration   // how long it goes on at most; 0: to the end
	Rate int64           // bytes a second that are read at most; 0: as fast as they come
	Stop <-chan struct{} // ends it early, and well; nil never
}

// Trimmed is what a trim has come to, in bytes.
type Trimmed struct {
	Read int64 // of the volume
	Zero int64 // of that, discarded
	Left bool  // it did not come to the end
}

// trimChunk is how much is read at once, in bytes, or one unit.
const trimChunk = 8 << 20

// errKeeps is of a disk that does not read zeroes where it was discarded.
var errKeeps = errors.New("it did not read as zero once it was discarded; zeroes were written there again, and nothing more is discarded")

// Run reads the volume, discards each unit that is all zero, and tells how many bytes are
// read.
func (t *Trim) Run(ctx context.Context, tell func(read int64)) (done Trimmed, err error) {
	disk, end, err := t.open(ctx)
	if err != nil {
		return done, err
	}
	defer end(&err)
	if !disk.Discards() {
		return done, fmt.Errorf("%s on %s takes no discards: not all of its replicas' disks do", t.Bdev, t.Node)
	}
	if t.Unit <= 0 || t.Unit%int64(disk.BlockSize) != 0 || t.From%t.Unit != 0 {
		return done, fmt.Errorf("%d bytes from %d on are no whole blocks of %d", t.Unit, t.From, disk.BlockSize)
	}
	start, pace := time.Now(), pace{rate: t.Rate}
	p := make([]byte, max(1, trimChunk/t.Unit)*t.Unit)
	for whole := disk.Size/t.Unit*t.Unit - t.From; done.Read < whole; {
		p := p[:min(int64(len(p)), whole-done.Read)]
		zero, err := t.chunk(ctx, disk, p, t.From+done.Read)
		done.Read, done.Zero = done.Read+int64(len(p)), done.Zero+zero
		if err != nil {
			return done, err
		}
		tell(done.Read)
		select {
		case <-ctx.Done():
			return done, ctx.Err()
		case <-t.Stop:
		case <-time.After(time.Until(pace.take(time.Now(), int64(len(p))))):
		}
		if t.stopped() || t.For > 0 && time.Since(start) > t.For {
			done.Left = done.Read < whole
			break
		}
	}
	return done, disk.Flush(ctx)
}

func (t *Trim) stopped() bool {
	select {
	case <-t.Stop:
		return true
	default:
		return false
	}
}

// chunk reads some units, and discards those that are zero, neighbours together.
func (t *Trim) chunk(ctx context.Context, disk *nvmetcp.Device, p []byte, off int64) (zero int64, err error) {
	if err := disk.ReadAt(ctx, p, off); err != nil {
		return 0, err
	}
	for at := int64(0); at < int64(len(p)); {
		to := at
		for to < int64(len(p)) && allZero(p[to:to+t.Unit]) {
			to += t.Unit
		}
		if to == at {
			at += t.Unit
			continue
		}
		if err := discard(ctx, disk, p[at:to], off+at); err != nil {
			return zero, err
		}
		zero += to - at
		at = to
	}
	return zero, nil
}

// discard discards what reads as zero, and sees that it does so afterwards: where it does not
// it is written again. p is room to read it.
func discard(ctx context.Context, disk *nvmetcp.Device, p []byte, off int64) error {
	if err := disk.Discard(ctx, off, int64(len(p))); err != nil {
		return err
	}
	if err := disk.ReadAt(ctx, p, off); err != nil {
		return err
	}
	if allZero(p) {
		return nil
	}
	return errors.Join(fmt.Errorf("%d bytes at %d: %w", len(p), off, errKeeps), disk.Zero(ctx, off, int64(len(p))))
}

func allZero(p []byte) bool { return len(p) == 0 || p[0] == 0 && bytes.Equal(p[:len(p)-1], p[1:]) }
