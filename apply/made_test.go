package apply

import (
	"context"
	"encoding/json"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
	"strata/spdk/sim"
)

// blindfold connects to a cluster of which n2 lists no lvol that hide reports, in
// neither of the listings that have it.
func blindfold(t *testing.T, c *sim.Cluster, cfg *schema.Config, hide func(name string) bool) (map[lineage.Node]*spdk.Client, func()) {
	t.Helper()
	targets, done := connect(t, c, cfg)
	client, err := spdk.New("unix:///n2", spdk.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		inner, target := net.Pipe()
		go c.Target("n2").Serve(target)
		go relay(far, inner, hide)
		return near, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	targets["n2"] = client
	return targets, done
}

func relay(client, target net.Conn, hide func(string) bool) {
	var mu sync.Mutex
	asked := map[int64]string{}
	go func() {
		defer target.Close()
		in, out := json.NewDecoder(client), json.NewEncoder(target)
		for {
			var raw json.RawMessage
			var r struct {
				ID     int64
				Method string
			}
			if in.Decode(&raw) != nil || json.Unmarshal(raw, &r) != nil {
				return
			}
			mu.Lock()
			asked[r.ID] = r.Method
			mu.Unlock()
			if out.Encode(raw) != nil {
				return
			}
		}
	}()
	defer client.Close()
	in, out := json.NewDecoder(target), json.NewEncoder(client)
	for {
		var r map[string]json.RawMessage
		var id int64
		if in.Decode(&r) != nil || json.Unmarshal(r["id"], &id) != nil {
			return
		}
		mu.Lock()
		method := asked[id]
		mu.Unlock()
		if method == "bdev_get_bdevs" || method == "bdev_lvol_get_lvols" {
			var list []json.RawMessage
			if json.Unmarshal(r["result"], &list) == nil {
				list = slices.DeleteFunc(list, func(e json.RawMessage) bool {
					var x struct {
						Name    string
						Aliases []string
					}
					return json.Unmarshal(e, &x) == nil && (hide(x.Name) || len(x.Aliases) > 0 && hide(x.Aliases[0]))
				})
				r["result"], _ = json.Marshal(list)
			}
		}
		if out.Encode(r) != nil {
			return
		}
	}
}

// TestMadeAndNotListed has a target hide what is made on it. A run comes to an
// end, makes nothing twice, and says what is wrong; other volumes are served.
func TestMadeAndNotListed(t *testing.T) {
	for _, c := range []struct {
		name, volumes, hidden string
		made                  int // lvols with that in their names
		why                   string
	}{
		{
			"heads", `{db: {size: 4Mi, replicas: on: ["n2"], export: nvmf: hosts: "any"}, logs: {size: 4Mi, replicas: on: ["n1"], export: nvmf: hosts: "any"}}`, "db.", 1,
			"volume db: step",
		}, {
			"layers", `{db: {size: 4Mi, replicas: on: ["n2"], snapshots: ["base"], export: nvmf: hosts: "any"}, logs: {size: 4Mi, replicas: on: ["n1"]}}`, ".base", 2,
			"volume db: step",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config(t, c.volumes)
			synctest.Test(t, func(t *testing.T) {
				lab := cluster(t)
				defer lab.Close()
				targets, done := blindfold(t, lab, cfg, func(name string) bool { return strings.Contains(name, c.hidden) })
				defer done()
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				r, err := Run(ctx, cfg, targets, Options{Plan: plan.Options{Nonce: []byte{1}}, Parallelism: 4})
				if err != nil || len(r.Failures) != 1 || r.Converged {
					t.Fatalf("%v, %+v", err, r.Failures)
				}
				if text := r.Failures[0].Error(); !strings.HasPrefix(text, c.why) || !strings.Contains(text, "does not list lvol lab.fast/db.") {
					t.Error(text)
				}
				seen, done := connect(t, lab, cfg)
				defer done()
				lvols, err := seen["n2"].GetLvols(t.Context())
				n := 0
				for _, l := range lvols {
					if strings.Contains(l.Name, c.hidden) {
						n++
					}
				}
				if err != nil || n != c.made {
					t.Errorf("%v, %d lvols were made: %+v", err, n, lvols)
				}
			})
		})
	}
}
