package check_test

import (
	"strings"
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/plan/check"
	"strata/plan/plantest"
)

// lost is what an engine on n4 has left, which cannot be read.
const lost = `
n1 tcp
n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.k3f7#HEAD1 u1 64Mi 9
n1 subsystem nqn.2026-01.io.strata:lab:n1:n4~wait
n1 namespace nqn.2026-01.io.strata:lab:n1:n4~wait 7 u1
n1 listen nqn.2026-01.io.strata:lab:n1:n4~wait 10.0.0.1 4420
n1 asked nqn.2026-01.io.strata:lab:n1:n4~wait
n2 tcp
n2 disk /dev/n2 lab.fast.disk claimed
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
n2 lvol lab.fast/db.k3f7#HEAD2 u2 64Mi 9
n2 subsystem nqn.2026-01.io.strata:lab:n2:n4~wait
n2 namespace nqn.2026-01.io.strata:lab:n2:n4~wait 7 u2
n2 listen nqn.2026-01.io.strata:lab:n2:n4~wait 10.0.0.2 4420
n2 asked nqn.2026-01.io.strata:lab:n2:n4~wait
n3 tcp
n4 unread connection refused
`

const lostLab = `
cluster: "lab"
links: loss: "wait"
nodes: {
	n1: {rpc: "unix:///run/n1.sock", address: "10.0.0.1", pools: fast: {aio: "/dev/n1"}}
	n2: {rpc: "unix:///run/n2.sock", address: "10.0.0.2", pools: fast: {aio: "/dev/n2"}}
	n3: {rpc: "unix:///run/n3.sock", address: "10.0.0.3"}
	n4: {rpc: "unix:///run/n4.sock", address: "10.0.0.4"}
}
volumes: db: {size: 64Mi, replicas: {on: ["n1", "n2"]}, engine: "n4", export: nvmf: hosts: "any"}
`

// refused carries steps out, one after the other, and says why the last is refused.
func refused(t *testing.T, world string, opt plan.Options, ops ...plan.Op) string {
	t.Helper()
	return refusedIn(t, world, opt, ops)
}

// refusedIn is refused of several passes.
func refusedIn(t *testing.T, world string, opt plan.Options, passes ...[]plan.Op) string {
	t.Helper()
	cfg, p := plantest.Config(t, lostLab), &plan.Plan{}
	for _, ops := range passes {
		s := plan.Section{Kind: plan.KindVolume, Name: "db"}
		for _, op := range ops {
			s.Stages = append(s.Stages, []plan.Step{{Op: op, Risk: plan.RiskReduce}})
		}
		p.Passes = append(p.Passes, plan.Pass{Sections: []plan.Section{s}})
	}
	if err := check.Check(cfg, plantest.World(t, "lab", world), p, opt); err != nil {
		return err.Error()
	}
	return ""
}

