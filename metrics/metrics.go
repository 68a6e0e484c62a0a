// Package metrics puts what a watch does, and what it knows, into the numbers that
// Prometheus collects. It decides nothing.
package metrics

import (
	"encoding/json"
	"errors"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"strata/apply"
	"strata/lineage"
	"strata/plan"
	"strata/spdk"
	"strata/view"
	"strata/watch"
)

// Metrics are those of one watch.
type Metrics struct {
	registry *prometheus.Registry

	rpcs      *prometheus.HistogramVec
	rpcErrors *prometheus.CounterVec
	looks     prometheus.Histogram
	runs      *prometheus.CounterVec
	passes    prometheus.Counter
	steps     *prometheus.CounterVec
	holds     prometheus.Histogram
	copied    prometheus.Counter
	edits     prometheus.Histogram
	losses    *prometheus.CounterVec
	restarts  *prometheus.CounterVec

	held    map[lineage.NQN]time.Time // since when hosts wait
	copies  map[string]int64          // bytes that were counted, by destination
	edited  time.Time                 // the first edit that has not converged; zero for none
	current bool                      // the run in hand began after it
}

// New makes the metrics of a watch whose board this is; version is strata's own.
func New(b *view.Board, version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(), held: map[lineage.NQN]time.Time{}, copies: map[string]int64{},
		rpcs: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "strata_rpc_seconds", Help: "How long calls of targets took, by method.",
			Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 3, 10},
		}, []string{"method"}),
		rpcErrors: counters("strata_rpc_errors_total", "Calls of targets that failed, by node, method and class of the error.", "node", "method", "class"),
		looks: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "strata_look_seconds", Help: "How long it took to read all nodes.", Buckets: []float64{.01, .03, .1, .3, 1, 3, 10, 30},
		}),
		runs:   counters("strata_runs_total", "Runs, by what they came to: converged, blocked, failed, stopped, error.", "result"),
		passes: prometheus.NewCounter(prometheus.CounterOpts{Name: "strata_passes_total", Help: "Passes that were begun."}),
		steps:  counters("strata_steps_total", "Steps, by their risk and what became of them: done, left (they go on at the target), failed.", "risk", "result"),
		holds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "strata_hold_seconds", Help: "How long hosts' I/O on an export was held.", Buckets: []float64{.01, .03, .1, .3, 1, 3, 10, 30},
		}),
		copied: prometheus.NewCounter(prometheus.CounterOpts{Name: "strata_copied_bytes_total", Help: "Bytes of layers that were copied."}),
		edits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "strata_edit_converged_seconds", Help: "From when an edited configuration was seen until everything was as configured.",
			Buckets: []float64{.1, .3, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000},
		}),
		losses:   counters("strata_node_losses_total", "How often a node ceased to answer.", "node"),
		restarts: counters("strata_node_restarts_total", "How often a node's target was found to be another process.", "node"),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "strata_build_info", Help: "1; the labels name the build.", ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	build.Set(1)
	for _, result := range results {
		m.runs.WithLabelValues(result)
	}
	for _, risk := range plan.Risks {
		for _, outcome := range []string{"done", "left", "failed"} {
			m.steps.WithLabelValues(string(risk), outcome)
		}
	}
	m.registry.MustRegister(build, m.rpcs, m.rpcErrors, m.looks, m.runs, m.passes, m.steps, m.holds, m.copied, m.edits, m.losses, m.restarts,
		known{b}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// results are what runs come to.
var results = []string{"converged", "blocked", "failed", "stopped", "error"}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, EnableOpenMetrics: true})
}

// Gatherer gathers the metrics.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// Trace counts the calls of a node; see spdk.Options.Trace. next, if not nil, is told
// of them, too.
func (m *Metrics) Trace(n lineage.Node, next Trace) Trace {
	return func(method string, params, result json.RawMessage, err error, took time.Duration) {
		m.rpcs.WithLabelValues(method).Observe(took.Seconds())
		if err != nil {
			m.rpcErrors.WithLabelValues(string(n), method, spdk.ClassOf(err).String()).Inc()
		}
		if next != nil {
			next(method, params, result, err, took)
		}
	}
}

// Trace is told of every call of a target.
type Trace = func(method string, params, result json.RawMessage, err error, took time.Duration)

// Observe counts what happens, one thing at a time; see watch.Options.Observe.
func (m *Metrics) Observe(e watch.Event) {
	switch e := e.(type) {
	case watch.Loaded:
		if m.edited.IsZero() {
			m.edited = time.Now().Add(-e.Took)
		}
		m.current = false
	case watch.Silent:
		m.losses.WithLabelValues(string(e.Node)).Inc()
	case watch.Back:
		if e.Restarted {
			m.restarts.WithLabelValues(string(e.Node)).Inc()
		}
	case watch.Began:
		m.current = true
	case watch.Looked:
		m.looks.Observe(e.Took.Seconds())
	case watch.Planned:
		m.passes.Inc()
	case watch.Starting:
		if nqn := e.Step.Begins(); nqn != "" && m.held[nqn].IsZero() {
			m.held[nqn] = e.Start
		}
	case watch.Stepped:
		m.stepped(e.Event)
	case watch.Copying:
		m.copying(e.Key, e.Bytes(e.Copied))
		if e.Copied >= e.Total {
			delete(m.copies, e.Key)
		}
	case watch.Ended:
		m.ended(e)
	}
}

func (m *Metrics) stepped(e apply.Event) {
	outcome := "done"
	switch {
	case errors.Is(e.Err, apply.ErrLeft):
		outcome = "left"
	case e.Err != nil:
		outcome = "failed"
	}
	m.steps.WithLabelValues(string(e.Step.Risk), outcome).Inc()
	if since := m.held[e.Resumed]; !since.IsZero() {
		m.holds.Observe(e.Start.Add(e.Took).Sub(since).Seconds())
		delete(m.held, e.Resumed)
	}
}

// copying counts what is new of a copy. One that is less than it was was begun again.
func (m *Metrics) copying(to string, bytes int64) {
	if was := m.copies[to]; bytes >= was {
		m.copied.Add(float64(bytes - was))
	}
	m.copies[to] = bytes
}

func (m *Metrics) ended(e watch.Ended) {
	clear(m.held) // no run ends while hosts wait; what is left never began
	result := "converged"
	switch {
	case e.Err != nil:
		result = "error"
	case e.Result.Stopped:
		result = "stopped"
	case len(e.Result.Failures) > 0:
		result = "failed"
	case !e.Result.Converged:
		result = "blocked"
	}
	m.runs.WithLabelValues(result).Inc()
	if result == "converged" && m.current && !m.edited.IsZero() {
		m.edits.Observe(time.Since(m.edited).Seconds())
		m.edited = time.Time{}
	}
}
