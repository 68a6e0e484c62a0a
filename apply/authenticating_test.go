package apply

import (
	"encoding/json"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/spdk"
)

// TestUnlistenWhenAuthenticated: the listener of hosts with keys goes when none of them
// authenticates, and that of others at once.
func TestUnlistenWhenAuthenticated(t *testing.T) {
	const keyed, others = lineage.NQN("nqn.2026-01.io.strata:lab:db.k3f7"), lineage.NQN("nqn.2026-01.io.strata:lab:log.k3f8")
	states := []string{"authenticating", "authenticating", "enabled"} // of a host's connection, one after another
	var mu sync.Mutex
	var called []string
	answer := func(method string) any {
		mu.Lock()
		defer mu.Unlock()
		called = append(called, method)
		if method != "nvmf_subsystem_get_qpairs" {
			return true
		}
		state := states[0]
		states = states[1:]
		return []any{map[string]any{"cntlid": 1, "qid": 0, "state": state, "peer_address": map[string]any{"trtype": "TCP"}}}
	}
	client := answering(t, answer)
	cfg := config(t, `{
		db: {size: 64Mi, export: nvmf: hosts: [{nqn: "nqn.2026-01.com.example:a", dhchap: key: path: "/k/a"}]}
		log: {size: 64Mi, export: nvmf: hosts: ["nqn.2026-01.com.example:a"]}
	}`)
	c := newCaller(cfg, map[lineage.Node]*spdk.Client{"n1": client}, nil, nil, nil)
	for _, nqn := range []lineage.NQN{keyed, others} {
		if err := c.do(t.Context(), plan.ListenerRemove{At: plan.At{Node: "n1"}, NQN: nqn, Address: "10.0.0.1", Port: "4420"}); err != nil {
			t.Fatal(err)
		}
	}
	const asks, removes = "nvmf_subsystem_get_qpairs", "nvmf_subsystem_remove_listener"
	if want := []string{asks, asks, asks, removes, removes}; !slices.Equal(called, want) {
		t.Errorf("called %v, not %v", called, want)
	}
}

// answering is a target that answers every method as it is told to.
func answering(t *testing.T, answer func(method string) any) *spdk.Client {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				in, out := json.NewDecoder(conn), json.NewEncoder(conn)
				for {
					var r struct {
						ID     json.RawMessage `json:"id"`
						Method string          `json:"method"`
					}
					if in.Decode(&r) != nil || out.Encode(map[string]any{"jsonrpc": "2.0", "id": r.ID, "result": answer(r.Method)}) != nil {
						return
					}
				}
			}()
		}
	}()
	client, err := spdk.New("unix://"+path, spdk.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}
