package sim

import "testing"

// TestBdevWaitsInVain: a bdev that does not come within the time allowed is
// timed out, one that nobody waits for is not there.
func TestBdevWaitsInVain(t *testing.T) {
	_, _, ks := cluster(t, Options{}, 1)
	ks[0].refuse(-110, "Connection timed out", "bdev_get_bdevs", M{"name": "nope", "timeout": 10})
	ks[0].refuse(-19, "No such device", "bdev_get_bdevs", M{"name": "nope"})
}