// A replica takes over only where targets show that it may: each of these lacks one thing.
func TestCheckRefusesToTakeOver(t *testing.T) {
	with := func(head1, head2 string, more ...string) string {
		return strings.NewReplacer(append([]string{"HEAD1", head1, "HEAD2", head2}, more...)...).Replace(lost)
	}
	const link1, link2 = "nqn.2026-01.io.strata:lab:n1:n4~wait", "nqn.2026-01.io.strata:lab:n2:n4~wait"
	const ns1, ns2, gone = "n1 namespace " + link1 + " 7 u1", "n2 namespace " + link2 + " 7 u2", "n4 unread connection refused"
	take := func(from string) plan.Op {
		return plan.LvolRename{At: plan.At{Node: "n1"}, Lvstore: "lab.fast", From: lineage.LvolName("db.k3f7#" + from), To: "db.k3f7#1003.1p"}
	}
	off := plan.Options{Off: map[lineage.Node]string{"n4": "it is off"}}
	word := plan.Options{Failover: map[string]bool{"db": true}}
	for _, c := range []struct {
		name, world, why string
		opt              plan.Options
		op               plan.Op
	}{
		{"all holds", with("3.2w", "3.2w"), "", plan.Options{}, take("3.2w")},
		{"and the other was pledged", with("3.2w", "1003y"), "", plan.Options{}, take("3.2w")},
		{"not shown", with("3.2w", "3.2w", "n1 namespace "+link1+" 7 u1", ""), "is shown to no engine", plan.Options{}, take("3.2w")},
		{"all were started again", with("3.2w", "3.2w", ns1, "", ns2, "", gone, "n4 tcp"), "", plan.Options{}, take("3.2w")},
		{"and one node was not read", with("3.2w", "3.2w", ns1, "", ns2, "", "n3 tcp", "n3 unread connection refused", gone, "n4 tcp"), "may be left on n3, which cannot be read", plan.Options{}, take("3.2w")},
		{"and the other is shown still", with("3.2w", "3.2w", ns1, "", gone, "n4 tcp"), "another replica is", plan.Options{}, take("3.2w")},
		{"and links did not wait", with("3.2", "3.2", ns1, "", ns2, "", gone, "n4 tcp"), "is shown to no engine", plan.Options{}, take("3.2")},
		{"and one was told", with("3.2w", "4x", ns1, "", ns2, "", gone, "n4 tcp"), "is of a later epoch", plan.Options{}, take("3.2w")},
		{"and one of three is left", with("3.3w", "3x", ns1, "", ns2, "", gone, "n4 tcp"), "1 of 3 legs is left of epoch 3", plan.Options{}, take("3.3w")},
		{"and one was not named yet", with("3.2w", "2.2w", ns1, "", ns2, "", gone, "n4 tcp"), "", plan.Options{}, take("3.2w")},
		{"an engine was started again, and one was not named yet", with("3.2w", "2.2w", gone, "n4 tcp"), "", plan.Options{}, take("3.2w")},
		{"one was not named yet, and the engine is gone", with("3.2w", "2.2w"), "1 of 2 legs is left of epoch 3", off, take("3.2w")},
		{"one of an older set was not named", with("3.2w", "2.3w", gone, "n4 tcp"), "1 of 2 legs is left of epoch 3", plan.Options{}, take("3.2w")},
		{"not asked", with("3.2w", "3.2w", "n1 asked "+link1, ""), "may have failed", plan.Options{}, take("3.2w")},
		{"failed", with("3.2w", "3.2w", "n1 asked "+link1, "n1 asked "+link1+" failed=u1"), "may have failed", word, take("3.2w")},
		{"let in", with("3.2w", "3.2w", "n2 subsystem "+link2, "n2 subsystem "+link2+" host=nqn.2026-01.io.strata:lab:n4"), "n4 is not fenced off n2", word, take("3.2w")},
		{"connected", with("3.2w", "3.2w", "n1 asked "+link1, "n1 asked "+link1+" connected=nqn.2026-01.io.strata:lab:n4"), "n4 is not fenced off n1", word, take("3.2w")},
		{"one was told", with("3.2w", "4.1w"), "1 of 2 legs is left of epoch 3", off, take("3.2w")},
		{"one was fenced by another", with("3.2w", "4x"), "1 of 2 legs is left of epoch 3", off, take("3.2w")},
		{"pledged by a failover from another epoch", with("3.2w", "1002y"), "1 of 2 legs is left of epoch 3", off, take("3.2w")},
		{"two of three, which did not promise", with("3.3w", "3.3w"), "2 of 3 legs are left of epoch 3", off, take("3.3w")},
		{"two of three, which promised", with("3.3q", "3.3q"), "", off, take("3.3q")},
		{"the engine may have the third", with("3.3q", "3.3q"), "which may have a replica of its own", plan.Options{}, take("3.3q")},
		{"one of three, which promised", with("3.3q", "4x"), "1 of 3 legs is left of epoch 3", off, take("3.3q")},
		{"and a person says so", with("3.3q", "4x"), "", word, take("3.3q")},
	} {
		why := refused(t, c.world, c.opt, c.op)
		if c.why == "" && why != "" || !strings.Contains(why, c.why) {
			t.Errorf("%s: got %q, want %q", c.name, why, c.why)
		}
	}
}

