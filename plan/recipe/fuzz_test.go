package recipe

import (
	"math/rand"
	"os"
	"slices"
	"strings"
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/plan/check"
	"strata/plan/plantest"
	"strata/schema"
	"strata/state/worldtest"
)

// FuzzBuild mutates the worlds of the golden files, line by line: names,
// epochs, marks and states are exchanged, lines left out or repeated under
// another node, and the configuration is any other file's. Nothing makes Build
// panic or run without end, and what it returns passes the check. An error is
// about safety, and only for a world that was mutated.
func FuzzBuild(f *testing.F) {
	var worlds []string
	var configs []*schema.Config
	var opts []plan.Options
	home, err := os.Getwd()
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range plantest.Cases(f, "testdata") {
		cfg, _, opt := c.Load(f)
		configs, worlds, opts = append(configs, cfg), append(worlds, c.File("world")), append(opts, opt)
	}
	if err := os.Chdir(home); err != nil { // workers start where this process is
		f.Fatal(err)
	}
	for i := range worlds {
		f.Add(uint(i), uint(i), int64(i), uint8(0))
		f.Add(uint(i), uint(i+7), int64(i), uint8(3))
	}
	f.Fuzz(func(t *testing.T, world, config uint, seed int64, changes uint8) {
		i, j := int(world%uint(len(worlds))), int(config%uint(len(configs)))
		text := mutate(worlds[i], rand.New(rand.NewSource(seed)), int(changes%8))
		snap, err := worldtest.Read(configs[j].Cluster, text)
		if err != nil {
			t.Skip(err)
		}
		p, err := Build(configs[j], snap, opts[j])
		if err != nil {
			// A world that contradicts itself may be refused, but only for safety.
			if changes%8 == 0 || !strings.HasPrefix(err.Error(), "the plan is not safe") {
				t.Fatalf("%v\n%s", err, text)
			}
			return
		}
		if changes%8 == 0 {
			for _, b := range p.Blocked {
				if b.Hint == defect {
					t.Fatalf("%s: %s\n%s", b.About, b.Text, text)
				}
			}
		}
		if err := check.Check(configs[j], snap, p, opts[j]); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	})
}

// mutate changes some lines of a world.
func mutate(world string, r *rand.Rand, changes int) string {
	lines := strings.Split(strings.TrimSpace(world), "\n")
	for range changes {
		if len(lines) == 0 {
			break
		}
		i := r.Intn(len(lines))
		switch r.Intn(4) {
		case 0:
			lines = append(lines[:i:i], lines[i+1:]...)
		case 1:
			from, to := "n"+string(rune('1'+r.Intn(3))), "n"+string(rune('1'+r.Intn(3)))
			lines[i] = strings.Replace(lines[i], from, to, 1)
		default:
			lines[i] = mutateLine(lines[i], r)
		}
	}
	return strings.Join(plausible(lines), "\n")
}

// mutateLine exchanges a head's name, a state or a device for others.
func mutateLine(line string, r *rand.Rand) string {
	f := strings.Fields(line)
	if len(f) < 4 {
		return line
	}
	pick := func(of ...string) string { return of[r.Intn(len(of))] }
	switch f[1] {
	case "lvol":
		store, name, _ := strings.Cut(f[2], "/")
		if p, ok := lineage.Parse(lineage.LvolName(name)); ok {
			h := lineage.Head{Volume: p.Of(), Epoch: lineage.Epoch(1 + r.Intn(5)), Mark: lineage.Mark(pick("\x00", "p", "s", "x")[0])}
			if h.Mark != lineage.Fenced {
				h.Legs = 1 + r.Intn(3)
			}
			f[2] = store + "/" + string(h.Lvol())
		}
		if len(f) > 5 {
			f[5] = pick("0", "3")
		}
	case "raid":
		f[3] = pick("online", "configuring", "offline")
		if len(f) > 4 {
			f[4+r.Intn(len(f)-4)] = pick("-", "u1", "u2", "u3")
		}
		if r.Intn(3) == 0 {
			f = append(f, "stalled")
		}
	case "controller":
		f[4] = pick("enabled", "failed", "deleting", "disabled", "reconnect_is_delayed", "resetting")
	case "remote":
		f = append(f[:4], pick("32Mi", "64Mi", "128Mi"), pick("absent", "", ""))
	case "namespace":
		f[len(f)-1] = pick("u1", "u2", "lab.db.k3f7", "nothing")
	case "listen":
		f = append(f[:5], pick("paused", ""))
	}
	return strings.Join(f, " ")
}

// plausible leaves out lines that name what is not there: no target lists a
// namespace of a subsystem it does not have, nor two lvols of one name.
func plausible(lines []string) []string {
	var out []string
	have := map[string]bool{}
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) < 3 {
			out = append(out, line)
			continue
		}
		keys := []string{f[0] + " " + f[1] + " " + f[2]}
		switch f[1] {
		case "unread":
			keys = nil
		case "lvol":
			keys = append(keys, "uuid "+f[3])
			if store, _, _ := strings.Cut(f[2], "/"); !have[f[0]+" lvstore "+store] {
				continue
			}
			if parent := strings.Index(line, "parent="); parent >= 0 {
				store, _, _ := strings.Cut(f[2], "/")
				if !have[f[0]+" lvol "+store+"/"+strings.Fields(line[parent+len("parent="):])[0]] {
					continue
				}
			}
		case "disk":
			keys = []string{f[0] + " disk " + f[3]}
		case "raid":
			for _, leg := range f[4:] {
				if leg != "-" && leg != "stalled" {
					keys = append(keys, f[0]+" uses "+leg)
				}
			}
			if slices.Sort(keys); len(slices.Compact(slices.Clone(keys))) < len(keys) {
				continue
			}
		case "namespace":
			keys = []string{f[0] + " " + f[2] + " " + f[3]}
			if !have[f[0]+" subsystem "+f[2]] {
				continue
			}
		case "listen":
			keys = []string{line}
			if !have[f[0]+" subsystem "+f[2]] {
				continue
			}
		case "remote":
			ctrl := f[2][:strings.LastIndex(f[2], "n")]
			keys = append(keys, f[0]+" sees "+f[3])
			if !have[f[0]+" controller "+ctrl] {
				continue
			}
		}
		twice := false
		for _, k := range keys {
			twice = twice || have[k]
		}
		if twice {
			continue
		}
		for _, k := range keys {
			have[k] = true
		}
		out = append(out, line)
	}
	return out
}
