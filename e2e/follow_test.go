package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFollow: a volume follows another by nothing but the repository, while strata is killed
// at moments of chance. Then all nodes that have the other are gone, and so is the
// repository: what is served is what was recorded last, on real targets, and a volume that is
// made with snapshots has in each what hosts had written by then.
func TestFollow(t *testing.T) {
	l := archivedLab(t, 2*gib)
	var snapshots []string
	configure := func(more string) {
		names := strings.Join(snapshots, ", ")
		l.Configure(strings.Replace(l.archived(names), "replicas: 2", `replicas: on: ["n1", "n2"]`, 1) + "\nvolumes: " + more)
	}
	const dr = `dr: {size: 256Mi, replicas: on: ["n3"], %sexport: nvmf: hosts: "any"}`
	following := fmt.Sprintf(dr, `from: {archive: "main", volume: "db", follow: true}, `)
	configure(following)
	l.initArchive()
	want := make([]byte, 256*mib)
	var then [][]byte // what each snapshot has
	put := func(seed, offset, size int) {
		data := Pattern(uint64(seed), size)
		copy(want[offset*mib:], data)
		l.Write("db", offset, data)
	}
	l.Apply(3) // nothing is recorded yet
	put(1, 0, 64*mib)
	put(2, 200, 8*mib)
	for i := range 4 {
		snapshots = append(snapshots, fmt.Sprintf(`"s%d"`, i))
		then = append(then, append([]byte(nil), want...))
		configure(following)
		// It is killed at three moments of chance, and does it then.
		for range 3 {
			run := l.StartApply()
			time.Sleep(time.Duration(rand.IntN(2500)) * time.Millisecond)
			run.Kill()
			run.Wait()
		}
		l.Apply(0)
		l.restic("unlock")
		l.restic("check")
		put(10+i, 4*i, 3*mib)
	}
	r := l.Strata("status")
	if !strings.Contains(r.Out, "has s3 of 20") || !strings.Contains(r.Out, "the latest") {
		t.Fatal(r.Out)
	}
	if list := string(l.Targets["n3"].Must("nvmf_get_subsystems", `{}`)); strings.Contains(list, ":dr.") {
		t.Fatal("it is shown while it follows: " + list)
	}

	// With its snapshots another is made of it, which has in each what was written by then.
	made := fmt.Sprintf(`copy: {size: 256Mi, replicas: on: ["n2"], snapshots: [%s], from: {archive: "main", volume: "db"}}`, strings.Join(snapshots, ", "))
	configure(following + "\nvolumes: " + made)
	l.Apply(0)
	aliases := map[string]string{}
	for i := range then {
		for volume, node := range map[string]string{"copy": "n2", "dr": "n3"} {
			aliases[fmt.Sprint(node, i)] = l.layer(node, volume, fmt.Sprintf("s%d", i))
		}
	}

	// The first cluster and the repository are gone.
	l.Kill()
	compared := 0
	for i := range then {
		for _, node := range []string{"n2", "n3"} {
			if alias := aliases[fmt.Sprint(node, i)]; alias != "" {
				l.Replica(node, alias, 0, then[i])
				compared++
			} else if node == "n2" || i == 3 {
				t.Errorf("%s has no layer s%d", node, i)
			}
		}
	}
	t.Logf("%d layers have what was written by then", compared)
	l.Start("n3")
	if err := os.RemoveAll(filepath.Join(l.Dir, "archive")); err != nil {
		t.Fatal(err)
	}
	configure(fmt.Sprintf(dr, ""))
	start := time.Now()
	l.Apply(3)
	t.Logf("what was recorded last is served %v after follow was taken away", time.Since(start).Round(time.Millisecond))
	l.Read("dr", 0, then[3])
}

// layer is what a node calls a layer of a volume, "" for none.
func (l *Lab) layer(node, volume, snapshot string) string {
	for _, word := range strings.FieldsFunc(string(l.Targets[node].Must("bdev_lvol_get_lvols", `{}`)), func(r rune) bool { return strings.ContainsRune("\" ,\n", r) }) {
		if strings.Contains(word, "/"+volume+".") && strings.HasSuffix(word, "."+snapshot) && strings.Contains(word, "@") {
			return word
		}
	}
	return ""
}
