package apply

import (
	"testing"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

func TestLvstoresOfANodeThatIsNotRead(t *testing.T) {
	cfg := &schema.Config{Cluster: "lab", Nodes: []*schema.Node{{Name: "n1", Pools: []*schema.Pool{{Name: "fast", Kind: schema.AIO, Lvstore: "lab.fast"}}}}}
	read := func(lvstores ...string) *state.Snapshot {
		n := state.NewNode("n1")
		for _, name := range lvstores {
			n.Lvstores[name] = &state.Lvstore{Name: name, UUID: lineage.UUID(name)}
		}
		return state.New("lab", n)
	}
	s := newLvstores()
	for _, look := range []struct {
		snap *state.Snapshot
		want string
		why  string
	}{
		{read("lab.fast.k3f7"), "lab.fast.k3f7", "it was read"},
		{state.New("lab", state.Unread("n1", "i/o timeout")), "lab.fast.k3f7", "a look at a node that answers nothing takes no name away"},
		{read("lab.fast.p2aa"), "lab.fast.p2aa", "it is called otherwise"},
		{read(), "lab.fast", "it is gone"},
	} {
		s.learn(cfg, look.snap)
		if got := s.name("n1", "lab.fast"); got != look.want {
			t.Errorf("lvstore lab.fast is called %q, want %q: %s", got, look.want, look.why)
		}
	}
}
