package apply

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
)

// TestGuardLetsGoOnBesideNodeThatHangs has strata die while a host is exchanged on a node that
// answers nothing before hosts on another, which were held, go on: they do not wait for it.
func TestGuardLetsGoOnBesideNodeThatHangs(t *testing.T) {
	const host, nqn = lineage.NQN("nqn.2026-01.com.example:a"), lineage.NQN("nqn.2026-01.io.strata:lab:db.k3f7")
	var adds atomic.Int32
	goesOn := make(chan struct{})
	targets := map[lineage.Node]*spdk.Client{
		"n1": answering(t, func(method string) any {
			if method == "nvmf_subsystem_add_host" {
				adds.Add(1)
				<-goesOn
			}
			return true
		}),
		"n2": answering(t, func(method string) any {
			if method == "nvmf_subsystem_listener_set_ana_state" {
				close(goesOn)
			}
			return true
		}),
	}
	cfg := config(t, `{db: {size: 64Mi, export: nvmf: hosts: "any"}}`)
	g, ended := guarded(cfg, plan.Options{}, targets)
	at := lineage.Portal{Address: "10.0.0.2", Port: "4420"}
	if err := g.hold(plan.VolumeKey("db"), plan.Pause{At: plan.At{Node: "n2"}, NQN: nqn, Portals: []lineage.Portal{at}}); err != nil {
		t.Fatal(err)
	}
	if err := g.shuts(plan.HostExchange{At: plan.At{Node: "n1"}, NQN: nqn, Host: host, Keys: lineage.HostKeys{PSK: "new"}}, false); err != nil {
		t.Fatal(err)
	}
	g.to.Close() // strata dies
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := adds.Load(); n != 1 {
		t.Errorf("the host was let in %d times: hosts on n2 went on only after that", n)
	}
}

// TestGuardIsToldWhatever tells a guard lines of every length around its buffers',
// through pipes that hold nothing: each is answered.
func TestGuardIsToldWhatever(t *testing.T) {
	for n := range 4200 {
		synctest.Test(t, func(t *testing.T) {
			cfg := &schema.Config{Cluster: lineage.Cluster(strings.Repeat("x", n))}
			g, ended := guarded(cfg, plan.Options{}, nil)
			if err := g.start(); err != nil {
				t.Fatal(err)
			}
			if err := g.Close(); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
		})
	}
}
