package sim

import (
	"fmt"
	"path/filepath"
	"testing"
)

// TestManyNodes: a hundred targets on sockets with 300 lvols each.
func TestManyNodes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	dir := t.TempDir()
	c := New(Options{})
	defer c.Close()
	for n := range 100 {
		x, err := c.Start(fmt.Sprint("n", n), filepath.Join(dir, fmt.Sprint(n)))
		if err != nil {
			t.Fatal(err)
		}
		k := dial(t, x)
		prepare(k)
		k.must("bdev_lvol_create_lvstore", M{"bdev_name": "disk0", "lvs_name": "lvs0", "cluster_sz": 1 << 20})
		for id, r := range pipeline(k, 300, func(i int) string {
			return fmt.Sprintf(`{"id":%d,"method":"bdev_lvol_create","params":{"lvs_name":"lvs0","lvol_name":"v%d","size_in_mib":65536,"thin_provision":true}}`, i, i)
		}) {
			if r.Error != nil {
				t.Fatalf("n%d lvol %d: %v", n, id, r.Error)
			}
		}
	}
}
