package state_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"strata/lineage"
	"strata/spdk"
	"strata/state"
)

// said is what a target with a volume of two replicas answers.
var said = map[string]string{
	"rpc_get_methods":              `["rpc_get_methods","ublk_get_disks","nbd_get_disks"]`,
	"spdk_get_version":             `{"version":"SPDK v26.05"}`,
	"bdev_wait_for_examine":        `true`,
	"bdev_get_bdevs":               `[` + diskBdev + `,` + headBdev + `,` + snapBdev + `,` + peerBdev + `,` + raidBdev + `]`,
	"bdev_lvol_get_lvstores":       `[{"name":"lab.fast","uuid":"u-s","base_bdev":"lab.fast.disk","cluster_size":1048576,"total_data_clusters":9,"free_clusters":9}]`,
	"bdev_lvol_get_lvols":          `[` + headLvol + `,` + snapLvol + `]`,
	"bdev_raid_get_bdevs":          `[` + raidText + `]`,
	"nvmf_get_subsystems":          `[{"nqn":"nqn.2014-08.org.nvmexpress.discovery","subtype":"Discovery","listen_addresses":[],"hosts":[]},` + export + `]`,
	"nvmf_subsystem_get_listeners": `[{"address":{"trtype":"TCP","traddr":"10.0.0.1","trsvcid":"4420"},"ana_states":[{"ana_group":1,"ana_state":"optimized"}]}]`,
	"nvmf_get_transports":          `[{"trtype":"TCP"}]`,
	"bdev_nvme_get_controllers":    `[` + controllerText + `]`,
	"ublk_get_disks":               `[{"id":0,"ublk_device":"/dev/ublkb0","bdev_name":"x"}]`,
	"nbd_get_disks":                `[{"nbd_device":"/dev/nbd0","bdev_name":"y"}]`,
}

const (
	diskBdev = `{"name":"lab.fast.disk","product_name":"AIO disk","uuid":"u-d","driver_specific":{"aio":{"filename":"/dev/d"}}}`
	headBdev = `{"name":"u-h","aliases":["lab.fast/db.k3f7#2.2p"],"product_name":"Logical Volume","uuid":"u-h","block_size":4096,"num_blocks":256,"driver_specific":{"lvol":{"lvol_store_uuid":"u-s","base_snapshot":"db.k3f7@1.a"}}}`
	snapBdev = `{"name":"u-a","aliases":["lab.fast/db.k3f7@1.a"],"product_name":"Logical Volume","uuid":"u-a","block_size":4096,"num_blocks":256,"driver_specific":{"lvol":{"lvol_store_uuid":"u-s"}}}`
	peerBdev = `{"name":"lab.n2n1","product_name":"NVMe disk","uuid":"u-p","driver_specific":{"nvme":[{"trid":{"trtype":"TCP"},"ns_data":{"id":1}}]}}`
	raidBdev = `{"name":"lab.db.k3f7","product_name":"Raid Volume","uuid":"u-r","driver_specific":{"raid":{}}}`

	headLvol = `{"uuid":"u-h","name":"db.k3f7#2.2p","is_clone":true,"lvs":{"name":"lab.fast","uuid":"u-s"}}`
	snapLvol = `{"uuid":"u-a","name":"db.k3f7@1.a","is_snapshot":true,"lvs":{"name":"lab.fast","uuid":"u-s"}}`
	raidText = `{"name":"lab.db.k3f7","uuid":"u-r","state":"online","base_bdevs_list":[{"name":"u-h","uuid":"u-h","is_configured":true},{"name":"u-p","uuid":"u-p","is_configured":true}]}`
	export   = `{"nqn":"nqn.2026-01.io.strata:lab:db.k3f7","subtype":"NVMe","listen_addresses":[{"trtype":"TCP","traddr":"10.0.0.1","trsvcid":"4420"}],"hosts":[],"namespaces":[` + namespace + `]}`

	namespace      = `{"nsid":1,"bdev_name":"lab.db.k3f7","uuid":"u-n","nguid":"00"}`
	controllerText = `{"name":"lab.n2","ctrlrs":[{"state":"enabled","trid":{"trtype":"TCP","subnqn":"nqn.2026-01.io.strata:lab:n2:n1"}}]}`
)

