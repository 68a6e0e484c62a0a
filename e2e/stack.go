package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// Lvol is what a target says of one.
type Lvol struct {
	Name      string
	Alias     string
	UUID      string
	Allocated int64 `json:"num_allocated_clusters"`
}

// Lvols lists those of a volume on a target.
func (x *Target) Lvols(volume string) (lvols []Lvol) {
	x.t.Helper()
	x.Into(&lvols, "bdev_lvol_get_lvols", "")
	return slices.DeleteFunc(lvols, func(lv Lvol) bool { return !strings.HasPrefix(lv.Name, volume+".") })
}

// Stack is a volume's replica on a node: aliases of its lvols by what they are,
// the name of a layer, or "head" or "staging".
type Stack map[string]string

// Stacks are the replicas of a volume by node, as far as the targets run.
func (l *Lab) Stacks(volume string) map[string]Stack {
	l.t.Helper()
	stacks := map[string]Stack{}
	for _, n := range l.names {
		if l.Targets[n].cmd == nil {
			continue
		}
		stack := Stack{}
		for _, lv := range l.Targets[n].Lvols(volume) {
			switch {
			case strings.Contains(lv.Name, "#"):
				stack["head"] = lv.Alias
			case strings.Contains(lv.Name, "+"):
				stack["staging"] = lv.Alias
			default:
				stack[lv.Name] = lv.Alias
			}
		}
		if len(stack) > 0 {
			stacks[n] = stack
		}
	}
	return stacks
}

// SameStacks reads the lvols of stacks from the disks, past the targets, which
// must not be running, and expects them all to be there everywhere, and to be
// equal byte by byte. check, if not nil, is shown each.
func (l *Lab) SameStacks(stacks map[string]Stack, check func(what string, image []byte) error) (compared int) {
	l.t.Helper()
	var nodes, lvols []string
	for n, stack := range stacks {
		nodes = append(nodes, n)
		for what := range stack {
			if !slices.Contains(lvols, what) {
				lvols = append(lvols, what)
			}
		}
	}
	sort.Strings(nodes)
	sort.Strings(lvols)
	for _, what := range lvols {
		images := make([][]byte, len(nodes))
		var reading sync.WaitGroup
		for i, n := range nodes {
			if stacks[n][what] == "" {
				l.t.Errorf("%s has no %s", n, what)
				continue
			}
			reading.Go(func() { images[i] = l.image(n, stacks[n][what]) })
		}
		reading.Wait()
		for i, image := range images {
			if image == nil {
				continue
			}
			if at := difference(images[0], image); at >= 0 {
				l.t.Errorf("%s differs between %s and %s, from byte %d on", what, nodes[0], nodes[i], at)
			}
			if check != nil {
				if err := check(what, image); err != nil {
					l.t.Errorf("%s on %s: %v", what, nodes[i], err)
				}
			}
			compared++
		}
	}
	return compared
}

// difference is where two images differ first; -1 when they are equal.
func difference(a, b []byte) int {
	if bytes.Equal(a, b) {
		return -1
	}
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	return at
}

// image reads an lvol from a node's disk; nil when it could not. It may be
// called from any goroutine.
func (l *Lab) image(node, alias string) []byte {
	return l.imageOn(l.Targets[node].Disk, l.Targets[node].bin.CPUMask, node, alias)
}

// imageOn is image of a copy of a node's disk, read on some cores.
func (l *Lab) imageOn(disk, mask, node, alias string) []byte {
	file := filepath.Join(l.Dir, fmt.Sprintf("image%d", l.programs.Add(1)))
	defer os.Remove(file)
	cmd := l.programOn(mask, l.bin.DD, diskAt(disk), "--ib", alias, "--of", file, "--bs", fmt.Sprint(mib))
	out, err := cmd.CombinedOutput()
	if cmd.Process != nil {
		tidy(cmd.Process.Pid)
	}
	if err != nil {
		l.t.Errorf("reading %s of %s: %v\n%s", alias, node, err, out)
		return nil
	}
	image, err := os.ReadFile(file)
	if err != nil {
		l.t.Error(err)
	}
	return image
}

// Sampler looks at targets during a change.
type Sampler struct {
	ended chan struct{}
	done  sync.WaitGroup
	// Layers has the clusters of each layer ever seen, by node and name, and
	// Staged the bytes that were written to staging, by node and lvol.
	Layers map[string]map[string]int64
	Staged map[string]map[string]int64
}

// Sample looks at a volume's lvols every 50 ms until End.
func (l *Lab) Sample(volume string) *Sampler {
	s := &Sampler{ended: make(chan struct{}), Layers: map[string]map[string]int64{}, Staged: map[string]map[string]int64{}}
	for _, n := range l.names {
		s.Layers[n], s.Staged[n] = map[string]int64{}, map[string]int64{}
		x := l.Targets[n]
		s.done.Go(func() {
			for {
				s.look(x, volume)
				select {
				case <-s.ended:
					return
				case <-time.After(50 * time.Millisecond):
				}
			}
		})
	}
	return s
}

func (s *Sampler) look(x *Target, volume string) {
	var lvols []Lvol
	var stats struct {
		Bdevs []struct {
			Name    string
			Written int64 `json:"bytes_written"`
		}
	}
	if x.try(&lvols, "bdev_lvol_get_lvols") != nil || x.try(&stats, "bdev_get_iostat") != nil {
		return
	}
	written := map[string]int64{}
	for _, b := range stats.Bdevs {
		written[b.Name] = b.Written
	}
	for _, lv := range lvols {
		switch {
		case !strings.HasPrefix(lv.Name, volume+"."):
		case strings.Contains(lv.Name, "@"):
			s.Layers[x.Name][lv.Name] = max(s.Layers[x.Name][lv.Name], lv.Allocated)
		case strings.Contains(lv.Name, "+"):
			s.Staged[x.Name][lv.UUID] = max(s.Staged[x.Name][lv.UUID], written[lv.UUID])
		}
	}
}

// End ends it.
func (s *Sampler) End() *Sampler {
	close(s.ended)
	s.done.Wait()
	return s
}
