package e2e

import (
	"fmt"
	"testing"
)

// TestResync ends all targets at once, as a power failure does: nobody knows
// which of the last writes reached which replica, so all but one replica are
// resynced. What that copies is what was written since strata's own mark, or,
// without one, the volume.
func TestResync(t *testing.T) {
	l := NewLab(t, gib)
	data, more := Pattern(1, 96*mib), Pattern(2, 4*mib)
	copied := map[string]int64{}
	for _, volume := range []string{"marked", "bare"} {
		configure := func(resync string) {
			l.Configure(fmt.Sprintf(`%s: {size: 128Mi, replicas: 3, engine: "n1", %sexport: nvmf: hosts: "any"}`, volume, resync))
			l.Apply(0)
		}
		configure("")
		l.Write(volume, 0, data)
		if volume == "marked" {
			configure(`resync: "1h", `) // the first mark is due at once
		}
		l.Write(volume, 8, more)
		l.Kill()
		l.Start()
		for _, e := range Copies(l.StartApply().Expect(0)) {
			copied[volume] += e.Bytes
		}
		t.Logf("%s: %d MiB were written, 4 MiB of them last; %d MiB were copied to two replicas", volume, 96+4, copied[volume]/mib)
		l.Read(volume, 0, data[:8*mib])
		l.Read(volume, 8, more)
		l.Read(volume, 12, data[12*mib:])
		l.Configure(`{}`)
		l.Apply(0, "--allow-destroy", volume)
	}
	if want := int64(2*4) * mib; copied["marked"] != want {
		t.Errorf("%d MiB were copied with a mark, want %d", copied["marked"]/mib, want/mib)
	}
	if want := int64(2*96) * mib; copied["bare"] != want {
		t.Errorf("%d MiB were copied without a mark, want %d", copied["bare"]/mib, want/mib)
	}
}
