// Package worldtest reads and writes Snapshots as lines of text, for tests.
package worldtest

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"strings"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// Read makes a Snapshot of lines such as
//
//	n1 unread connection refused
//	n1 disk /dev/a lab.fast.disk [claimed] [keeps] [blocks=512]
//	n1 lvstore lab.fast lab.fast.disk 1Mi 1024 [as=lab.fast.aaaa] [uuid=…]
//	n1 lvol lab.fast/db.k3f7#1.2p u1 64Mi [3 clusters] [parent=…] [esnap=…] [degraded] [claimed] [snapshot]
//	n1 raid lab.db.k3f7 online u1 u2 - [stalled] [filling=u2]
//	n1 controller lab.n2 nqn… enabled
//	n1 remote lab.n2n7 u2 64Mi [absent] [claimed]
//	n1 discovery 10.0.0.1 4420
//	n1 referral 10.0.0.2 4420
//	n1 key lab.host.db./k/a /k/a
//	n1 keyfile lab.host.db.~wwwwwwww.cccccccccccccccc
//	n1 subsystem nqn… [any] [host=…[,KEY[,KEY]]] [ids=33768-34767]
//	n1 namespace nqn… 7 bdev
//	n1 listen nqn… 10.0.0.1 4420 [paused]
//	n1 asked nqn… [connected=host] [failed=bdev]
//	n1 tcp
//	n1 cipher lab.db.k3f7.cipher lab.db.k3f7
//	n1 sealing db.k3f7 abcd
//	n1 can bdev_raid_grow_base_bdev
//	n1 cannot bdev_crypto_create
//	n1 ublk 3 bdev
//	n1 nbd /dev/nbd0 bdev
//	n1 locked uuid
//	n1 limits bdev 2000 64Mi 0Mi (reads and writes, bytes read, bytes written, a second)
func Read(cluster lineage.Cluster, text string) (*state.Snapshot, error) {
	nodes := map[lineage.Node]*state.Node{}
	var order []*state.Node
	for i, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		name := lineage.Node(f[0])
		if nodes[name] == nil {
			nodes[name] = state.NewNode(name)
			nodes[name].Methods["ublk_start_disk"] = struct{}{}
			nodes[name].Methods["nbd_start_disk"] = struct{}{}
			nodes[name].Methods["bdev_crypto_create"] = struct{}{}
			order = append(order, nodes[name])
		}
		if len(f) == 1 {
			continue
		}
		if err := readLine(nodes[name], f[1], f[2:]); err != nil {
			return nil, fmt.Errorf("line %d: %q: %w", i+1, line, err)
		}
	}
	return state.New(cluster, order...), nil
}

// readController reads a controller: its name, what it is attached to, how it is, where, by
// RDMA if so, and the alternate addresses, at the same port.
func readController(f []string) *state.Controller {
	rest, rdma := strings.CutSuffix(strings.Join(f[5:], " "), "rdma")
	c := &state.Controller{Name: f[0], NQN: lineage.NQN(f[1]), State: f[2], Address: f[3], Port: f[4], RDMA: rdma}
	for _, a := range strings.Fields(rest) {
		c.Alternates = append(c.Alternates, lineage.Portal{Address: a, Port: f[4], RDMA: rdma})
	}
	return c
}

