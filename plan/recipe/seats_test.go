package recipe

import (
	"testing"

	"strata/plan/plantest"
)

// TestSeats: why an engine goes where it goes.
func TestSeats(t *testing.T) {
	all := map[string]plantest.Case{}
	for _, c := range plantest.Cases(t, "testdata") {
		all[c.Name] = c
	}
	for name, want := range map[string]string{
		"engines-spread": "a n1: none serves fewer volumes: 0, and n2 1, n3 0; \n" +
			"b n3: it serves fewest volumes: 0, and n1 1, n2 1; \n" +
			"c n1: none serves fewer volumes: 1, and n2 1, n3 1; \n" +
			"d n2: it serves fewest volumes: 1, and n1 2; \n" +
			"set n2: engine names it; \n",
		"engines-spread-shown":   "a n1: other replicas are shown to it already; \nb n1: it serves the volume; \n",
		"fresh-1-replica":        "db n3: the only current replica that it can be started from is there; \n",
		"engine-moves-standby":   "db n2: engine names it; \n",
		"engine-leaves":          "db n2: no replica of db stays on n1; none serves fewer volumes: 0, and n3 0; \n",
		"drain-engine-standby":   "db n2: n1 is being drained; the only current replica that it can be started from is there; \n",
		"failover-standby":       "db n2: it takes over from n4; not by itself: 1 of 2 replicas would be left, and it takes 2 to know that the engine has not gone on without them\n",
		"failover-manual":        "",
		"leg-lost":               "db n1: it serves the volume; \n",
		"failover-restarted-one": "",
	} {
		c, ok := all[name]
		if !ok {
			t.Fatalf("there is no case %s", name)
		}
		t.Run(name, func(t *testing.T) {
			cfg, snap, opt := c.Load(t)
			opt.Explain = true
			p, err := Build(cfg, snap, opt)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, s := range p.Seats {
				got += s.Volume + " " + string(s.Engine) + ": " + s.Why + "; " + s.Failover + "\n"
			}
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
