package metrics

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"strata/apply"
	"strata/plan"
	"strata/view"
	"strata/watch"
)

// lose has a story of a cluster told: it is made, a host writes, a replica is lost and
// made again; then a configuration is broken, and sections are given up.
func lose(t *testing.T, cfg *scene) {
	t.Helper()
	s := cfg
	s.now = time.Now().Unix()
	s.tell(watch.Loaded{Config: s.cfg, Took: 10 * time.Millisecond})
	go s.board.Run(t.Context())
	if r := s.run(); !r.Converged {
		t.Fatal(r.Plan.Blocked, r.Failures)
	}
	time.Sleep(6 * time.Second)
	conn := s.host("db", 4<<20)
	defer conn.Close()
	s.look()
	s.expect(
		"strata_volume_written_bytes_total", 4<<20, "volume", "db",
		"strata_volume_written_bytes_total", 0, "volume", "logs",
		"strata_volume_write_seconds", 1, "volume", "db",
		"strata_volume_hosts", 1, "volume", "db",
		"strata_volume_hosts", 0, "volume", "logs",
		"strata_volumes", 2, "health", "healthy",
		"strata_volumes", 1, "health", "absent",
		"strata_volume_size_bytes", 128<<20, "volume", "wide",
		"strata_volume_part", 1, "whole", "wide",
		"strata_edit_converged_seconds", 1, "", "",
		"strata_runs_total", 1, "result", "converged",
		"strata_config_valid", 1, "", "",
		"strata_converged", 1, "", "",
	)

	s.cluster.Target("n2").Stop()
	s.tell(watch.Silent{Node: "n2", Err: errors.New("it does not answer")})
	time.Sleep(5 * time.Second)
	s.look()
	s.expect(
		"strata_volumes", 1, "health", "degraded",
		"strata_node_state", 1, "state", "silent",
		"strata_replicas_lacking", 1, "", "",
		"strata_rebuild_queue", 1, "", "",
		"strata_node_losses_total", 1, "node", "n2",
	)
	s.run()
	if err := s.cluster.Target("n2").Restart(); err != nil {
		t.Fatal(err)
	}
	s.tell(watch.Back{Node: "n2", Away: time.Second, Restarted: true})
	s.run()
	s.look()
	if r := s.run(); !r.Converged {
		t.Fatal(r.Plan.Blocked, r.Failures)
	}
	s.look()
	s.expect(
		"strata_volumes", 2, "health", "healthy",
		"strata_node_restarts_total", 1, "node", "n2",
		"strata_volume_written_bytes_total", 4<<20, "volume", "db", // what the copy wrote is no host's
		"strata_replicas_lacking", 0, "", "",
		"strata_copies", 0, "", "",
		"strata_copies_left_bytes", 0, "", "",
	)
	if v, _ := value(s.families()["strata_copied_bytes_total"]); v < 4<<20 {
		t.Errorf("%v bytes are copied", v)
	}
	if v, _ := value(s.families()["strata_hold_seconds"]); v == 0 {
		t.Error("nobody was held when the replica came back")
	}
	s.tell(watch.Broken{Err: errors.New("lab.cue:1:1: it is broken")})
	s.tell(watch.HeldDown{Node: "n3"})
	s.tell(watch.BackedOff{Failure: apply.Failure{Section: plan.VolumeKey("db"), Step: plan.Step{Op: plan.Resume{}}, Err: errors.New("no")}, Until: time.Now()})
	s.tell(watch.Halted{Failure: apply.Failure{Section: plan.VolumeKey("logs"), Step: plan.Step{Op: plan.Resume{}}, Err: errors.New("no")}})
	s.expect(
		"strata_config_valid", 0, "", "",
		"strata_sections_failed", 1, "state", "backed_off",
		"strata_sections_failed", 1, "state", "halted",
		"strata_node_state", 1, "state", "held_down",
	)
}

// expect holds series to values: name, value, label and its value, and so on.
func (s *scene) expect(want ...any) {
	s.t.Helper()
	families := s.families()
	for i := 0; i < len(want); i += 4 {
		name, labels := want[i].(string), []string{want[i+2].(string), want[i+3].(string)}
		if labels[0] == "" {
			labels = nil
		}
		if name == "strata_node_state" { // of any node
			sum := 0.0
			for _, n := range s.cfg.Nodes {
				v, _ := value(families[name], append(labels, "node", string(n.Name))...)
				sum += v
			}
			if sum != float64(want[i+1].(int)) {
				s.t.Errorf("%s%v: %v nodes", name, labels, sum)
			}
			continue
		}
		if v, found := value(families[name], labels...); !found || v != float64(want[i+1].(int)) {
			s.t.Errorf("%s%v is %v (%v), want %v", name, labels, v, found, want[i+1])
		}
	}
}

func TestStory(t *testing.T) {
	cfg := config(t)
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, cfg)
		defer s.end()
		lose(t, s)
		problems, err := testutil.GatherAndLint(s.metrics.Gatherer())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Error(p.Metric, p.Text)
		}
	})
}