// target serves answers; what says gives them by method and how often it was asked.
func target(t *testing.T, says func(method string, n int) string) *spdk.Client {
	t.Helper()
	c, err := spdk.New("tcp://10.0.0.1:1", spdk.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go serve(far, says)
		return near, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func serve(nc net.Conn, says func(string, int) string) {
	turn := make(chan struct{}, 1) // answers come one after the other
	asked := map[string]int{}
	in := json.NewDecoder(nc)
	for {
		var r struct {
			ID     int64
			Method string
		}
		if in.Decode(&r) != nil {
			return
		}
		go func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			asked[r.Method]++
			fmt.Fprintf(nc, `{"jsonrpc":"2.0","id":%d,"result":%s}`, r.ID, says(r.Method, asked[r.Method]))
		}()
	}
}

// look reads a node whose target answers as said, but for one change.
func look(t *testing.T, method, from, to string) *state.Node {
	t.Helper()
	if !strings.Contains(said[method], from) {
		t.Fatalf("%s answers no %s", method, from)
	}
	c := target(t, func(m string, _ int) string {
		if m == method {
			return strings.Replace(said[m], from, to, 1)
		}
		return said[m]
	})
	return state.Read(t.Context(), "lab", map[lineage.Node]*spdk.Client{"n1": c}).Nodes["n1"]
}

func TestWhatIsSaidIsRead(t *testing.T) {
	n := look(t, "spdk_get_version", "v26.05", "v26.05")
	if n.Unknown != "" || len(n.Lvols) != 2 || !n.Raids["lab.db.k3f7"].Has("u-p") || n.Ublk[0] != "x" {
		t.Errorf("%+v", n)
	}
}

// A disk of which the target does not say that it can discard keeps what was freed, whatever
// its kind.
func TestWhoKeeps(t *testing.T) {
	for driver, kind := range map[string]string{
		`"aio":{"filename":"/dev/d","fallocate":true}`:                                   "aio",
		`"uring":{"filename":"/dev/d"}`:                                                  "uring",
		`"nvme":[{"trid":{"trtype":"PCIe","traddr":"0000:5e:00.0"},"ns_data":{"id":1}}]`: "nvme",
	} {
		for can, keeps := range map[string]bool{`{"unmap":true}`: false, `{"unmap":false}`: true, `{}`: true} {
			disk := `{"name":"lab.fast.disk","product_name":"a disk","uuid":"u-d","supported_io_types":` + can + `,"driver_specific":{` + driver + `}}`
			n := look(t, "bdev_get_bdevs", diskBdev, disk)
			if d := n.Disks["lab.fast.disk"]; d == nil || d.Kind != kind || d.Keeps != keeps {
				t.Errorf("%s: %+v, want keeps %v; %q", disk, d, keeps, n.Unknown)
			}
		}
	}
}

// A target whose answers lack what must be there, or contradict each other, is
// unknown, whichever listing it is.
func TestWhatCannotBeIsNotRead(t *testing.T) {
	for _, c := range []struct{ method, from, to, why string }{
		{"bdev_get_bdevs", diskBdev, diskBdev + "," + strings.Replace(diskBdev, "u-d", "u-e", 1), "two bdevs named lab.fast.disk"},
		{"bdev_get_bdevs", diskBdev, diskBdev + "," + strings.Replace(diskBdev, "lab.fast.disk", "d2", 1), "two bdevs with UUID u-d"},
		{"bdev_lvol_get_lvstores", `]`, `,{"name":"lab.fast","uuid":"u-2","base_bdev":"e","cluster_size":1048576}]`, "two lvstores named lab.fast"},
		{"bdev_lvol_get_lvstores", `]`, `,{"name":"lab.slow","uuid":"u-s","base_bdev":"e","cluster_size":1048576}]`, "lab.fast.disk and e have the same lvstore"},
		{"bdev_lvol_get_lvstores", `"uuid":"u-s"`, `"uuid":"u-t"`, "as one of another lvstore"},
		{"bdev_lvol_get_lvstores", `"lab.fast"`, `"lab.slow"`, "no lvstore lab.fast"},
		{"bdev_lvol_get_lvols", snapLvol, snapLvol + "," + strings.Replace(snapLvol, "u-a", "u-h", 1), "two lvols named lab.fast/db.k3f7@1.a"},
		{"bdev_lvol_get_lvols", snapLvol, strings.Replace(snapLvol, "u-a", "u-h", 1), "two lvols with UUID u-h"},
		{"bdev_lvol_get_lvols", "," + snapLvol, "", "lab.fast/db.k3f7@1.a, which is an lvol, and not the lvol"},
		{"bdev_lvol_get_lvols", `"name":"lab.fast"`, `"name":""`, "no lvstore"},
		{"bdev_get_bdevs", headBdev + ",", "", "lvol lab.fast/db.k3f7#2.2p without its bdev"},
		{"bdev_get_bdevs", headBdev, strings.Replace(headBdev, `"lvol":{"lvol_store_uuid":"u-s","base_snapshot":"db.k3f7@1.a"}`, "", 1), "one that is no lvol"},
		{"bdev_get_bdevs", peerBdev + ",", "", "RAID lab.db.k3f7 with base u-p in use, and no bdev"},
		{"bdev_raid_get_bdevs", raidText, raidText + "," + raidText, "two RAIDs named lab.db.k3f7"},
		{"bdev_raid_get_bdevs", raidText, raidText + "," + strings.NewReplacer("k3f7", "k3f8", "u-r", "u-q").Replace(raidText), "two RAIDs on a base with UUID u-h"},
		{"bdev_raid_get_bdevs", `"base_bdevs_list":[{"name":"u-h","uuid":"u-h","is_configured":true},{"name":"u-p","uuid":"u-p","is_configured":true}]`, `"base_bdevs_list":null`, "no list of base bdevs"},
		{"nvmf_get_subsystems", export, export + "," + export, "two subsystems with NQN nqn.2026-01.io.strata:lab:db.k3f7"},
		{"nvmf_get_subsystems", namespace, namespace + "," + namespace, "two namespaces 1 of subsystem"},
		{"nvmf_get_subsystems", namespace, namespace + "," + strings.Replace(namespace, ":1", ":2", 1), "two namespaces with UUID u-n"},
		{"nvmf_get_subsystems", `[` + namespace + `]`, `null`, "no list of namespaces"},
		{"nvmf_get_subsystems", `"hosts":[],"namespaces"`, `"hosts":[null],"namespaces"`, "no NQN for a host"},
		{"bdev_nvme_get_controllers", controllerText, controllerText + "," + controllerText, "two controllers named lab.n2"},
		{"bdev_nvme_get_controllers", `[{"state":"enabled","trid":{"trtype":"TCP","subnqn":"nqn.2026-01.io.strata:lab:n2:n1"}}]`, `null`, "no list of paths"},
		{"ublk_get_disks", `]`, `,{"id":0,"bdev_name":"z"}]`, "two ublk disks with number 0"},
		{"nbd_get_disks", `]`, `,{"nbd_device":"/dev/nbd0","bdev_name":"z"}]`, "two nbd disks at /dev/nbd0"},
		{"rpc_get_methods", `"rpc_get_methods",`, ``, "has not rpc_get_methods"},
	} {
		t.Run(c.why, func(t *testing.T) {
			t.Parallel()
			if n := look(t, c.method, c.from, c.to); !strings.Contains(n.Unknown, c.why) || len(n.Lvols)+len(n.Raids) > 0 {
				t.Errorf("unknown because %q, want %q", n.Unknown, c.why)
			}
		})
	}
	for method, answer := range said {
		if method == "bdev_wait_for_examine" {
			continue
		}
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			if n := look(t, method, answer, "null"); !strings.Contains(n.Unknown, "it is null") {
				t.Errorf("null: unknown because %q", n.Unknown)
			}
			if method == "spdk_get_version" || method == "rpc_get_methods" {
				return
			}
			for _, element := range []string{"null", "{}"} {
				if n := look(t, method, answer, answer[:len(answer)-1]+","+element+"]"); !strings.Contains(n.Unknown, "has no ") {
					t.Errorf("%s: unknown because %q", element, n.Unknown)
				}
			}
		})
	}
}