// A link is not what it was shown on if it is shown again, and nobody is let in who would
// send what he had queued.
func TestCheckRefusesWhatProvesTooMuch(t *testing.T) {
	world := strings.NewReplacer("HEAD1", "3.2w", "HEAD2", "3.2w", "n1 namespace nqn.2026-01.io.strata:lab:n1:n4~wait 7 u1", "").Replace(lost)
	const link = "nqn.2026-01.io.strata:lab:n1:n4~wait"
	show := plan.NamespaceAdd{At: plan.At{Node: "n1"}, NQN: link, NSID: 7, Bdev: "u1"}
	if why := refused(t, world, plan.Options{}, show); !strings.Contains(why, "n4 cannot be read, and may have gone on without") {
		t.Errorf("to a node that cannot be read: %q", why)
	}
	back := `n4 tcp
n4 controller lab.n1~wait nqn.2026-01.io.strata:lab:n1:n4~wait reconnect_is_delayed 10.0.0.1 4420
n4 controller lab.n2~wait nqn.2026-01.io.strata:lab:n2:n4~wait enabled 10.0.0.2 4420
n4 remote lab.n1~waitn7 u1 64Mi
n4 remote lab.n2~waitn7 u2 64Mi
n4 raid lab.db.k3f7 online LEG1 u2
`
	alone := strings.NewReplacer("n4 unread connection refused", back, "LEG1", "-").Replace(world)
	if why := refused(t, strings.Replace(alone, "LEG1", "-", 1), plan.Options{}, show); !strings.Contains(why, "has lost") {
		t.Errorf("to a mirror that has lost it: %q", why)
	}
	both := strings.Replace(strings.Replace(world, "n4 unread connection refused", back, 1), "LEG1", "u1", 1)
	if why := refused(t, both, plan.Options{}, show); why != "" {
		t.Errorf("to a mirror that has it: %q", why)
	}
	taken := strings.NewReplacer("#3.2w u1", "#1003.1p u1", "#3.2w u2", "#1003x u2").Replace(both)
	allow := plan.HostAllow{At: plan.At{Node: "n1"}, NQN: link, Host: "nqn.2026-01.io.strata:lab:n4"}
	if why := refused(t, taken, plan.Options{}, allow); !strings.Contains(why, "would send them again") {
		t.Errorf("with a mirror, when another has taken over: %q", why)
	}
	if why := refused(t, both, plan.Options{}, allow); why != "" {
		t.Errorf("with a mirror, when no other has: %q", why)
	}
	if why := refused(t, world, plan.Options{}, allow); !strings.Contains(why, "may have writes queued") {
		t.Errorf("one that cannot be read: %q", why)
	}
	create := plan.SubsystemCreate{At: plan.At{Node: "n1"}, NQN: link, Serial: "x", MaxNamespaces: lineage.LinkNamespaces}
	again := strings.NewReplacer("n1 subsystem "+link+"\n", "", "n1 listen "+link+" 10.0.0.1 4420\n", "", "n1 asked "+link+"\n", "")
	if why := refused(t, again.Replace(taken), plan.Options{}, create, allow); !strings.Contains(why, "would send them again") {
		t.Errorf("with a mirror, when another has taken over and its target was started again: %q", why)
	}
	if why := refused(t, again.Replace(both), plan.Options{}, create, allow); why != "" {
		t.Errorf("with a mirror, when no other has, and the target was started again: %q", why)
	}
	if why := refused(t, again.Replace(world), plan.Options{}, create, allow); why != "" {
		t.Errorf("one that cannot be read, to a link that is made again: %q", why)
	}
	none := strings.Replace(world, "n4 unread connection refused", "n4 tcp", 1)
	if why := refused(t, none, plan.Options{}, allow); why != "" {
		t.Errorf("one that was started again: %q", why)
	}
	fence := plan.Fence{At: plan.At{Node: "n1"}, NQN: link, Host: "nqn.2026-01.io.strata:lab:n4", TimeoutMs: 5000}
	if why := refused(t, none, plan.Options{}, fence); !strings.Contains(why, "n4 can be read") {
		t.Errorf("a fence against one that can be read: %q", why)
	}
	if fence.Host = "nqn.2026-01.io.strata:lab:n3"; !strings.Contains(refused(t, world, plan.Options{}, fence), "is no link of") {
		t.Error("a fence against another than the peer")
	}
}

