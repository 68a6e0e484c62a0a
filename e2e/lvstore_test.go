package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lvstores are a target's, UUID by name.
func (x *Target) lvstores() map[string]string {
	var list []struct{ Name, UUID string }
	x.Into(&list, "bdev_lvol_get_lvstores", "")
	all := map[string]string{}
	for _, l := range list {
		all[l.Name] = l.UUID
	}
	return all
}

// lvstore is the name of a target's only lvstore.
func (x *Target) lvstore() string {
	x.t.Helper()
	all := x.lvstores()
	for name := range all {
		if len(all) == 1 {
			return name
		}
	}
	x.t.Fatalf("the lvstores of %s are %v", x.Name, all)
	return ""
}

// TestLvstoresRenamed gives lvstores, while a host writes and verifies, the names
// of their own that those of older versions lack: nothing of it is to be noticed.
func TestLvstoresRenamed(t *testing.T) {
	const area, depth = 2, 16
	l := NewLabOf(t, gib, "n1", "n2")
	l.Configure(`db: {size: 8Mi, replicas: 2, engine: "n1", export: nvmf: hosts: "any"}`)
	l.Apply(0)
	for _, x := range l.Targets {
		if err := x.client.LvstoreRename(t.Context(), x.lvstore(), "e2e.fast"); err != nil {
			t.Fatal(err)
		}
	}
	w := l.StartWriter("db", 3, area, depth)
	w.Going(depth, time.Minute)
	for _, x := range l.Targets {
		if name := x.lvstore(); name != "e2e.fast" {
			t.Fatalf("%s calls its lvstore %s", x.Name, name)
		}
	}
	l.Apply(0)
	w.Going(area*mib/block+depth, time.Minute)
	load := w.Stop()
	t.Logf("renamed: %v", load)
	names := map[string]bool{}
	for _, x := range l.Targets {
		names[x.lvstore()] = strings.HasPrefix(x.lvstore(), "e2e.fast.")
	}
	if len(names) != 2 {
		t.Errorf("the lvstores are called %v", names)
	}
	l.Settled()
	stacks := l.Stacks("db")
	l.Kill()
	if n := l.SameStacks(stacks, func(what string, image []byte) error { _, err := w.Check(image, false); return err }); n != 2 {
		t.Errorf("%d lvols were compared", n)
	}
}

// TestDiskMoved puts the disk of a node that is gone into another, whose target
// does not show it, for it has an lvstore of that name. It is found all the same,
// not written over, and what it holds is served from there.
func TestDiskMoved(t *testing.T) {
	l := NewLabOf(t, gib, "n1", "n2")
	l.Configure(`{solo: {size: 64Mi, replicas: on: ["n1"], protect: true, export: nvmf: hosts: "any"}, other: {size: 64Mi, replicas: on: ["n2"]}}`)
	l.Apply(0)
	data := Pattern(5, 4*mib)
	l.Write("solo", 3, data)
	n1, n2 := l.Targets["n1"], l.Targets["n2"]
	moved := n1.lvstore()
	uuid := n1.lvstores()[moved]
	l.Kill("n1")
	disk, err := os.ReadFile(n1.Disk)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(l.Dir, "moved.img")
	if err := os.WriteFile(path, disk, 0o600); err != nil {
		t.Fatal(err)
	}
	n2.Must("bdev_lvol_rename_lvstore", fmt.Sprintf(`{"old_name": %q, "new_name": %q}`, n2.lvstore(), moved))
	n2.Must("bdev_aio_create", fmt.Sprintf(`{"name": "e2e.rescue.disk", "filename": %q, "block_size": 4096}`, path))
	n2.Must("bdev_wait_for_examine", "")
	if name := n2.lvstore(); name != moved {
		t.Fatalf("n2 calls its lvstore %s", name)
	}

	l.names = []string{"n2"}
	volumes := `{solo: {size: 64Mi, replicas: 1, protect: true, export: nvmf: hosts: "any"}, other: {size: 64Mi, replicas: on: ["n2"]}}`
	rescue := func(more string) {
		t.Helper()
		l.Configure(volumes)
		f, err := os.OpenFile(filepath.Join(l.Dir, "lab.cue"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		fmt.Fprintf(f, "nodes: n2: pools: rescue: {aio: %q, format: true%s}\n", path, more)
	}
	rescue("")
	r := l.Apply(3)
	if !strings.Contains(r.Out, "has lvstore "+moved) {
		t.Errorf("apply says\n%s", r.Out)
	}
	if got := n2.lvstores()[moved]; got != uuid || len(n2.lvstores()) != 2 {
		t.Fatalf("the lvstores of n2 are %v, and the one that was moved is %s", n2.lvstores(), uuid)
	}
	rescue(fmt.Sprintf(", lvstore: %q", moved))
	l.Apply(0)
	l.Read("solo", 3, data)
	l.Settled()
}