func readLine(n *state.Node, what string, f []string) error {
	switch what {
	case "unread":
		n.Unknown = strings.Join(f, " ")
	case "can":
		n.Methods[f[0]] = struct{}{}
	case "cannot":
		delete(n.Methods, f[0])
	case "tcp":
		n.TCP = true
	case "rdma":
		n.RDMA = true
	case "disk":
		d := &state.Disk{Bdev: f[1], Kind: string(schema.AIO), Path: f[0], Size: 1 << 30, BlockSize: 4096}
		if strings.Contains(d.Path, ":") { // a PCI address
			d.Kind = string(schema.NVMe)
		}
		for _, o := range f[2:] {
			if blocks, ok := strings.CutPrefix(o, "blocks="); ok {
				d.BlockSize = int64(atoi(blocks))
			} else if o == "keeps" {
				d.Keeps = true
			} else {
				d.Claimed = true
			}
		}
		n.Disks[f[1]] = d
	case "lvstore":
		n.Lvstores[f[0]] = &state.Lvstore{Name: f[0], OnTarget: onTarget(n.Name, f[0]), UUID: storeUUID(n.Name, f[0]), Base: f[1], ClusterSize: size(f[2]), TotalClusters: int64(atoi(f[3])), FreeClusters: int64(atoi(f[3]))}
		for _, o := range f[4:] {
			switch k, v, _ := strings.Cut(o, "="); k {
			case "as":
				n.Lvstores[f[0]].OnTarget = v
			case "uuid":
				n.Lvstores[f[0]].UUID = lineage.UUID(v)
			default:
				return fmt.Errorf("unknown word %s", o)
			}
		}
		if d := n.Disks[f[1]]; d != nil {
			d.Claimed = true
		}
	case "lvol":
		store, name, _ := strings.Cut(f[0], "/")
		l := &state.Lvol{Lvstore: store, Name: lineage.LvolName(name), UUID: lineage.UUID(f[1]), Size: size(f[2])}
		for _, o := range f[3:] {
			switch k, v, _ := strings.Cut(o, "="); k {
			case "parent":
				l.Parent = lineage.LvolName(v)
				p := n.Lvols[store+"/"+v]
				p.Children = append(p.Children, l.Name)
				p.Snapshot = true
			case "esnap":
				l.External = v
			case "degraded":
				l.Degraded = true
			case "claimed":
				l.Claimed = true
			case "snapshot":
				l.Snapshot = true
			default:
				l.Allocated = int64(atoi(o))
			}
		}
		n.AddLvol(l)
		if _, ok := l.Parsed.(lineage.Layer); ok {
			l.Snapshot = true
		}
	case "raid":
		r := &state.Raid{Name: f[0], UUID: raidUUID(f[0]), State: f[1]}
		for _, u := range f[2:] {
			how, laid, is := strings.Cut(u, "=")
			switch {
			case u == "-":
				r.Legs = append(r.Legs, state.Leg{})
			case u == "stalled":
				r.Stalled = true
			case strings.HasPrefix(u, "filling="):
				r.Rebuilding = strings.TrimPrefix(u, "filling=")
			case is: // concat=1024,24Mi or raid0=64,24Mi: strips of so many KiB, and the size
				strip, of, online := strings.Cut(laid, ",")
				if r.Laid = (&state.Laid{Striped: how == "raid0", StripKiB: atoi(strip)}); online {
					r.Laid.Size = size(of)
				}
			case n.Raids[u] != nil:
				r.Legs = append(r.Legs, state.Leg{Base: u, UUID: n.Raids[u].UUID, Configured: true})
			default:
				r.Legs = append(r.Legs, state.Leg{Base: u, UUID: lineage.UUID(u), Configured: true})
			}
		}
		n.Raids[r.Name] = r
	case "cipher":
		n.SetCipher(f[0], state.Cipher{Base: f[1], Key: strings.TrimSuffix(f[0], ".cipher")})
	case "sealing":
		n.SetKey(lineage.SplitVolume(f[0]), lineage.Check(f[1]))
	case "controller":
		n.Controllers[f[0]] = readController(f)
	case "remote":
		ctrl, nsid, _ := cutLast(f[0], "n")
		n.AddRemote(&state.Remote{Bdev: f[0], UUID: lineage.UUID(f[1]), Controller: ctrl, NSID: atoi(nsid), Size: size(f[2]), Absent: slices.Contains(f[3:], "absent"), Claimed: slices.Contains(f[3:], "claimed")})
	case "subsystem":
		s := &state.Subsystem{NQN: lineage.NQN(f[0]), Namespaces: map[int]*state.Namespace{}}
		for _, o := range f[1:] {
			if h, ok := strings.CutPrefix(o, "host="); ok {
				// host=NQN or host=NQN,KEY or host=NQN,KEY,KEY, or with ,,,KEY or so: names of its
				// key, the target's, and that of TLS
				host, keys, _ := strings.Cut(h, ",")
				key, ctrl, _ := strings.Cut(keys, ",")
				ctrl, psk, _ := strings.Cut(ctrl, ",")
				s.Hosts = append(s.Hosts, lineage.NQN(host))
				s.SetKeys(lineage.NQN(host), lineage.HostKeys{Key: key, CtrlKey: ctrl, PSK: psk})
			} else if ids, ok := strings.CutPrefix(o, "ids="); ok {
				first, last, _ := strings.Cut(ids, "-")
				s.IDs = lineage.IDsOf(atoi(first), atoi(last))
			} else {
				s.AnyHost = true
			}
		}
		n.Subsystems[s.NQN] = s
	case "namespace":
		n.Subsystems[lineage.NQN(f[0])].Namespaces[atoi(f[1])] = &state.Namespace{NSID: atoi(f[1]), Bdev: f[2], ANAGroup: atoi(f[1])}
	case "listen":
		s := n.Subsystems[lineage.NQN(f[0])]
		s.Listeners = append(s.Listeners, state.Listener{Address: f[1], Port: f[2], Paused: slices.Contains(f[3:], "paused"), TLS: slices.Contains(f[3:], "tls"), RDMA: slices.Contains(f[3:], "rdma")})
	case "asked":
		e := &state.Evidence{}
		for _, o := range f[1:] {
			switch k, v, _ := strings.Cut(o, "="); k {
			case "connected":
				e.Connected = append(e.Connected, lineage.NQN(v))
			case "failed":
				e.Failed = append(e.Failed, v)
			default:
				return fmt.Errorf("unknown word %s", o)
			}
		}
		if n.Subsystems[lineage.NQN(f[0])] == nil {
			return fmt.Errorf("no subsystem %s", f[0])
		}
		n.Subsystems[lineage.NQN(f[0])].Evidence = e
	case "ublk":
		n.Ublk[atoi(f[0])] = f[1]
	case "nbd":
		n.NBD[f[0]] = f[1]
	case "discovery":
		n.Discovery.Listen(lineage.Portal{Address: f[0], Port: f[1]})
	case "referral":
		n.Discovery.Refer(lineage.Portal{Address: f[0], Port: f[1]})
	case "tlsbuffer":
		n.TLSBuffer = int64(atoi(f[0]))
	case "key":
		n.AddKey(f[0], f[1])
	case "keyfile":
		n.AddKeyFile(f[0])
	case "keyfiles": // unread WHY
		n.KeyFilesUnread = strings.Join(f[1:], " ")
	case "locked":
		n.Lock.Holder = lineage.UUID(f[0])
	case "limits":
		n.SetLimits(f[0], state.Limits{IOPS: int64(atoi(f[1])), Read: size(f[2]), Write: size(f[3])})
	default:
		return fmt.Errorf("unknown object %s", what)
	}
	return nil
}

