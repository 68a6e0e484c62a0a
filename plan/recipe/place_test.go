package recipe

import (
	"testing"

	"strata/schema"
)

// TestPoolRoom checks what is said of a pool's room, and whether a replica of 128Mi
// fits in.
func TestPoolRoom(t *testing.T) {
	const mi = 1 << 20
	for _, c := range []struct {
		capacity, used, taken int64
		room                  string
		fit                   fit
	}{
		{509, 0, 0, "509Mi free in fast, and nothing of it promised", fitsWhole},
		{509, 430, 494, "15Mi not promised yet of 79Mi free in fast", fitsNot},
		{509, 9, 1024, "515Mi more promised than the 500Mi that are free in fast", fitsNow},
		{509, 500, 512, "3Mi more promised than the 9Mi that are free in fast", fitsNot},
		{509, 381, 381, "128Mi free in fast, and nothing of it promised", fitsWhole},
		{0, 0, 64, "64Mi promised in fast", fitsNow},
	} {
		p := &pool{conf: &schema.Pool{Name: "fast"}, capacity: c.capacity * mi, used: c.used * mi, taken: c.taken * mi}
		if room, fit := p.room(), p.roomFor(128*mi); room != c.room || fit != c.fit {
			t.Errorf("%d Mi, %d used, %d taken: %q, %d, want %q, %d", c.capacity, c.used, c.taken, room, fit, c.room, c.fit)
		}
	}
}

// TestPoolRoomBeyondWhatItHas is TestPoolRoom of a pool of 500Mi that may promise a
// multiple of that.
func TestPoolRoomBeyondWhatItHas(t *testing.T) {
	const mi = 1 << 20
	for _, c := range []struct {
		over        float64
		used, taken int64
		room        string
		fit         fit
	}{
		{2, 100, 600, "400Mi may still be promised in fast, and 400Mi free", fitsWhole},
		{2, 100, 900, "100Mi may still be promised in fast, and 400Mi free", fitsNow},
		{2, 400, 500, "500Mi may still be promised in fast, and 100Mi free", fitsNot},
		{1.5, 100, 800, "50Mi more promised in fast than its overcommit allows, and 400Mi free", fitsNow},
		{1, 100, 600, "100Mi more promised than the 400Mi that are free in fast", fitsNow},
	} {
		p := &pool{conf: &schema.Pool{Name: "fast", Overcommit: c.over}, capacity: 500 * mi, used: c.used * mi, taken: c.taken * mi}
		if room, fit := p.room(), p.roomFor(128*mi); room != c.room || fit != c.fit {
			t.Errorf("times %g, %d used, %d taken: %q, %d, want %q, %d", c.over, c.used, c.taken, room, fit, c.room, c.fit)
		}
	}
}