// What is stale by its name is current again only where it is known to be equal to what is.
func TestCheckRefusesToRevive(t *testing.T) {
	const mirror = `n4 tcp
n4 controller lab.n1~wait nqn.2026-01.io.strata:lab:n1:n4~wait enabled 10.0.0.1 4420
n4 controller lab.n2~wait nqn.2026-01.io.strata:lab:n2:n4~wait enabled 10.0.0.2 4420
n4 remote lab.n1~waitn7 u1 64Mi
n4 remote lab.n2~waitn7 u2 64Mi
n4 raid lab.db.k3f7 online LEGS
`
	world := func(head1, head2, legs string) string {
		return strings.NewReplacer("HEAD1", head1, "HEAD2", head2, "n4 unread connection refused\n", strings.Replace(mirror, "LEGS", legs, 1)).Replace(lost)
	}
	revive := func(from string) plan.Op {
		return plan.LvolRename{At: plan.At{Node: "n2"}, Lvstore: "lab.fast", From: lineage.LvolName("db.k3f7#" + from), To: "db.k3f7#1003.1q"}
	}
	for _, c := range []struct {
		name, world string
		opt         plan.Options
		from        string
		fine        bool
	}{
		{"beside one that is current", world("1002.1q", "1002x", "u1 u2"), plan.Options{}, "1002x", true},
		{"beside none", world("1002.1q", "1002x", "- u2"), plan.Options{}, "1002x", false},
		{"beside one that is stale, too", world("1002x", "1002x", "u1 u2"), plan.Options{}, "1002x", false},
		{"in no mirror", world("1002.1q", "1002x", "u1 -"), plan.Options{}, "1002x", false},
		{"told of a failover, and beside none", world("1002x", "1002y", "- u2"), plan.Options{}, "1002y", false},
		{"beside none, and it is named", world("1002.1q", "1002x", "- u2"), plan.Options{Authority: map[string]lineage.Node{"db": "n2"}}, "1002x", true},
		{"beside none, and the other is named", world("1002.1q", "1002x", "- u2"), plan.Options{Authority: map[string]lineage.Node{"db": "n1"}}, "1002x", false},
	} {
		if why := refused(t, c.world, c.opt, revive(c.from)); (why == "") != c.fine || why != "" && !strings.Contains(why, "is stale, and nobody writes to it") {
			t.Errorf("%s: %q", c.name, why)
		}
	}
}

// An engine that is not believed is not shown again what is stale: hosts would read it there.
func TestCheckRefusesToShowWhatIsStale(t *testing.T) {
	world := func(head1, head2 string) string {
		return strings.NewReplacer("HEAD1", head1, "HEAD2", head2, "n2 namespace nqn.2026-01.io.strata:lab:n2:n4~wait 7 u2\n", "", "n4 unread connection refused\n", `n4 tcp
n4 controller lab.n1~wait nqn.2026-01.io.strata:lab:n1:n4~wait enabled 10.0.0.1 4420
n4 controller lab.n2~wait nqn.2026-01.io.strata:lab:n2:n4~wait enabled 10.0.0.2 4420
n4 remote lab.n1~waitn7 u1 64Mi
n4 remote lab.n2~waitn7 u2 64Mi absent
n4 raid lab.db.k3f7 online u1 u2
`).Replace(lost)
	}
	show := plan.NamespaceAdd{At: plan.At{Node: "n2"}, NQN: "nqn.2026-01.io.strata:lab:n2:n4~wait", NSID: 7, Bdev: "u2"}
	if why := refused(t, world("1002x", "1002x"), plan.Options{}, show); !strings.Contains(why, "is not believed") {
		t.Errorf("beside one that is stale, too: %q", why)
	}
	const host = " host=nqn.2026-01.io.strata:lab:n4"
	in := strings.NewReplacer("n4~wait\nn1 namespace", "n4~wait"+host+"\nn1 namespace", "n4~wait\nn2 listen", "n4~wait"+host+"\nn2 listen").Replace(world("3.1w", "2x"))
	if why := refused(t, in, plan.Options{}, show); why != "" {
		t.Errorf("as it joins: %q", why)
	}
}

