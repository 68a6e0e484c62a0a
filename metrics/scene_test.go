package metrics

import (
	"context"
	"fmt"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"

	"strata/apply"
	"strata/catalog"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
	"strata/spdk/sim"
	"strata/state"
	"strata/view"
	"strata/watch"
)

// scene is a simulated cluster whose runs are told of as a watch tells.
type scene struct {
	t       *testing.T
	cluster *sim.Cluster
	cfg     *schema.Config
	targets map[lineage.Node]*spdk.Client
	board   *view.Board
	metrics *Metrics
	now     int64
	ahead   bool // a volume is restored while hosts use it
}

const twoVolumes = `{
	db: {size: 1Gi, replicas: on: ["n1", "n2"], engine: "n1", export: nvmf: hosts: "any", every: "1h", keep: hourly: 2, scrub: every: "168h"}
	logs: {size: 64Mi, replicas: on: ["n3"], export: nvmf: hosts: "any"}
}`

func newScene(t *testing.T, cfg *schema.Config) *scene {
	t.Helper()
	s := &scene{
		t: t, cfg: cfg, targets: map[lineage.Node]*spdk.Client{}, board: view.New(nil),
		cluster: sim.New(sim.Options{Tick: 4 * time.Millisecond, DiskSize: 4 << 30, CopyRate: 1 << 20, HostLatency: time.Millisecond}),
	}
	s.metrics = New(s.board, "v0.0.0-test")
	for _, n := range cfg.Nodes {
		if _, err := s.cluster.Start(string(n.Name), ""); err != nil {
			t.Fatal(err)
		}
		c, err := spdk.New(n.RPC, spdk.Options{Trace: s.metrics.Trace(n.Name, nil), Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			near, far := net.Pipe()
			target := s.cluster.Target(path.Base(address))
			if !target.Running() {
				return nil, fmt.Errorf("connection refused")
			}
			go target.Serve(far)
			return near, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		s.targets[n.Name] = c
		s.board.Reach(n.Name, c)
	}
	return s
}

func (s *scene) end() {
	for _, c := range s.targets {
		c.Close()
	}
	s.cluster.Close()
}

// archived has a volume backed up of which nothing is to be.
const archived = `archives: main: {dir: "/archive", password: env: "STRATA_ARCHIVE_PASSWORD"}
volumes: db: backup: {to: "main", snapshots: []}
`

// found is what the archive has of it.
var found = catalog.Catalog{"main": {Records: []catalog.Record{{Cluster: "lab", Layer: "db.k3f7@3.base", Time: 1_790_000_000, Size: 64 << 20, Bytes: 3 << 20}}}}

// config is a configuration of three nodes.
func config(t *testing.T) *schema.Config {
	t.Helper()
	text := "package lab\n\ncluster: \"lab\"\nauto: [\"serve\", \"fence\"]\nlinks: {ctrlrLossTimeoutSec: 2, reconnectDelaySec: 1, fastIOFailTimeoutSec: 1, loss: \"drop\"}\n"
	for i := range 3 {
		text += fmt.Sprintf("nodes: n%d: {rpc: \"unix:///n%d\", address: \"10.0.0.%d\", pools: fast: {aio: \"/dev/disk\", format: true}}\n", i+1, i+1, i+1)
	}
	file := filepath.Join(t.TempDir(), "lab.cue")
	if err := os.WriteFile(file, []byte(text+archived+"volumes: "+twoVolumes), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, err := schema.Load([]string{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// shown is the configuration with two volumes more: one follows what nobody has recorded, and one is
// to be laid out over two others that are not made.
func (s *scene) shown() *schema.Config {
	cfg := *s.cfg
	cfg.Volumes = append(slices.Clone(cfg.Volumes), &schema.Volume{
		Name: "dr", Size: 64 << 20, Replicas: schema.Replicas{Count: 1}, Restore: &schema.Restore{Archive: "main", Volume: "gone", Snapshot: schema.Latest, Follow: true},
	})
	if s.ahead {
		cfg.Volumes = append(cfg.Volumes, &schema.Volume{
			Name: "back", Size: 64 << 20, Replicas: schema.Replicas{Count: 1}, Restore: &schema.Restore{Archive: "main", Volume: "db", Snapshot: schema.Latest, Instant: true},
		})
	}
	wide := &schema.Whole{Volume: schema.Volume{Name: "wide", Size: 128 << 20}, Layout: lineage.Layout{Parts: 2}}
	for i := range wide.Layout.Parts {
		p := &schema.Volume{Name: lineage.PartName(wide.Name, i), Size: 64 << 20, Part: &schema.Part{Whole: wide.Name, Index: i}}
		cfg.Volumes = append(cfg.Volumes, p)
	}
	cfg.Wholes = []*schema.Whole{wide}
	slices.SortFunc(cfg.Volumes, func(a, b *schema.Volume) int { return strings.Compare(a.Name, b.Name) })
	return &cfg
}

// runAhead has an lvol on a node that hosts use while a volume is restored.
func (s *scene) runAhead() {
	s.t.Helper()
	s.ahead = true
	for _, c := range s.targets {
		stores, err := c.GetLvstores(s.t.Context())
		if err != nil || len(stores) == 0 {
			continue // it is away
		}
		if _, err := c.LvolCreate(s.t.Context(), spdk.LvolCreate{LvolName: "back.aaaa+~k3f7.3.64", LvsName: stores[0].Name, SizeMiB: 64, ThinProvision: true}); err != nil {
			s.t.Fatal(err)
		}
		break
	}
	s.look()
}

func (s *scene) tell(e watch.Event) {
	s.board.Observe(e)
	s.metrics.Observe(e)
}

// run applies the configuration.
func (s *scene) run() *apply.Result {
	s.t.Helper()
	s.tell(watch.Began{})
	start := time.Now()
	var shown *plan.Plan
	r, err := apply.Run(s.t.Context(), s.cfg, s.targets, apply.Options{
		Plan: plan.Options{Nonce: []byte(time.Now().String()), Now: s.now, Catalog: found}, Parallelism: 4,
		Starting: func(e apply.Event) { s.tell(watch.Starting{Event: e}) },
		Observe:  func(e apply.Event) { s.tell(watch.Stepped{Event: e}) },
		Progress: func(c apply.Copy) { s.tell(watch.Copying{Copy: c}) },
		Vet: func(p *plan.Plan) error {
			shown = p
			s.tell(watch.Planned{Plan: p})
			return nil
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.tell(watch.Looked{Config: s.shown(), Snapshot: r.Snapshot, Catalog: found, Took: 20 * time.Millisecond})
	s.tell(watch.Ended{Result: r, Took: time.Since(start)})
	s.tell(watch.Waiting{Plan: shown})
	return r
}

// look reads all nodes, and has the board read hosts.
func (s *scene) look() {
	snap := state.Read(s.t.Context(), s.cfg.Cluster, s.targets)
	s.tell(watch.Looked{Config: s.shown(), Snapshot: snap, Catalog: found, Took: 20 * time.Millisecond})
	time.Sleep(6 * time.Second)
	synctest.Wait()
}

// host connects to a volume's export and writes.
func (s *scene) host(volume string, write int) *sim.Conn {
	s.t.Helper()
	for _, v := range s.board.Now().Report.Volumes {
		if v.Name != volume {
			continue
		}
		conn, err := s.cluster.Host("nqn.2026-01.com.example:h1").Connect("10.0.0."+string(v.Engine[1:]), "4420", v.Exports[0].Where)
		if err != nil {
			s.t.Fatal(err)
		}
		disk, err := conn.Namespace(1)
		if err == nil {
			err = disk.WriteAt(s.t.Context(), make([]byte, write), 0)
		}
		if err != nil {
			s.t.Fatal(err)
		}
		return conn
	}
	s.t.Fatal("there is no volume", volume)
	return nil
}

// families are what is collected now, by name.
func (s *scene) families() map[string]*dto.MetricFamily {
	s.t.Helper()
	all, err := s.metrics.Gatherer().Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	by := map[string]*dto.MetricFamily{}
	for _, f := range all {
		by[f.GetName()] = f
	}
	return by
}

// value is that of the series with these labels, given as name, value, name, value.
func value(f *dto.MetricFamily, labels ...string) (v float64, found bool) {
	for _, m := range f.GetMetric() {
		has := map[string]string{}
		for _, l := range m.GetLabel() {
			has[l.GetName()] = l.GetValue()
		}
		same := true
		for i := 0; i < len(labels); i += 2 {
			same = same && has[labels[i]] == labels[i+1]
		}
		switch {
		case !same:
		case m.Histogram != nil:
			return float64(m.Histogram.GetSampleCount()), true
		case m.Summary != nil:
			return float64(m.Summary.GetSampleCount()), true
		default:
			return m.GetGauge().GetValue() + m.GetCounter().GetValue(), true
		}
	}
	return 0, false
}
