package saved

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// changed compares what a section relies on with what there is.
func (s *Saved) changed(cfg *schema.Config, snap *state.Snapshot, sec *plan.Section) []string {
	then := s.Relies[sec.Key().String()]
	now := factOf(findings(cfg, world.Fit(cfg, snap), sec.Key()))
	if then.Digest == now.Digest {
		return nil
	}
	objects := maps.Clone(then.Found)
	maps.Copy(objects, now.Found)
	var list []string
	for _, object := range slices.Sorted(maps.Keys(objects)) {
		if a, b := then.Found[object], now.Found[object]; a != b {
			list = append(list, fmt.Sprintf("%s: expected %s, found %s", object, cmp.Or(a, "nothing"), cmp.Or(b, "nothing")))
		}
	}
	return list
}

func factOf(found map[string]string) Fact {
	b, err := json.Marshal(found) // keys are sorted
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(b)
	return Fact{Digest: hex.EncodeToString(sum[:]), Found: found}
}

// findings says what there is of the object that a section works on, without
// what changes by itself: what is allocated, and how far a copy is.
func findings(cfg *schema.Config, snap *state.Snapshot, of plan.Key) map[string]string {
	c := cfg.Cluster
	f := map[string]string{}
	for node, n := range snap.Nodes {
		switch {
		case n.Unknown != "":
			if of.Kind != plan.KindNode && of.Kind != plan.KindDiscovery || of == plan.NodeKey(node) || of == plan.DiscoveryKey(node) {
				f["node "+string(node)] = "does not answer"
			}
		case of == plan.NodeKey(node):
			nodeFindings(f, n)
		case of == plan.DiscoveryKey(node):
			for _, p := range n.Discovery.Listeners {
				f["node "+string(node)+": discovery at "+p.String()] = "there"
			}
			for _, p := range n.Discovery.Referrals {
				f["node "+string(node)+": referral to "+p.String()] = "there"
			}
		case of.Kind == plan.KindAlternates:
			alternateFindings(f, c, n, of)
		case of.Kind == plan.KindLink:
			linkFindings(f, c, n, of)
		case of.Kind == plan.KindVolume:
			volumeFindings(f, c, snap, n, of)
			adoptFindings(f, cfg.Volume(of.Name), n)
		case of.Kind == plan.KindBackup:
			volumeFindings(f, c, snap, n, plan.VolumeKey(of.Name))
		case of.Kind == plan.KindGroup:
			for _, v := range cfg.Volumes {
				if v.Group == of.Name {
					volumeFindings(f, c, snap, n, plan.VolumeKey(v.Name))
				}
			}
		}
	}
	return f
}

func nodeFindings(f map[string]string, n *state.Node) {
	at := "node " + string(n.Name) + ": "
	for _, d := range n.Disks {
		f[at+"disk "+d.Bdev] = fmt.Sprintf("%s %s, %s", d.Kind, d.Path, amount.Bytes(d.Size))
	}
	for _, l := range n.Lvstores {
		f[at+"lvstore "+l.Name] = "on " + l.Base
	}
	if n.TCP {
		f[at+"NVMe/TCP transport"] = "there"
	}
	if n.RDMA {
		f[at+"NVMe/RDMA transport"] = "there"
	}
}

func linkFindings(f map[string]string, c lineage.Cluster, n *state.Node, link plan.Key) {
	at := "node " + string(n.Name) + ": "
	for nqn, sub := range n.Subsystems {
		if l, ok := c.ParseLink(nqn); ok && plan.LinkKey(l) == link {
			f[at+"subsystem "+string(nqn)] = subsystem(sub)
		}
	}
	for _, ctrl := range n.Controllers {
		if l, ok := c.ParseLink(ctrl.NQN); ok && plan.LinkKey(l) == link {
			f[at+"controller "+ctrl.Name] = ctrl.State
		}
	}
}

// alternateFindings says at which addresses a link looks for its peer, and is to be found. By
// which of them it goes changes by itself.
func alternateFindings(f map[string]string, c lineage.Cluster, n *state.Node, link plan.Key) {
	for _, ctrl := range n.Controllers {
		if l, ok := c.ParseLink(ctrl.NQN); ok && plan.AlternatesKey(l) == link {
			for _, p := range ctrl.Portals() {
				f["node "+string(n.Name)+": controller "+ctrl.Name+" at "+p.String()] = "there"
			}
		}
	}
	for nqn, sub := range n.Subsystems {
		if l, ok := c.ParseLink(nqn); ok && plan.AlternatesKey(l) == link {
			for _, at := range sub.Listeners {
				f["node "+string(n.Name)+": listener of "+string(nqn)+" at "+at.Portal().String()] = "there"
			}
		}
	}
}

func volumeFindings(f map[string]string, c lineage.Cluster, snap *state.Snapshot, n *state.Node, section plan.Key) {
	of, _ := section.Volume()
	ours := func(v lineage.Volume) bool { return v.Name == of.Name && (of.ID == "" || v.ID == of.ID) }
	at := "node " + string(n.Name) + ": "
	for _, l := range n.Lvols {
		if l.Parsed == nil || !ours(l.Parsed.Of()) {
			continue
		}
		what := amount.Bytes(l.Size)
		if l.Parent != "" {
			what += " on " + string(l.Parent)
		}
		if !l.Complete() {
			what += ", not complete"
		}
		f[at+"lvol "+l.Alias()] = what
	}
	for _, r := range n.Raids {
		if v, ok := c.ParseRaid(r.Name); ok && ours(v) {
			var legs []string
			for _, leg := range r.Legs {
				if leg.Configured {
					legs = append(legs, whose(snap, leg.UUID))
				}
			}
			slices.Sort(legs)
			f[at+"mirror "+r.Name] = r.State + ", of " + strings.Join(legs, " and ")
		}
	}
	for nqn, sub := range n.Subsystems {
		if v, ok := c.ParseExport(nqn); ok && ours(v) {
			f[at+"export "+string(nqn)] = subsystem(sub)
		}
	}
}

// adoptFindings says what there is of the lvol that a volume adopts.
func adoptFindings(f map[string]string, v *schema.Volume, n *state.Node) {
	if v == nil || v.Adopt == nil || v.Adopt.Node != n.Name {
		return
	}
	if l := n.Lvols[v.Adopt.Alias()]; l != nil && l.Parsed == nil {
		what := amount.Bytes(l.Size)
		for _, h := range n.Holders(l) {
			what += ", " + h.What
		}
		f["node "+string(n.Name)+": lvol "+l.Alias()] = what
	}
}

// whose says on which node an lvol is.
func whose(snap *state.Snapshot, u lineage.UUID) string {
	if owner := (&world.World{Snapshot: snap}).Owner(u); owner != "" {
		return string(owner)
	}
	return "an unknown node"
}

func subsystem(s *state.Subsystem) string {
	var parts []string
	for _, l := range s.Listeners {
		word := "at " + l.Address + ":" + l.Port
		if l.TLS {
			word += " by TLS"
		}
		if l.RDMA {
			word += " over RDMA"
		}
		parts = append(parts, word)
	}
	slices.Sort(parts)
	if s.AnyHost {
		parts = append(parts, "for any host")
	}
	for _, h := range s.Hosts {
		word := "for " + string(h)
		if k := s.Keys[h]; !k.IsZero() {
			word += " with " + k.Key + " " + k.CtrlKey
			if k.PSK != "" {
				word += " " + k.PSK
			}
		}
		parts = append(parts, word)
	}
	return strings.Join(append([]string{"there"}, parts...), ", ")
}