// TestStandby is of a watch that does not lead: what it once knew of volumes, another
// knows better.
func TestStandby(t *testing.T) {
	cfg := config(t)
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, cfg)
		defer s.end()
		s.now = time.Now().Unix()
		s.tell(watch.Loaded{Config: s.cfg})
		go s.board.Run(t.Context())
		s.run()
		time.Sleep(time.Second)
		if f := s.families(); f["strata_volume_health"] == nil || f["strata_waiting_steps"] == nil {
			t.Fatal("nothing is known of volumes")
		}
		s.tell(watch.Seated{Leads: false})
		all := s.families()
		s.expect("strata_leads", 0, "", "")
		for name := range all {
			if strings.HasPrefix(name, "strata_volume") || strings.HasPrefix(name, "strata_pool") || name == "strata_waiting_steps" || name == "strata_converged" {
				t.Error(name)
			}
		}
	})
}

// TestHoldOfNothing: a pause that never began is not the beginning of the next.
func TestHoldOfNothing(t *testing.T) {
	m := New(view.New(nil), "test")
	pause := plan.Step{Op: plan.Pause{NQN: "nqn.a"}, Risk: plan.RiskPause}
	resume := plan.Step{Op: plan.Resume{NQN: "nqn.a"}}
	at := time.Now()
	m.Observe(watch.Starting{Event: apply.Event{Step: pause, Start: at}})
	m.Observe(watch.Stepped{Event: apply.Event{Step: pause, Start: at, Err: errors.New("refused")}})
	m.Observe(watch.Ended{Result: &apply.Result{Plan: &plan.Plan{}}})
	m.Observe(watch.Starting{Event: apply.Event{Step: pause, Start: at.Add(time.Minute)}})
	m.Observe(watch.Stepped{Event: apply.Event{Step: pause, Start: at.Add(time.Minute)}})
	m.Observe(watch.Stepped{Event: apply.Event{Step: resume, Start: at.Add(time.Minute), Took: 250 * time.Millisecond, Resumed: "nqn.a"}})
	if n, sum := heldFor(t, m); n != 1 || sum != 0.25 {
		t.Errorf("%d holds, %v s", n, sum)
	}
}

// TestHoldEndsWithTheLastAddress: hosts that come by an address which does not listen yet
// still wait.
func TestHoldEndsWithTheLastAddress(t *testing.T) {
	m := New(view.New(nil), "test")
	at := time.Now()
	away := plan.Step{Op: plan.ListenerRemove{NQN: "nqn.a", Address: "10.0.0.1"}, Risk: plan.RiskPause}
	m.Observe(watch.Starting{Event: apply.Event{Step: away, Start: at}})
	m.Observe(watch.Stepped{Event: apply.Event{Step: away, Start: at}})
	one := plan.Step{Op: plan.ListenerAdd{NQN: "nqn.a", Address: "10.0.0.1"}}
	m.Observe(watch.Stepped{Event: apply.Event{Step: one, Start: at, Took: 100 * time.Millisecond}})
	two := plan.Step{Op: plan.ListenerAdd{NQN: "nqn.a", Address: "10.1.0.1"}}
	m.Observe(watch.Stepped{Event: apply.Event{Step: two, Start: at, Took: 250 * time.Millisecond, Resumed: "nqn.a"}})
	if n, sum := heldFor(t, m); n != 1 || sum != 0.25 {
		t.Errorf("%d holds, %v s", n, sum)
	}
}

// heldFor is how many holds are counted, and the seconds of all.
func heldFor(t *testing.T, m *Metrics) (n uint64, sum float64) {
	t.Helper()
	all, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() == "strata_hold_seconds" {
			h := f.Metric[0].Histogram
			return h.GetSampleCount(), h.GetSampleSum()
		}
	}
	t.Fatal("holds are not counted")
	return 0, 0
}

// described are the metrics of ours, with their labels, whether they have values or not.
func described(m *Metrics) map[string][]string {
	ch := make(chan *prometheus.Desc)
	go func() {
		defer close(ch)
		m.registry.Describe(ch)
	}()
	all := map[string][]string{}
	for d := range ch {
		text := d.String()
		name := between(text, `fqName: "`, `"`)
		if !strings.HasPrefix(name, "strata_") {
			continue
		}
		labels := strings.FieldsFunc(between(text, "variableLabels: {", "}"), func(r rune) bool { return r == ',' || r == ' ' })
		for _, pair := range strings.Split(between(text, "constLabels: {", "}"), ",") {
			if name, _, found := strings.Cut(pair, "="); found {
				labels = append(labels, name)
			}
		}
		slices.Sort(labels)
		all[name] = labels
	}
	return all
}

func between(text, from, to string) string {
	_, rest, _ := strings.Cut(text, from)
	rest, _, _ = strings.Cut(rest, to)
	return rest
}
