package plan

import (
	"maps"
	"os"
	"strings"
	"testing"
)

// A node whose section was given up is asked for no more reminders, and what is
// new is made all the same.
func TestRemindersGivenUp(t *testing.T) {
	nodes, err := os.ReadFile("testdata/nodes.cue")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	cfg := loadConfig(t, `volumes: db: {size: 64Mi, replicas: on: ["n1"]}`, string(nodes))
	var world strings.Builder
	for _, n := range []string{"n1", "n2", "n3"} {
		world.WriteString(strings.ReplaceAll("N tcp\nN disk /dev/N lab.fast.disk claimed\nN lvstore lab.fast lab.fast.disk 1Mi 1024\n", "N", n))
	}
	snap, err := readWorld(cfg.Cluster, world.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, skip := range []bool{false, true} {
		p, err := Build(cfg, snap, Options{Nonce: []byte("n"), Skip: map[string]bool{"node n2": skip}})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, step := range p.Steps() {
			switch step.Op.(type) {
			case Remind, LvolCreate:
				got[string(step.Op.On())+" "+strings.Fields(Words(step.Op))[0]]++
			}
		}
		want := map[string]int{"n1 leave": 2, "n2 leave": 2, "n3 leave": 2, "n1 create": 1}
		if skip {
			delete(want, "n2 leave")
		}
		if !maps.Equal(got, want) {
			t.Errorf("given up %v: %v, want %v", skip, got, want)
		}
	}
}
