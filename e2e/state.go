package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
)

// listings are the methods that together say all there is on a target, and
// the field that names what they list.
var listings = []struct{ method, params, key string }{
	{"bdev_get_bdevs", "", "name"},
	{"bdev_lvol_get_lvstores", "", "name"},
	{"bdev_lvol_get_lvols", "", "alias"},
	{"bdev_raid_get_bdevs", `{"category":"all"}`, "name"},
	{"bdev_nvme_get_controllers", "", "name"},
	{"nvmf_get_subsystems", "", "nqn"},
	{"nvmf_get_transports", "", "trtype"},
}

// Everything is a filter for State that keeps all there is.
func Everything(string, string) bool { return true }

// Foreign is a filter for State that keeps what strata would not call its
// own, and what does not change with the work of others.
func Foreign(key, name string) bool {
	_, lvol, isLvol := strings.Cut(name, "/")
	switch {
	case key == "trtype":
		return false
	case strings.HasPrefix(name, "e2e.") && !isLvol, strings.HasPrefix(name, "nqn.2026-01.io.strata:e2e:"):
		return false
	}
	_, ours := lineage.Parse(lineage.LvolName(lvol))
	return !ours
}

// State lists what the running targets have, sorted, one object a line.
func (l *Lab) State(want func(key, name string) bool) string {
	l.t.Helper()
	var lines []string
	for _, n := range l.names {
		if l.Targets[n].cmd == nil {
			continue
		}
		for _, list := range listings {
			var objects []map[string]any
			l.Targets[n].Into(&objects, list.method, list.params)
			for _, o := range objects {
				name := fmt.Sprint(o[list.key])
				if aliases, ok := o["aliases"].([]any); ok && o["product_name"] == "Logical Volume" {
					name = fmt.Sprint(aliases[0])
				}
				if want(list.key, name) {
					text, _ := json.Marshal(o)
					lines = append(lines, fmt.Sprintf("%s %s %s", n, list.method, text))
				}
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Heads are a volume's heads by node, as far as the targets run.
func (l *Lab) Heads(volume string) map[string]string {
	l.t.Helper()
	heads := map[string]string{}
	for _, n := range l.names {
		if l.Targets[n].cmd == nil {
			continue
		}
		var lvols []struct{ Name, Alias string }
		l.Targets[n].Into(&lvols, "bdev_lvol_get_lvols", "")
		for _, lv := range lvols {
			if strings.HasPrefix(lv.Name, volume+".") && strings.Contains(lv.Name, "#") {
				heads[n] = lv.Alias
			}
		}
	}
	return heads
}

// Export finds the subsystem through which hosts reach a volume, and its port.
func (l *Lab) Export(volume string) (nqn, port string) {
	l.t.Helper()
	nqn, x := l.exporter(volume)
	return nqn, x.Port
}

// exporter finds the subsystem through which hosts reach a volume, and its target.
func (l *Lab) exporter(volume string) (nqn string, x *Target) {
	l.t.Helper()
	if nqn, x = l.exported(volume); x == nil {
		l.t.Fatalf("%s is exported nowhere", volume)
	}
	return nqn, x
}

// exported is exporter for what may be exported nowhere; the target is nil then.
func (l *Lab) exported(volume string) (nqn string, x *Target) {
	for _, n := range l.names {
		if s := l.Targets[n].export(volume); s != nil && len(s.Namespaces) > 0 {
			return s.NQN, l.Targets[n]
		}
	}
	return "", nil
}

// paths finds the subsystem through which hosts reach a volume, and all targets that
// listen for it, that of the engine first.
func (l *Lab) paths(volume string) (nqn string, all []*Target) {
	l.t.Helper()
	nqn, engine := l.exporter(volume)
	all = append(all, engine)
	for _, n := range l.names {
		if x := l.Targets[n]; x != engine && x.export(volume) != nil {
			all = append(all, x)
		}
	}
	return nqn, all
}

// listening is a subsystem that a target listens for.
type listening struct {
	NQN        string
	Listen     []struct{ Trsvcid string } `json:"listen_addresses"`
	Namespaces []struct{ NSID int }
}

// export is a volume's on a target, nil where that runs none, or is not running.
func (x *Target) export(volume string) *listening {
	var subs []listening
	if x.cmd == nil || x.try(&subs, "nvmf_get_subsystems") != nil {
		return nil
	}
	for _, s := range subs {
		if strings.Contains(s.NQN, ":"+volume+".") && len(s.Listen) > 0 {
			return &s
		}
	}
	return nil
}

// LostLegs counts the slots of a node's RAIDs whose leg is gone.
func (x *Target) LostLegs() (lost int) {
	x.t.Helper()
	var raids []struct {
		Bases []struct {
			Configured bool `json:"is_configured"`
		} `json:"base_bdevs_list"`
	}
	x.Into(&raids, "bdev_raid_get_bdevs", `{"category":"all"}`)
	for _, r := range raids {
		for _, b := range r.Bases {
			if !b.Configured {
				lost++
			}
		}
	}
	return lost
}
