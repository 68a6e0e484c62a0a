//go:build bench

package bench

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/plan/recipe"
	"strata/schema"
	"strata/spdk"
	"strata/state"
)

const benchVolumes = 1000

// atOnce is how many calls the bare client has on their way to a node: a target
// makes no more than 512 lvols of an lvstore at a time.
const atOnce = 500

// TestApply measures the making of 1,000 volumes of 2 replicas on 3 nodes
// against a bare client that sends the same calls, wave after wave, each wave
// pipelined, and against one call at a time on one node after the other. What
// counts is the time of the apply, from its first look to the last, as it says
// itself; that of the whole command, which loads the configuration first, is
// printed too.
//
// One call at a time waits 4 ms for the target whatever the machine, and an apply
// is work for the CPU, so the distance between them shrinks with the machine.
// What is promised is twice what the three nodes side by side would be without
// pipelining: it holds where CPUs are a third as fast, and without pipelining
// nowhere.
func TestApply(t *testing.T) {
	one := bareTime(t, benchVolumes/20, true) * 20
	var bare, took, wall, cpu []time.Duration
	for range 5 { // in turns, so that what else the machine does hits both
		bare = append(bare, bareTime(t, benchVolumes, false))
		l := prepared(t)
		l.configure(benchVolumes, 2)
		u := l.run("apply", "--auto-approve")
		took, wall, cpu = append(took, applied(t, u.out)), append(wall, u.wall), append(cpu, u.cpu)
	}
	t.Logf("%d volumes × 2 on 3 nodes, medians of 5: apply %v (the whole command %v, of which CPU %v), bare pipelined client %v; one call at a time %v",
		benchVolumes, median(took), median(wall), median(cpu), median(bare), one)
	figure(t, "apply / bare client", ratio(median(took), median(bare)), 2, "the time of an apply, against a client that only sends its calls, all of a stage at once")
	figure(t, "apply / one call at a time", ratio(median(took), one), 1.0/6, "the time of an apply, against sending its calls one by one")
}

// applied is how long an apply took, as it says in its last line.
func applied(t *testing.T, out string) time.Duration {
	last := tail(out)
	last = last[strings.LastIndex(last, "\n")+1:]
	took, err := time.ParseDuration(last[strings.LastIndex(last, " ")+1:])
	if err != nil || !strings.HasPrefix(last, "Converged: ") {
		t.Fatalf("not the end of an apply that converged: %s", last)
	}
	return took
}

// prepared is a lab of 3 nodes that have pools and links already.
func prepared(t *testing.T) *lab {
	l := newLab(t, 3)
	l.configure(12, 2)
	l.run("apply", "--auto-approve")
	return l
}

// bareTime makes volumes without strata's looking, planning and reporting: the
// steps are those of a plan, taken stage by stage over all volumes.
func bareTime(t *testing.T, volumes int, oneByOne bool) time.Duration {
	l := prepared(t)
	l.configure(volumes, 2)
	cfg, targets := l.load()
	snap := state.Read(context.Background(), cfg.Cluster, targets)
	p, err := recipe.Build(cfg, snap, plan.Options{Nonce: []byte("bench")})
	if err != nil {
		t.Fatal(err)
	}
	b := &bare{t: t, cfg: cfg, targets: targets, uuids: map[lineage.UUID]string{}, lvstores: map[string]string{}}
	for name, n := range snap.Nodes {
		for called, lvstore := range cfg.Lvstores(name, n.Paths()) {
			b.lvstores[string(name)+"/"+lvstore] = called
		}
	}
	start := time.Now()
	for _, pass := range p.Passes {
		for _, sections := range b.ways(pass.Sections) {
			for stage := 0; b.wave(sections, stage, oneByOne); stage++ {
			}
		}
	}
	took := time.Since(start)
	t.Logf("bare client, %d volumes, one by one %v: %d calls in %v", volumes, oneByOne, b.calls, took)
	return took
}

// bare is a client that knows nothing but the calls it has to make.
type bare struct {
	t       *testing.T
	cfg     *schema.Config
	targets map[lineage.Node]*spdk.Client
	uuids   map[lineage.UUID]string
	// lvstores has what targets call those that plans name, by node and name.
	lvstores map[string]string
	calls    int
}

