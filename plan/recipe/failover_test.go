package recipe

import (
	"strings"
	"testing"

	"strata/plan"
	"strata/plan/plantest"
)

// TestFenceAgentFailed: once the agent of the engine's node has failed it is left alone, as
// any section that failed, and no other takes over.
func TestFenceAgentFailed(t *testing.T) {
	for _, c := range plantest.Cases(t, "testdata") {
		if c.Name != "failover-fence-agent" {
			continue
		}
		cfg, snap, opt := c.Load(t)
		opt.Skip = map[plan.Key]bool{plan.NodeKey("n4"): true}
		p, err := Build(cfg, snap, opt)
		if err != nil {
			t.Fatal(err)
		}
		if text := plantest.Text(p); len(p.Steps()) > 0 || !strings.Contains(text, "its fence agent did not switch it off") {
			t.Errorf("got\n%s", text)
		}
		return
	}
	t.Fatal("the case is gone")
}