// onTarget is what a target calls an lvstore that a world calls so: with an id,
// if it may be one of strata's.
func onTarget(n lineage.Node, name string) string {
	if s, ok := lineage.ParseStore(name); ok && s.ID == "" {
		s.ID = lineage.NewID([]byte(n), name, func(lineage.ID) bool { return false })
		return s.Lvstore()
	}
	return name
}

// storeUUID is that of an lvstore of which a world does not say it.
func storeUUID(n lineage.Node, name string) lineage.UUID {
	h := fnv.New32a()
	h.Write([]byte(string(n) + "/" + name))
	return lineage.UUID(fmt.Sprintf("%08x-0000-4000-8000-000000000000", h.Sum32()))
}

// Remind adds what reminds of the pools of a world, as if plans for it had been
// carried out: on the next two nodes with a pool that lasts, in the order of
// their names.
func Remind(cfg *schema.Config, s *state.Snapshot) {
	pool := func(n lineage.Node, lvstore string) (name string, lasts bool) {
		if conf := cfg.Node(n); conf != nil {
			for _, p := range conf.Pools {
				if p.Lvstore == lvstore {
					return p.Name, p.Kind != schema.Malloc
				}
			}
		}
		return "", false
	}
	nodes := slices.Sorted(maps.Keys(s.Nodes))
	first := func(n *state.Node) string {
		for _, store := range slices.Sorted(maps.Keys(n.Lvstores)) {
			if _, lasts := pool(n.Name, store); lasts {
				return store
			}
		}
		return ""
	}
	var keepers []lineage.Node
	for _, name := range nodes {
		if first(s.Nodes[name]) != "" {
			keepers = append(keepers, name)
		}
	}
	for i, name := range keepers {
		for _, store := range slices.Sorted(maps.Keys(s.Nodes[name].Lvstores)) {
			p, lasts := pool(name, store)
			if !lasts {
				continue
			}
			m := lineage.MemberOf(name, p, s.Nodes[name].Lvstores[store].UUID)
			for k := 1; k <= 2 && k < len(keepers); k++ {
				to := s.Nodes[keepers[(i+k)%len(keepers)]]
				to.AddLvol(&state.Lvol{Lvstore: first(to), Name: m.Lvol(), UUID: lineage.UUID("reminder:" + string(to.Name) + string(m.Lvol())), Size: 1 << 20})
			}
		}
	}
}

func cutLast(s, sep string) (string, string, bool) {
	i := strings.LastIndex(s, sep)
	return s[:i], s[i+1:], true
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// size reads what amount.Bytes writes, from 1Ki to less than 1Pi.
func size(s string) int64 {
	unit := map[string]int64{"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}[s[len(s)-2:]]
	return int64(atoi(s[:len(s)-2])) * unit
}

// raidUUID is the UUID of the cluster's RAID of that name, which follows from it; "" for
// others.
func raidUUID(name string) lineage.UUID {
	cluster, _, _ := strings.Cut(name, ".")
	c := lineage.Cluster(cluster)
	if v, ok := c.ParseRaid(name); ok {
		return c.ExportUUID(v)
	}
	return ""
}