// What a change in between leaves in two listings is asked for again.
func TestChangeWhileReading(t *testing.T) {
	c := target(t, func(method string, n int) string {
		if method == "bdev_lvol_get_lvols" && n == 1 {
			return strings.Replace(said[method], ","+snapLvol, "", 1)
		}
		return said[method]
	})
	if n := state.Read(t.Context(), "lab", map[lineage.Node]*spdk.Client{"n1": c}).Nodes["n1"]; n.Unknown != "" || len(n.Lvols) != 2 {
		t.Errorf("%q, %d lvols", n.Unknown, len(n.Lvols))
	}
}

// An lvol whose external snapshot is missing has no bdev, nor has what stands on
// it, also where the build does not say so.
func TestLvolWithoutBdevMayBe(t *testing.T) {
	for what, lvols := range map[string]string{
		"degraded":       strings.Replace(headLvol, "{", `{"is_degraded":true,`, 1) + "," + snapLvol,
		"external":       strings.Replace(headLvol, "{", `{"is_esnap_clone":true,`, 1) + "," + snapLvol,
		"on an external": headLvol + "," + strings.Replace(snapLvol, "{", `{"is_esnap_clone":true,`, 1),
	} {
		c := target(t, func(method string, _ int) string {
			switch method {
			case "bdev_lvol_get_lvols":
				return "[" + lvols + "]"
			case "bdev_raid_get_bdevs":
				return "[]"
			case "bdev_get_bdevs":
				without := strings.Replace(said[method], headBdev+",", "", 1)
				if what == "on an external" {
					without = strings.Replace(without, snapBdev+",", "", 1)
				}
				return without
			}
			return said[method]
		})
		n := state.Read(t.Context(), "lab", map[lineage.Node]*spdk.Client{"n1": c}).Nodes["n1"]
		if n.Unknown != "" || !n.Lvols["lab.fast/db.k3f7#2.2p"].Degraded {
			t.Errorf("%s: %q", what, n.Unknown)
		}
	}
}

