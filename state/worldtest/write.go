package worldtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/state"
)

// limit is what size reads; 0Mi for no limit.
func limit(n int64) string {
	if n == 0 {
		return "0Mi"
	}
	return amount.Bytes(n)
}

// Write is the inverse, sorted: what a plan would leave.
func Write(s *state.Snapshot) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.Nodes)) {
		n := s.Nodes[name]
		put := func(f ...any) { fmt.Fprintln(&b, append([]any{name}, f...)...) }
		put()
		if n.Unknown != "" {
			put("unread", n.Unknown)
			continue
		}
		if n.TCP {
			put("tcp")
		}
		if n.RDMA {
			put("rdma")
		}
		for _, k := range slices.Sorted(maps.Keys(n.Disks)) {
			f := []any{"disk", n.Disks[k].Path, k}
			if n.Disks[k].Claimed {
				f = append(f, "claimed")
			}
			if n.Disks[k].Keeps {
				f = append(f, "keeps")
			}
			if size := n.Disks[k].BlockSize; size != 4096 {
				f = append(f, fmt.Sprintf("blocks=%d", size))
			}
			put(f...)
		}
		for _, k := range slices.Sorted(maps.Keys(n.Lvstores)) {
			l := n.Lvstores[k]
			put("lvstore", k, l.Base, amount.Bytes(l.ClusterSize), max(l.TotalClusters, 1024))
		}
		for _, k := range slices.Sorted(maps.Keys(n.Lvols)) {
			l := n.Lvols[k]
			if _, is := lineage.ParseMember(l.Name); is {
				continue // as Remind adds them
			}
			f := []any{"lvol", k, l.UUID, amount.Bytes(l.Size), l.Allocated}
			if l.Parent != "" {
				f = append(f, "parent="+string(l.Parent))
			}
			if l.External != "" {
				f = append(f, "esnap="+l.External)
			}
			if l.Degraded {
				f = append(f, "degraded")
			}
			put(f...)
		}
		for _, k := range slices.Sorted(maps.Keys(n.Controllers)) {
			c := n.Controllers[k]
			f := []any{"controller", k, c.NQN, c.State, c.Address, c.Port}
			for _, a := range c.Alternates {
				f = append(f, a.Address)
			}
			if c.RDMA {
				f = append(f, "rdma")
			}
			put(f...)
		}
		copies := n.Copies()
		for _, u := range slices.Sorted(maps.Keys(n.Remotes)) {
			f := []any{"remote", n.Remotes[u].Bdev, u, amount.Bytes(n.Remotes[u].Size)}
			if n.Remotes[u].Absent {
				f = append(f, "absent")
			}
			if slices.Contains(copies, n.Remotes[u]) {
				f = append(f, "claimed")
			}
			put(f...)
		}
		for _, k := range slices.Sorted(maps.Keys(n.Raids)) {
			f := []any{"raid", k, n.Raids[k].State}
			for _, l := range n.Raids[k].Legs {
				switch {
				case l.UUID == "":
					f = append(f, "-")
				case n.Raids[l.Base] != nil || n.Ciphers[l.Base] != (state.Cipher{}):
					f = append(f, l.Base)
				default:
					f = append(f, l.UUID)
				}
			}
			if laid := n.Raids[k].Laid; laid != nil {
				how := "concat"
				if laid.Striped {
					how = "raid0"
				}
				if how += fmt.Sprintf("=%d", laid.StripKiB); laid.Size > 0 {
					how += "," + amount.Bytes(laid.Size)
				}
				f = append(f, how)
			}
			if n.Raids[k].Stalled {
				f = append(f, "stalled")
			}
			if n.Raids[k].Rebuilding != "" {
				f = append(f, "filling="+n.Raids[k].Rebuilding)
			}
			put(f...)
		}
		for _, p := range n.Discovery.Listeners {
			put("discovery", p.Address, p.Port)
		}
		for _, p := range n.Discovery.Referrals {
			put("referral", p.Address, p.Port)
		}
		if n.TLSBuffer > 0 {
			put("tlsbuffer", n.TLSBuffer)
		}
		for _, k := range slices.Sorted(maps.Keys(n.Keyring)) {
			put("key", k, n.Keyring[k])
		}
		for _, k := range slices.Sorted(maps.Keys(n.KeyFiles)) {
			put("keyfile", k)
		}
		if n.KeyFilesUnread != "" {
			put("keyfiles", "unread", n.KeyFilesUnread)
		}
		for _, k := range slices.Sorted(maps.Keys(n.Ciphers)) {
			put("cipher", k, n.Ciphers[k].Base)
		}
		var keys []string
		for v, check := range n.Keyed {
			keys = append(keys, v.String()+" "+string(check))
		}
		slices.Sort(keys)
		for _, k := range keys {
			put("sealing", k)
		}
		for _, k := range slices.Sorted(maps.Keys(n.Subsystems)) {
			sub := n.Subsystems[k]
			f := []any{"subsystem", k}
			if sub.AnyHost {
				f = append(f, "any")
			}
			for _, h := range sub.Hosts {
				word := "host=" + string(h)
				if k := sub.Keys[h]; !k.IsZero() {
					word = strings.TrimRight(word+","+k.Key+","+k.CtrlKey+","+k.PSK, ",")
				}
				f = append(f, word)
			}
			if !sub.IDs.Any() {
				f = append(f, "ids="+sub.IDs.String())
			}
			put(f...)
			for _, id := range slices.Sorted(maps.Keys(sub.Namespaces)) {
				put("namespace", k, id, sub.Namespaces[id].Bdev)
			}
			for _, l := range sub.Listeners {
				f := []any{"listen", k, l.Address, l.Port}
				if l.Paused {
					f = append(f, "paused")
				}
				if l.TLS {
					f = append(f, "tls")
				}
				if l.RDMA {
					f = append(f, "rdma")
				}
				put(f...)
			}
			if e := sub.Evidence; e != nil {
				f := []any{"asked", k}
				for _, h := range e.Connected {
					f = append(f, "connected="+string(h))
				}
				for _, b := range e.Failed {
					f = append(f, "failed="+b)
				}
				put(f...)
			}
		}
		for _, k := range slices.Sorted(maps.Keys(n.Ublk)) {
			put("ublk", k, n.Ublk[k])
		}
		for _, k := range slices.Sorted(maps.Keys(n.NBD)) {
			put("nbd", k, n.NBD[k])
		}
		for _, k := range slices.Sorted(maps.Keys(n.Limits)) {
			put("limits", k, n.Limits[k].IOPS, limit(n.Limits[k].Read), limit(n.Limits[k].Write))
		}
	}
	return b.String()
}
