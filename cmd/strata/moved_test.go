package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"strata/spdk/sim"
)

// TestMovedOnce kills strata in the middle of moving replicas and runs it again: what was
// copied in all is what had to be, whatever is the reason for which they move. It is not killed in the
// moment in which a copy is begun and not noted yet, or is over and its layer not cut: such
// a copy is made again, as ARCHITECTURE.md has it.
func TestMovedOnce(t *testing.T) {
	const drained = `nodes: n1: maintenance: "drain"`
	for _, c := range []struct {
		name string
		conf string // added
		verb string
		must int64 // MiB
	}{
		{"drain", drained, "apply", 10 + 20 + 30 + 40},
		{"replace", `nodes: n4: replaces: "n1"`, "apply", 10 + 20 + 30 + 40},
		{"rebalance", "", "rebalance", 10 + 20 + 30}, // from 39% each of two nodes
	} {
		for _, percent := range []int64{10, 60} {
			t.Run(fmt.Sprint(c.name, "/", percent), func(t *testing.T) {
				t.Parallel()
				l := newStoryOn(t, sim.Options{DiskSize: 256 << 20, CopyRate: 100 << 20})
				if err := l.start(sim.Options{}, "n4"); err != nil {
					t.Fatal(err)
				}
				if err := l.configure("n1", "n2", "n3", "n4"); err != nil {
					t.Fatal(err)
				}
				volumes := func(on string) string {
					var all []string
					for i := 1; i <= 4; i++ {
						all = append(all, fmt.Sprintf(`v%d: {size: 64Mi, replicas: %s, export: nvmf: {hosts: "any", standby: 3}}`, i, on))
					}
					return "{" + strings.Join(all, ", ") + "}"
				}
				l.volumes(t, volumes(`on: ["n1", "n2"]`))
				l.strata(t, "apply", "--auto-approve", "lab")
				for i := 1; i <= 4; i++ {
					l.do(t, l.cmdPaths, fmt.Sprint("v", i))
					l.do(t, l.cmdWrite, fmt.Sprint("v", i), "0", fmt.Sprintf("%dMi", 10*i), string(rune('A'+i)))
				}
				l.volumes(t, volumes("2"))
				l.strata(t, "apply", "--auto-approve", "lab")
				if err := os.WriteFile(filepath.Join(l.dir, "lab", "more.cue"), []byte("package lab\n\n"+c.conf+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
				must := c.must << 20
				before := l.cluster.Copied()
				run := []string{c.verb, "--auto-approve", "lab"}
				l.killed(t, before+must*percent/100, run...)
				l.strata(t, run...)
				l.strata(t, "plan", "--detailed-exitcode", "lab")
				if c.verb == "rebalance" && !strings.Contains(l.strata(t, "rebalance", "--plan", "lab"), "all 4 pools are within 10%") {
					t.Error("pools are not about equally full")
				}
				if moved := l.cluster.Copied() - before; moved != must || must == 0 {
					t.Errorf("%d bytes were copied, and %d had to be: %.2f", moved, must, float64(moved)/float64(must))
				}
				for i := 1; i <= 4; i++ {
					l.do(t, l.cmdHost, fmt.Sprint("v", i))
					l.do(t, l.cmdRead, fmt.Sprint("v", i), "0", fmt.Sprintf("%dMi", 10*i), string(rune('A'+i)))
				}
			})
		}
	}
}

// killed runs strata, and kills it when so much was copied on the targets, and it has noted all
// that it has begun, and cut all that it has copied: of every other copy it has heard twice since
// that it goes on. Until then copies stay where they are.
func (l *lab) killed(t *testing.T, copied int64, args ...string) {
	t.Helper()
	var enough atomic.Bool
	go func() {
		for t.Context().Err() == nil && l.cluster.Copied() < copied {
			time.Sleep(time.Millisecond)
		}
		l.cluster.HoldCopies(math.MaxInt)
		enough.Store(true)
	}()
	cmd := process(l.dir, append([]string{"strata"}, args...)...)
	started := make(chan struct{})
	var mu sync.Mutex
	begun := map[string]bool{} // and not noted
	over := map[string]bool{}
	heard := map[string]int{} // of copies, since they stay where they are
	all, cut, killed := 0, 0, false
	l.cluster.Inject(func(c sim.Call) sim.Fault {
		<-started
		mu.Lock()
		defer mu.Unlock()
		var p struct {
			Name string
			Dest string `json:"dst_bdev_name"`
			Lvol string `json:"lvol_name"`
			ID   int    `json:"operation_id"`
		}
		json.Unmarshal(c.Params, &p)
		switch c.Method {
		case "bdev_lvol_start_shallow_copy":
			if killed {
				return sim.Fault{LoseBefore: true} // it was on its way
			}
			begun[p.Dest] = true
			all++
		case "bdev_null_create":
			delete(begun, p.Name[strings.LastIndex(p.Name, ".")+1:])
		case "bdev_null_delete":
			if strings.Contains(p.Name, ".copy.") {
				over[p.Name] = true
			}
		case "bdev_lvol_snapshot":
			if strings.Contains(p.Lvol, "+") {
				cut++
			}
		case "bdev_lvol_check_shallow_copy":
			if !enough.Load() {
				break
			}
			heard[fmt.Sprint(c.Node, " ", p.ID)]++
			going := 0
			for _, n := range heard {
				if n > 1 {
					going++
				}
			}
			if len(begun) == 0 && len(over) == cut && going == all-cut {
				killed = true
				cmd.Process.Signal(syscall.SIGKILL)
				return sim.Fault{LoseBefore: true}
			}
		}
		return sim.Fault{}
	})
	err := cmd.Start()
	close(started)
	if err == nil {
		err = ran(cmd.Wait())
	}
	l.cluster.Inject(nil)
	l.cluster.HoldCopies(0)
	if err != nil || !killed {
		t.Fatalf("it ended before it was killed: %v", err)
	}
}