// Half of the legs are told before one is let go.
func TestCheckRefusesToLetGoOfWhoWasPromised(t *testing.T) {
	world := func(head1, head2 string) string {
		back := `n4 tcp
n4 controller lab.n1~wait nqn.2026-01.io.strata:lab:n1:n4~wait enabled 10.0.0.1 4420
n4 controller lab.n2~wait nqn.2026-01.io.strata:lab:n2:n4~wait reconnect_is_delayed 10.0.0.2 4420
n4 controller lab.n3~wait nqn.2026-01.io.strata:lab:n3:n4~wait reconnect_is_delayed 10.0.0.3 4420
n4 remote lab.n1~waitn7 u1 64Mi
n4 remote lab.n2~waitn7 u2 64Mi
n4 remote lab.n3~waitn7 u3 64Mi
n4 raid lab.db.k3f7 online u1 u2 u3
n4 subsystem nqn.2026-01.io.strata:lab:db.k3f7 any
n4 namespace nqn.2026-01.io.strata:lab:db.k3f7 1 lab.db.k3f7
n4 listen nqn.2026-01.io.strata:lab:db.k3f7 10.0.0.4 4420
`
		return strings.NewReplacer("HEAD1", head1, "HEAD2", head2, "n4 unread connection refused", back,
			"n1:n4~wait\nn1 namespace", "n1:n4~wait host=nqn.2026-01.io.strata:lab:n4\nn1 namespace", "n2:n4~wait\nn2 namespace", "n2:n4~wait host=nqn.2026-01.io.strata:lab:n4\nn2 namespace").Replace(lost)
	}
	mint := plan.LvolRename{At: plan.At{Node: "n1"}, Lvstore: "lab.fast", From: "db.k3f7#3.3q", To: "db.k3f7#4.1q"}
	tell := plan.LvolRename{At: plan.At{Node: "n2"}, Lvstore: "lab.fast", From: "db.k3f7#3.3q", To: "db.k3f7#4x"}
	drop := plan.ControllerDisable{At: plan.At{Node: "n4"}, Controller: "lab.n2~wait"}
	other := plan.ControllerDisable{At: plan.At{Node: "n4"}, Controller: "lab.n3~wait"}
	both := world("3.3q", "3.3q")
	unread := "n2 unread connection refused\n" + strings.Join(strings.Split(both, "\nn2 ")[:1], "") + both[strings.Index(both, "\nn3 tcp"):]
	if why := refused(t, both, plan.Options{}, tell, mint, other, drop); why != "" {
		t.Errorf("two were told: %q", why)
	}
	if why := refused(t, unread, plan.Options{}, mint, other); !strings.Contains(why, "1 of 3 legs was told of epoch 4 of lab.db.k3f7") {
		t.Errorf("one was told: %q", why)
	}
	if why := refused(t, unread, plan.Options{Authority: map[string]lineage.Node{"db": "n1"}}, mint, other, drop); why != "" {
		t.Errorf("one was told, and a person says so: %q", why)
	}

	// A promise that was kept in an earlier pass is none any more: the next one is to fewer.
	fewer := plan.LvolRename{At: plan.At{Node: "n1"}, Lvstore: "lab.fast", From: "db.k3f7#3.3q", To: "db.k3f7#4.2q"}
	too := plan.LvolRename{At: plan.At{Node: "n2"}, Lvstore: "lab.fast", From: "db.k3f7#3.3q", To: "db.k3f7#4.2q"}
	alone := plan.LvolRename{At: plan.At{Node: "n1"}, Lvstore: "lab.fast", From: "db.k3f7#4.2q", To: "db.k3f7#5.1q"}
	if why := refused(t, both, plan.Options{}, fewer, too, other, alone, drop); !strings.Contains(why, "1 of 3 legs was told of epoch 5 of lab.db.k3f7") {
		t.Errorf("one was told in the end: %q", why)
	}
	if why := refusedIn(t, both, plan.Options{}, []plan.Op{fewer, too, other}, []plan.Op{alone, drop}); why != "" {
		t.Errorf("two were told, and then one of two: %q", why)
	}
}
