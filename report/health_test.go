package report

import (
	"testing"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// An engine alone lets no host in: a volume is served when its export at the
// engine shows the disk and listens.
func TestServedByItsExport(t *testing.T) {
	db := lineage.Volume{Name: "db", ID: "k3f7"}
	nqn := lineage.Cluster("lab").ExportNQN(db)
	disk := map[int]*state.Namespace{state.ExportNSID: {NSID: state.ExportNSID, Bdev: "lab.db.k3f7"}}
	listens, paused := state.Listener{Address: "10.0.0.1", Port: "4421"}, state.Listener{Address: "10.0.0.1", Port: "4421", Paused: true}
	for _, c := range []struct {
		name   string
		sub    *state.Subsystem
		on     lineage.Node
		health Health
		why    string
	}{
		{"whole", &state.Subsystem{Namespaces: disk, Listeners: []state.Listener{listens}}, "n1", Healthy, ""},
		{"one listener of two", &state.Subsystem{Namespaces: disk, Listeners: []state.Listener{paused, listens}}, "n1", Healthy, ""},
		{"none", nil, "n1", Down, "its engine does not export it"},
		{"elsewhere", &state.Subsystem{Namespaces: disk, Listeners: []state.Listener{listens}}, "n2", Down, "its engine does not export it"},
		{"no namespace", &state.Subsystem{Listeners: []state.Listener{listens}}, "n1", Down, "hosts are held: its export shows no disk"},
		{"no listener", &state.Subsystem{Namespaces: disk}, "n1", Down, "hosts are held: its export does not listen"},
		{"a standby path alone", &state.Subsystem{Listeners: []state.Listener{paused}}, "n2", Down, "its engine does not export it"},
		{"paused", &state.Subsystem{Namespaces: disk, Listeners: []state.Listener{paused}}, "n1", Down, "hosts are held: its export is paused"},
	} {
		cfg := &schema.Config{
			Cluster: "lab",
			Nodes:   []*schema.Node{{Name: "n1", Pools: []*schema.Pool{{Name: "fast", Lvstore: "lab.fast"}}}, {Name: "n2"}},
			Volumes: []*schema.Volume{{Name: "db", Size: 1 << 20, Replicas: schema.Replicas{Count: 1}, Export: schema.Export{Kind: schema.ExportNVMf}}},
		}
		n1, n2 := state.NewNode("n1"), state.NewNode("n2")
		n1.Lvstores["lab.fast"] = &state.Lvstore{Name: "lab.fast", ClusterSize: 1 << 20}
		head := lineage.Head{Volume: db, Epoch: 1, Legs: 1, Mark: lineage.Primary}
		n1.AddLvol(&state.Lvol{Lvstore: "lab.fast", Name: head.Lvol(), UUID: "u1", Size: 1 << 20})
		raid := lineage.Cluster("lab").Raid(db)
		n1.Raids[raid] = &state.Raid{Name: raid, State: "online", Legs: []state.Leg{{UUID: "u1", Configured: true}}}
		if c.sub != nil {
			c.sub.NQN = nqn
			map[lineage.Node]*state.Node{"n1": n1, "n2": n2}[c.on].Subsystems[nqn] = c.sub
		}
		v := Build(cfg, state.New("lab", n1, n2)).Volumes[0]
		if v.Health != c.health || v.Why != c.why {
			t.Errorf("%s: %s, %q", c.name, v.Health, v.Why)
		}
	}
}
