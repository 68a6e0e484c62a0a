package state

import (
	"fmt"
	"strings"
	"testing"

	"strata/lineage"
)

var db = lineage.Volume{Name: "db", ID: "k3f7"}

// TestJudge goes through the rules of lineage. A world is a list of heads
// ("n1 3.2p": node n1 has head db.k3f7#3.2p, and UUID u1), engines ("n1 raid
// u1 u2 -", "n1 shows" it to hosts, "n1 serves u1"), unread nodes ("n3 away"), controllers that were
// given up ("n1 gave n2 up") and heads with an external parent ("n1 leans").
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		rule  string
		world string
		q     Question
		want  string // engine and current nodes, or a part of why it is unknown
	}{
		// 1: what the running RAID lists as configured is current.
		{"1 legs", "n1 2.2p, n2 2.2, n1 raid u1 u2", Question{}, "n1: n1 n2"},
		{"1 names do not matter", "n1 2.2p, n2 1.2, n1 raid u1 u2", Question{}, "n1: n1 n2"},
		{"1 engine's own first", "n1 2.2, n2 2.2p, n2 raid u1 u2", Question{}, "n2: n2 n1"},
		{"1 slot empty", "n1 2.2p, n2 2.2, n1 raid u1 -", Question{}, "n1: n1"},
		{"1 being rebuilt", "n1 2.2p, n2 2.2, n1 raid u1 u2 rebuilding u2", Question{}, "n1: n1"},
		{"1 not complete", "n1 2.2p, n2 2.2, n2 leans, n1 raid u1 u2", Question{}, "n1: n1"},
		{"1 none complete", "n1 2.2p, n1 leans, n1 raid u1 -", Question{}, "unknown: no leg that is complete"},
		{"1 one leg, no RAID", "n1 2.1p, n2 1x, n1 serves u1", Question{}, "n1: n1"},
		{"1 on another node", "n2 2.1, n1 serves u2", Question{}, "n1: n2"},
		{"1 cannot be read", "n1 2.2p, n2 away, n1 raid u1 u2", Question{Hidden: 1}, "n1: n1 ?"},
		{"1 joining, and cannot be read", "n1 2.1p, n2 away, n1 raid u1 u2", Question{Hidden: 1}, "n1: n1"},
		{"1 one joins, two cannot be read", "n1 2.2p, n2 away, n3 away, n1 raid u1 u2 u3", Question{Hidden: 2}, "n1: n1"},
		{"1 not online", "n1 2.2p, n2 2.2, n1 raid u1 u2 configuring", Question{}, "stopped: n1"},
		{"1 peer given up", "n1 2.2p, n2 2.2, n1 raid u1 u2, n1 gave n2 up", Question{}, "n1: n1"},
		{"1 only peer given up", "n2 2.1, n1 serves u2, n1 gave n2 up", Question{}, "n1: n2"},
		{"1 two engines", "n1 2.2p, n2 2.2p, n1 raid u1 -, n2 raid u2 -", Question{}, "unknown: two engines"},
		{"1 two engines, no RAID", "n1 2.1p, n2 2.1p, n1 serves u1, n2 serves u2", Question{}, "unknown: two engines"},
		{"1 two engines, one behind that shows nothing", "n1 3.2p, n2 3.2, n3 2.3p, n1 raid u1 u2, n1 shows, n3 raid u3 -", Question{Replicas: 3}, "n1: n1 n2"},
		{"1 two engines, one ahead that shows nothing", "n1 2.2p, n2 2.2, n3 3.3p, n1 raid u1 u2, n1 shows, n3 raid u3 -", Question{Replicas: 3}, "unknown: two engines"},
		{"1 two engines, both show it", "n1 3.2p, n2 3.2, n3 2.3p, n1 raid u1 u2, n1 shows, n3 raid u3 -, n3 shows", Question{Replicas: 3}, "unknown: two engines"},
		{"1 two engines, none shows it", "n1 3.2p, n2 3.2, n3 2.3p, n1 raid u1 u2, n3 raid u3 -", Question{Replicas: 3}, "unknown: two engines"},
		{"1 RAID and another", "n1 2.1p, n2 2.1p, n1 raid u1 -, n2 serves u2", Question{}, "unknown: two engines"},

		// An engine without a replica of its own, of which only stale legs could be read: another
		// may have taken over.
		{"1 stale, the other away", "n2 1002x, n1 away, n3 raid u1 u2", Question{Hidden: 1}, "unknown: stale by epoch 1002"},
		{"1 told of a failover, the other away", "n2 1002y, n1 away, n3 raid u1 u2", Question{Hidden: 1}, "unknown: stale by epoch 1002"},
		{"1 stale, the other lost", "n2 3x, n3 raid - u2", Question{}, "unknown: stale by epoch 3"},
		{"1 stale, and it is named", "n2 1002x, n1 away, n3 raid u1 u2", Question{Hidden: 1, Authority: "n2"}, "n3: ? n2"},
		{"1 stale as it joins", "n1 3.1, n2 3x, n3 raid u1 u2", Question{}, "n3: n1 n2"},
		{"1 all away", "n1 away, n2 away, n3 raid u1 u2", Question{Hidden: 2}, "n3: ? ?"},
		{"1 stale on the engine's own node, the other away", "n3 3x, n1 away, n3 raid u1 u3", Question{Hidden: 1}, "n3: n3 ?"},

		// 2: a loss that is half told.
		{"2 primary told", "n1 3.2p, n2 2.3, n3 2.3, n1 raid u1 u2 -", Question{Replicas: 3}, "n1: n1 n2"},
		{"2 primary told, then restarted", "n1 3.2p, n2 2.3, n3 2.3", Question{Replicas: 3}, "stopped: n1"},
		{"2 fenced", "n1 3.2p, n2 3.2, n3 3x", Question{Replicas: 3}, "stopped: n1"},

		// 3: no engine: the primary of the highest epoch, once a majority was read.
		{"3 primary", "n1 2.2p, n2 2.2", Question{}, "stopped: n1"},
		{"3 primary of an old epoch", "n1 2.2p, n2 3.1", Question{}, "stopped: n2"},
		{"3 fence above the primary", "n1 2.2p, n2 3x", Question{}, "unknown: epoch 3"},
		{"3 two primaries", "n1 3.2p, n2 3.2p", Question{}, "unknown: two heads claim"},
		{"3 one epoch, two sizes", "n1 3.3p, n2 3.2", Question{}, "unknown: minted twice"},
		{"3 no primary", "n1 3.2, n2 3.2", Question{}, "unknown: none of its heads"},
		{"3 not complete", "n1 3.2p, n1 leans, n2 3.2", Question{}, "unknown: none of its heads"},
		{"3 one of two read", "n1 2.2p, n2 away", Question{Hidden: 1}, "unknown: only 1 of its 2"},
		{"3 two of three read", "n1 2.3p, n2 2.3, n3 away", Question{Replicas: 3, Hidden: 1}, "stopped: n1"},
		{"3 one of three read", "n1 2.3p, n2 away, n3 away", Question{Replicas: 3, Hidden: 2}, "unknown: only 1 of its 3"},
		{"3 others were looked for", "n1 2.3p", Question{Replicas: 3}, "stopped: n1"},
		{"3 others were let go, and the others away", "n1 2.5p, n4 2.5, n2 away", Question{Replicas: 1, Hidden: 1}, "unknown: only 2 of its 5"},
		{"3 others were let go, none away", "n1 2.5p, n4 2.5", Question{Replicas: 1}, "stopped: n1"},
		{"3 of an earlier epoch", "n1 6.2p, n2 6.2, n3 2.5, n4 away", Question{Hidden: 1}, "stopped: n1"},
		{"3 what the names count", "n1 1.3s, n3 away", Question{Replicas: 3, Hidden: 1}, "unknown: only 1 of its 3"},
		{"3 what is configured since is no vote", "n1 1.2s, n2 away", Question{Replicas: 3, Hidden: 1}, "unknown: only 1 of its 2"},
		{"3 names tell of more than configured", "n1 2.3p, n2 away", Question{Replicas: 1, Hidden: 1}, "unknown: only 1 of its 3"},
		{"3 sole", "n1 5.1, n2 4x", Question{}, "stopped: n1"},
		{"3 sole, with others away", "n1 5.1p, n2 away", Question{Replicas: 1, Hidden: 1}, "stopped: n1"},

		// 4: sealed heads of the highest epoch are equal.
		{"4 sealed", "n1 3.2s, n2 3.2s", Question{}, "stopped: n1 n2"},
		{"4 sealed and fenced", "n1 3.2s, n2 3.2s, n3 2x", Question{Replicas: 3}, "stopped: n1 n2"},
		{"4 half sealed", "n1 3.2s, n2 2.2", Question{}, "stopped: n1"},
		{"4 half sealed, the rest away", "n1 3.2s, n2 2.2, n3 away", Question{Replicas: 3, Hidden: 1}, "unknown: sealed together"},
		{"4 old seal", "n1 3.3s, n2 3.3s, n3 4.1p", Question{Replicas: 3}, "stopped: n3"},
		{"4 opened by the primary", "n1 4.2p, n2 3.2s", Question{}, "stopped: n1"},
		{"4 opened by somebody", "n1 4.3s, n2 4.3, n3 3.3s", Question{Replicas: 3}, "unknown: none of its heads"},
		{"4 sealed while told", "n1 3.3p, n2 3.3s, n3 3.3s", Question{Replicas: 3}, "stopped: n1"},

		{"4 told while served, the engine away", "n2 5.3qs, n3 5.3qs, n4 5x, n1 away", Question{Replicas: 4, Hidden: 1}, "unknown: were told of epoch 5"},
		{"4 told while served, all restarted", "n1 4.4qp, n2 5.3qs, n3 5.3qs, n4 5x", Question{Replicas: 4}, "unknown: were told of epoch 5"},
		{"4 told while served, and entered", "n1 5.3qp, n2 5.3qs, n3 5.3qs, n4 5x", Question{Replicas: 4}, "stopped: n1"},
		{"4 told while served, and entered without a replica", "n1 5.3q, n2 5.3qs, n3 5.3qs", Question{}, "unknown: were told of epoch 5"},
		{"4 told while served, one is named", "n2 5.3qs, n3 5.3qs, n1 away", Question{Replicas: 4, Hidden: 1, Authority: "n2"}, "stopped: n2"},

		// An epoch that some were told of, and none has begun, nor any since the authority's.
		{"4 told, and not begun", "n1 2.3qp, n2 2.3q, n3 3x", Question{Replicas: 3}, "stopped: n1"},
		{"4 told twice, and not begun", "n1 2.3qp, n2 2.3q, n3 4x", Question{Replicas: 3}, "stopped: n1"},
		{"4 told twice, one away", "n1 2.3qp, n3 4x, n2 away", Question{Replicas: 3, Hidden: 1}, "unknown: epoch 4"},
		{"4 two told twice, too few are left", "n1 2.3qp, n2 4x, n3 4x", Question{Replicas: 3}, "unknown: epoch 4"},
		{"4 told twice, of two", "n1 2.2qp, n2 4x", Question{}, "unknown: epoch 4"},
		{"4 told twice, one begun between", "n1 2.3qp, n2 2.3q, n3 4x, n4 3.2q", Question{Replicas: 3}, "unknown: epoch 4"},
		{"4 told twice, links drop", "n1 2.3p, n2 2.3, n3 4x", Question{Replicas: 3}, "unknown: epoch 4"},

		// 5: else unknown, until the operator names an authority.
		{"5 operator", "n1 3.2, n2 3.2", Question{Authority: "n2"}, "stopped: n2"},
		{"5 names a node without", "n1 3.2, n2 3.2", Question{Authority: "n3"}, "unknown: no complete replica"},
		{"5 names one that leans", "n1 3.2, n2 3.2, n2 leans", Question{Authority: "n2"}, "unknown: no complete replica"},
		{"5 names tell: not asked", "n1 3.2p, n2 3.2", Question{Authority: "n2"}, "stopped: n1"},
		{"5 engine runs: not asked", "n1 3.2p, n2 3.2, n1 raid u1 -", Question{Authority: "n2"}, "n1: n1"},
		{"5 other of two away", "n2 3.2, n1 away", Question{Authority: "n2", Hidden: 1}, "stopped: n2"},
		{"5 two of three away", "n2 3.3, n1 away, n3 away", Question{Authority: "n2", Replicas: 3, Hidden: 2}, "unknown: so few"},
		{"5 two engines", "n1 2.2p, n2 2.2p, n1 raid u1 -, n2 raid u2 -", Question{Authority: "n2"}, "n2: n2"},

		// An engine that was given up while it could not be read.
		{"given up, successor runs", "n1 3.2p, n2 1003.1p, n1 raid u1 -, n2 serves u2", Question{}, "n2: n2"},
		{"given up, successor stopped", "n1 3.2p, n2 1003.1p, n1 raid u1 -", Question{}, "stopped: n2"},
		{"given up, went on minting", "n1 9.1p, n2 1003.1p, n1 raid u1 -", Question{}, "stopped: n2"},
		{"given up, successor away", "n1 3.3p, n3 1003x, n2 away, n1 raid u1 -", Question{Replicas: 3, Hidden: 1}, "unknown: epoch 1003"},
		{"outrun", "n1 3.2p, n2 4.1p, n1 raid u1 -", Question{}, "unknown: epoch 4"},
		{"leg opened by another", "n1 1.3s, n2 3.2, n1 raid u1 u2 -", Question{}, "unknown: epoch 3"},
		{"leg opened by another, that is named", "n1 1.3s, n2 3.2, n1 raid u1 u2 -", Question{Authority: "n2"}, "stopped: n2"},
		{"leg opened by another, the engine is named", "n1 2.2p, n2 3.2p, n1 raid u1 u2", Question{Authority: "n1"}, "stopped: n1"},
		{"legs told first", "n1 1.3s, n2 2.3s, n1 raid u1 u2 -", Question{}, "n1: n1 n2"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if c.q.Cluster = "lab"; c.q.Replicas == 0 {
				c.q.Replicas = 2
			}
			s := world(t, c.world)
			if got := describe(s.Judge(s.Incarnation("lab", db), c.q)); !strings.HasPrefix(got, "unknown: ") && got != c.want ||
				strings.HasPrefix(got, "unknown: ") && !matches(got, c.want) {
				t.Errorf("%s\n%+v\n got %s\nwant %s", c.world, c.q, got, c.want)
			}
		})
	}
}

