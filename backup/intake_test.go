package backup

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// nowhere takes what it is given.
type nowhere struct{}

func (nowhere) ReadAt(p []byte, _ int64) (int, error)  { return len(p), nil }
func (nowhere) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (nowhere) ZeroAt(_, _ int64) error                { return nil }

// TestIntakeCounts: clusters come in parts, in any order, and some of them more than once.
func TestIntakeCounts(t *testing.T) {
	for _, cluster := range []int64{64 << 10, 1 << 20, 4 << 20, 192 << 10} {
		in := &intake{to: nowhere{}, size: 100 * cluster, cluster: cluster}
		in.next()
		var parts []int64
		for _, c := range []int64{0, 1, 2, 7, 63, 64, 99} {
			for off := c * cluster; off < (c+1)*cluster; off += grain {
				parts = append(parts, off, off)
			}
		}
		rand.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		for _, off := range parts {
			if _, err := in.WriteAt(make([]byte, grain), off); err != nil {
				t.Fatal(err)
			}
		}
		if err := in.ZeroAt(cluster, 2*cluster); err != nil { // once more, and both at once
			t.Fatal(err)
		}
		if in.came() != 7*cluster || len(in.parts) != 0 {
			t.Errorf("of clusters of %d bytes %d bytes came, and %d are not whole", cluster, in.came(), len(in.parts))
		}
		in.next()
		if err := in.ZeroAt(98*cluster, 2*cluster); err != nil {
			t.Fatal(err)
		}
		per := cluster / grain
		want := extents{{0, 3 * per}, {7 * per, per}, {63 * per, 2 * per}, {98 * per, 2 * per}}
		if in.came() != 2*cluster || !slices.Equal(in.sent(), want) {
			t.Errorf("of clusters of %d bytes %d bytes came, of all %v, not %v", cluster, in.came(), in.sent(), want)
		}
		if _, err := in.WriteAt(make([]byte, grain), 100); err == nil {
			t.Error("what is no whole cluster is taken")
		}
	}
}

// TestIntakeOfLargeVolume: what is kept of a volume of 100 TiB whose clusters have a MiB is a tenth
// of what a backup may have in memory.
func TestIntakeOfLargeVolume(t *testing.T) {
	const size, cluster = 100 << 40, 1 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	in := &intake{to: nowhere{}, size: size, cluster: cluster}
	in.next()
	for c := int64(0); c < size/cluster; c += 1 << 20 {
		if err := in.ZeroAt(c*cluster, cluster); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	for c := int64(0); c < size/cluster; c += 512 { // every so many, so that none are neighbours
		if err := in.ZeroAt(c*cluster, cluster); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(in.sent()); n > 2*maxExtents {
		t.Errorf("%d extents are kept", n)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 26<<20 {
		t.Errorf("%d MiB are kept", took>>20)
	}
}
