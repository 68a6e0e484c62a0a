package sim

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

func init() {
	register(
		reads("spdk_get_version", func(p *process, _ *none) (any, error) {
			return json.RawMessage(p.t.c.opts.Profile.version), nil
		}).refusing(&Error{codeInvalidParams, "spdk_get_version method requires no parameters"}),
		reads("rpc_get_methods", (*process).getMethods).refusing(errInvalidParams),
		reads("framework_wait_init", func(*process, *none) (any, error) { return true, nil }).refusing(errInvalidParams),
		reads("framework_get_reactors", (*process).getReactors).refusing(errInvalidParams),
		writes("spdk_kill_instance", (*process).kill).refusing(errInvalidParams),
	)
}

func (p *process) getMethods(*struct{}) (any, error) {
	names := []string{}
	for n := range methods {
		if !p.t.c.opts.Profile.without[n] {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names, nil
}

// reactor is a core that a target runs on.
type reactor struct {
	LCore       int   `json:"lcore"`
	TID         int   `json:"tid"`
	Busy        int64 `json:"busy"`
	Idle        int64 `json:"idle"`
	InInterrupt bool  `json:"in_interrupt"`
	LWThreads   []any `json:"lw_threads"`
}

func (p *process) getReactors(*none) (any, error) {
	return struct {
		TickRate int64     `json:"tick_rate"`
		PID      int       `json:"pid"`
		Reactors []reactor `json:"reactors"`
	}{1_000_000_000, p.pid, []reactor{{TID: p.pid, LWThreads: []any{}}}}, nil
}

// kill ends the process a moment after the answer; SIGKILL leaves none.
func (p *process) kill(q *struct {
	Signal string `json:"sig_name"`
}) (any, error) {
	if strings.HasSuffix(q.Signal, "KILL") {
		go p.t.Stop()
		return nil, errNeverAnswered
	}
	time.AfterFunc(10*time.Millisecond+2*p.t.c.opts.Tick, func() {
		p.t.c.mu.Lock()
		same := p.t.p == p
		p.t.c.mu.Unlock()
		if same {
			p.t.Stop()
			p.t.removeSocket()
		}
	})
	return true, nil
}
