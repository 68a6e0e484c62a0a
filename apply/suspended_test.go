package apply

import (
	"testing"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// TestPatienceSuspended: a peer whose node is suspended is not counted. When the word is
// taken back it is waited for from then on; when it was suspended for as long as it may
// be, it has been gone for as long as it was.
func TestPatienceSuspended(t *testing.T) {
	link := lineage.Link{From: "n2", To: "n1", Wait: true}
	gone, hung := state.Waiting{Link: link, State: "reconnect_is_delayed"}, state.Waiting{Link: link, State: "enabled", Hung: true}
	const W, O = plan.PeerWaits, plan.PeerOver
	plain, suspended, over := (*schema.Suspend)(nil), &schema.Suspend{}, &schema.Suspend{Over: true}
	type look struct {
		at   time.Duration
		word *schema.Suspend
		wait state.Waiting
		want plan.Peer
	}
	for name, looks := range map[string][]look{
		"the word is taken back": {{0, suspended, gone, 0}, {time.Hour, suspended, gone, 0}, {time.Hour + time.Second, plain, gone, W}, {time.Hour + 10*time.Second, plain, gone, W}, {time.Hour + 11*time.Second, plain, gone, O}},
		"the bound is over":      {{0, suspended, gone, 0}, {time.Hour, suspended, gone, 0}, {time.Hour + time.Second, over, gone, O}, {2 * time.Hour, plain, gone, O}},
		"gone just before that":  {{0, suspended, gone, 0}, {2 * time.Second, over, gone, W}, {10 * time.Second, over, gone, O}},
		"gone before the word":   {{0, plain, gone, W}, {9 * time.Second, suspended, gone, 0}, {time.Minute, suspended, gone, 0}},
		"it hangs":               {{0, suspended, hung, 0}, {time.Hour, suspended, hung, 0}, {2 * time.Hour, plain, hung, W}, {2*time.Hour + 3*time.Second, plain, hung, O}},
	} {
		p, start := &Patience{}, time.Now()
		for _, l := range looks {
			p.cfg = &schema.Config{Links: schema.Links{PatienceMs: 10000, TransportAckTimeout: 10}, Nodes: []*schema.Node{{Name: "n1"}, {Name: "n2", Suspend: l.word}}}
			at := start.Add(l.at)
			if got := p.look([]state.Waiting{l.wait}, at, at)[link]; got != l.want {
				t.Errorf("%s, after %v: %v, want %v", name, l.at, got, l.want)
			}
			if _, waits := p.Next(at); waits != (l.want == W) {
				t.Errorf("%s, after %v: something comes of waiting: %v", name, l.at, waits)
			}
		}
	}
}