// ways parts sections by the way in which namespaces are shown on links: two targets with
// an event of each other stand still.
func (b *bare) ways(sections []plan.Section) (ways [2][]plan.Section) {
	for _, s := range sections {
		way := 0
		for step := range s.Steps() {
			if op, shows := step.Op.(plan.NamespaceAdd); shows {
				if l, is := b.cfg.Cluster.ParseLink(op.NQN); is && l.AsksBack() {
					way = 1
				}
			}
		}
		ways[way] = append(ways[way], s)
	}
	return ways
}

// wave sends the stage of that index of every section as one burst a node.
func (b *bare) wave(sections []plan.Section, stage int, oneByOne bool) bool {
	reqs := map[lineage.Node][]*spdk.Req{}
	var after []func()
	for _, s := range sections {
		if stage >= len(s.Stages) {
			continue
		}
		for _, step := range s.Stages[stage] {
			r, then := b.request(step.Op)
			reqs[step.Op.On()] = append(reqs[step.Op.On()], r)
			after = append(after, then)
			b.calls++
		}
	}
	done := make(chan struct{}, len(reqs))
	for node, burst := range reqs {
		if oneByOne {
			for _, r := range burst {
				b.targets[node].Round(context.Background(), r)
			}
			done <- struct{}{}
			continue
		}
		go func() {
			for some := range slices.Chunk(burst, atOnce) {
				b.targets[node].Round(context.Background(), some...)
			}
			done <- struct{}{}
		}()
	}
	for range reqs {
		<-done
	}
	for node, burst := range reqs {
		for _, r := range burst {
			if r.Err != nil {
				b.t.Fatalf("%s: %v", node, r.Err)
			}
		}
	}
	for _, then := range after {
		then()
	}
	return len(reqs) > 0
}

// request is the call of a step that makes a volume.
func (b *bare) request(op plan.Op) (*spdk.Req, func()) {
	nothing := func() {}
	resolve := func(bdev string) string {
		if u, ok := b.uuids[lineage.UUID(bdev)]; ok {
			return u
		}
		return bdev
	}
	switch op := op.(type) {
	case plan.LvolCreate:
		uuid := new(string)
		token := plan.Token(op.Node, op.Lvstore, op.Name)
		return spdk.NewReq(spdk.LvolCreate{LvolName: string(op.Name), LvsName: b.lvstores[string(op.Node)+"/"+op.Lvstore], SizeMiB: uint64(op.Size >> 20), ThinProvision: true}, uuid),
			func() { b.uuids[token] = *uuid }
	case plan.LvolRename:
		return spdk.NewReq(spdk.LvolRename{OldName: b.lvstores[string(op.Node)+"/"+op.Lvstore] + "/" + string(op.From), NewName: string(op.To)}, nil), nothing
	case plan.NamespaceAdd:
		return spdk.NewReq(spdk.NamespaceAdd{NQN: string(op.NQN), Namespace: spdk.NamespaceSpec{
			NSID: uint32(op.NSID), BdevName: resolve(op.Bdev), UUID: string(op.UUID), NGUID: op.UUID.NGUID()}}, nil), nothing
	case plan.LegWait:
		return spdk.NewReq(spdk.BdevGet{Name: resolve(string(op.Leg)), Timeout: 8000}, new([]spdk.Bdev)), nothing
	case plan.RaidCreate:
		var legs []string
		for _, leg := range op.Legs {
			legs = append(legs, resolve(string(leg)))
		}
		return spdk.NewReq(spdk.RaidCreate{Name: op.Raid, Level: "raid1", BaseBdevs: legs, UUID: string(op.UUID)}, nil), nothing
	case plan.SubsystemCreate:
		return spdk.NewReq(spdk.SubsystemCreate{NQN: string(op.NQN), SerialNumber: op.Serial, ANAReporting: true}, nil), nothing
	case plan.HostAllow:
		return spdk.NewReq(spdk.HostAdd{NQN: string(op.NQN), Host: string(op.Host)}, nil), nothing
	case plan.ListenerAdd:
		return spdk.NewReq(spdk.ListenerAdd{NQN: string(op.NQN), Address: spdk.Address{TrType: "TCP", AdrFam: "IPv4", TrAddr: op.Address, TrSvcID: op.Port}}, nil), nothing
	default: // does not make a volume
		b.t.Fatalf("a step of another kind, %T: %s", op, op.Words())
		return nil, nil
	}
}