// While a peer is in doubt, a base that is on its way out has no bdev, and stays
// in its RAID: the node has to be known for the peer to be let go.
func TestBaseOnItsWayOut(t *testing.T) {
	says := func(controller string) *state.Node {
		c := target(t, func(method string, _ int) string {
			switch method {
			case "bdev_raid_get_bdevs":
				return strings.Replace(said[method], `]}`, `,{"name":"u-gone","uuid":"u-gone","is_configured":true}]}`, 1)
			case "bdev_nvme_get_controllers":
				return strings.Replace(said[method], "enabled", controller, 1)
			}
			return said[method]
		})
		return state.Read(t.Context(), "lab", map[lineage.Node]*spdk.Client{"n1": c}).Nodes["n1"]
	}
	if n := says("reconnect_is_delayed"); n.Unknown != "" {
		t.Error(n.Unknown)
	}
	if n := says("enabled"); !strings.Contains(n.Unknown, "base u-gone in use") {
		t.Errorf("%q", n.Unknown)
	}
}

// A node that is slow is not one that holds hosts up, as long as it goes on
// answering: no engine is asked how it gets on without it.
func TestSlowIsNotSilent(t *testing.T) {
	for between, looks := range map[time.Duration]int32{100 * time.Millisecond: 0, 400 * time.Millisecond: 2} {
		t.Run(between.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int32
				engine := target(t, func(method string, _ int) string {
					if method == "bdev_get_iostat" {
						asked.Add(1)
						return `{"bdevs":[{"name":"lab.db.k3f7"}]}`
					}
					return said[method]
				})
				peer := target(t, func(method string, _ int) string {
					time.Sleep(between)
					switch method {
					case "rpc_get_methods", "spdk_get_version", "bdev_wait_for_examine":
						return said[method]
					}
					return "[]"
				})
				snap := state.Read(t.Context(), "lab", map[lineage.Node]*spdk.Client{"n1": engine, "n2": peer})
				if n := snap.Nodes["n2"]; n.Unknown != "" {
					t.Error(n.Unknown)
				}
				if asked.Load() != looks {
					t.Errorf("the engine was asked %d times, want %d", asked.Load(), looks)
				}
			})
		})
	}
}