func matches(got, want string) bool {
	part, ok := strings.CutPrefix(want, "unknown: ")
	return ok && strings.Contains(got, part)
}

func describe(v Verdict) string {
	if v.Unknown != "" {
		return "unknown: " + v.Unknown
	}
	out := "stopped:"
	if v.Engine != "" {
		out = string(v.Engine) + ":"
	}
	for _, l := range v.Legs {
		if l.Head == nil {
			out += " ?"
		} else {
			out += " " + string(l.Node)
		}
	}
	return out
}

func world(t *testing.T, text string) *Snapshot {
	nodes := map[lineage.Node]*Node{}
	at := func(n string) *Node {
		name := lineage.Node(n)
		if nodes[name] == nil {
			nodes[name] = NewNode(name)
		}
		return nodes[name]
	}
	c := lineage.Cluster("lab")
	// see makes the leg of a peer visible on n.
	see := func(n *Node, u string) {
		from := lineage.Node("n" + u[1:])
		if from == n.Name || u == "-" {
			return
		}
		l := lineage.Link{From: from, To: n.Name}
		if n.Controllers[c.Controller(l)] == nil {
			n.Controllers[c.Controller(l)] = &Controller{Name: c.Controller(l), NQN: c.LinkNQN(l), State: "enabled"}
		}
		n.AddRemote(&Remote{Bdev: c.Controller(l) + "n1", UUID: lineage.UUID(u), Controller: c.Controller(l), NSID: 1})
	}
	for _, item := range strings.Split(text, ", ") {
		f := strings.Fields(item)
		n := at(f[0])
		switch f[1] {
		case "away":
			n.Unknown = "no answer"
		case "leans":
			n.Lvols["s/"+string(n.LvolByUUID(lineage.UUID("u"+f[0][1:])).Name)].External = "elsewhere"
		case "gave":
			n.Controllers[c.Controller(lineage.Link{From: lineage.Node(f[2]), To: n.Name})].State = "failed"
		case "shows":
			n.Subsystems[c.ExportNQN(db)] = &Subsystem{NQN: c.ExportNQN(db), Namespaces: map[int]*Namespace{ExportNSID: {NSID: ExportNSID, Bdev: c.Raid(db)}}}
		case "serves":
			see(n, f[2])
			n.Subsystems[c.ExportNQN(db)] = &Subsystem{NQN: c.ExportNQN(db), Namespaces: map[int]*Namespace{ExportNSID: {NSID: ExportNSID, Bdev: f[2]}}}
		case "raid":
			r := &Raid{Name: c.Raid(db), State: "online"}
			for i := 2; i < len(f); i++ {
				switch f[i] {
				case "configuring":
					r.State = f[i]
				case "rebuilding":
					i++
					r.Rebuilding = f[i]
				case "-":
					r.Legs = append(r.Legs, Leg{})
				default:
					see(n, f[i])
					r.Legs = append(r.Legs, Leg{Base: f[i], UUID: lineage.UUID(f[i]), Configured: true})
				}
			}
			n.Raids[r.Name] = r
		default:
			name := lineage.LvolName(db.String() + "#" + f[1])
			if _, ok := lineage.Parse(name); !ok {
				t.Fatalf("%q is no head", name)
			}
			n.AddLvol(&Lvol{Lvstore: "s", Name: name, UUID: lineage.UUID("u" + f[0][1:]), Size: 1 << 20, Allocated: 1})
		}
	}
	var list []*Node
	for i := range 9 {
		if n := nodes[lineage.Node(fmt.Sprintf("n%d", i))]; n != nil {
			list = append(list, n)
		}
	}
	return New(c, list...)
}
