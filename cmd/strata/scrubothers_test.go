package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"strata/lineage"
	"strata/schema"
	"strata/spdk/sim"
	"strata/state"
)

// TestReadByOthers: who compares layers says which another strata has read in the same round,
// and counts the copies that this has found damaged.
func TestReadByOthers(t *testing.T) {
	l := newStoryOn(t, sim.Options{DiskSize: 1 << 30, NVMe: (&doors{out: io.Discard}).listen, Dial: dialTCP})
	nodes := "package lab\n\ncluster: \"lab\"\n"
	for i := 1; i <= 3; i++ {
		nodes += fmt.Sprintf("nodes: n%d: {rpc: \"unix://%s\", address: \"127.77.60.%d\", pools: fast: {aio: \"/dev/disk\", format: true}}\n", i, l.socket(fmt.Sprint("n", i)), i)
	}
	if err := os.WriteFile(filepath.Join(l.dir, "lab", "nodes.cue"), []byte(nodes), 0o644); err != nil {
		t.Fatal(err)
	}
	volume := func(snapshots string) {
		l.volumes(t, `db: {size: 64Mi, replicas: on: ["n1", "n2"], export: nvmf: hosts: "any", snapshots: [`+snapshots+`]}`)
		l.strata(t, "apply", "--auto-approve", "lab")
	}
	volume("")
	l.do(t, l.cmdHost, "db")
	l.do(t, l.cmdWrite, "db", "0", "2Mi", "a")
	volume(`"one"`)
	volume(`"one", "two"`)
	l.strata(t, "scrub", "--sums", "sums", "lab", "db")

	cfg, err := schema.Load([]string{filepath.Join(l.dir, "lab")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	targets, closeAll, err := (&source{timeout: time.Minute}).connect(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll()
	// told is what one says that was asked to compare db, and has read those of its snapshots.
	told := func(read ...string) (string, int) {
		r := newComparison(cfg, "")
		r.looked(state.Read(t.Context(), cfg.Cluster, targets))
		for _, n := range r.seen.Nodes {
			for _, lvol := range n.Lvols {
				if of, is := lvol.Parsed.(lineage.Layer); is && slices.Contains(read, of.Snapshot) {
					r.layers[lvol.Name] = true
				}
			}
		}
		asked := map[string]int64{"db": r.seen.LastRounds()["db"]}
		r.others(asked)
		var out strings.Builder
		r.tell(&out)
		r.summary(&out, asked, 0)
		return out.String(), r.damaged
	}
	const meanwhile = "note: volume db: not read here, but by another strata in the same round, or younger than that: "
	switch text, damaged := told("one", "two"); {
	case damaged != 0 || strings.Contains(text, "note:"):
		t.Errorf("all was read, nothing is damaged, and it says (%d)\n%s", damaged, text)
	}
	switch text, damaged := told("one"); {
	case damaged != 0 || strings.Count(text, "note:") != 1 || !strings.Contains(text, meanwhile) || !strings.Contains(text, ".two\n"):
		t.Errorf("two was read by another, nothing is damaged, and it says (%d)\n%s", damaged, text)
	}
	switch text, damaged := told(); {
	case damaged != 0 || strings.Count(text, "note:") != 1 || !strings.Contains(text, meanwhile):
		t.Errorf("all was read by another, nothing is damaged, and it says (%d)\n%s", damaged, text)
	}
	l.do(t, l.cmdDamage, "n2", "db@one", "1Mi")
	if out, err := process(l.dir, "strata", "scrub", "--sums", "sums", "lab", "db").CombinedOutput(); err == nil {
		t.Fatalf("nothing is found damaged:\n%s", out)
	}
	switch text, damaged := told("two"); {
	case damaged != 1 || !strings.Contains(text, ".one on n2 is damaged, as was found when it was read before\n") || !strings.Contains(text, "repair: strata apply has what is damaged of db on n2 copied again"):
		t.Errorf("another found the copy of one on n2 damaged, and it says (%d)\n%s", damaged, text)
	}
}
