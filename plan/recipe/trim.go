package recipe

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// trim frees what of a volume reads as zero, if that is asked for, and nothing else is to be
// done to it. A zero that was written takes room as any other byte, until it is discarded. That changes
// nothing of what is read only while nobody writes, and where what was freed reads as zeroes,
// also from a cluster that is written to again in part. Ladder:
//
//	unused   no host is connected
//	apart    listener and namespace away: nobody can write
//	trimmed  the engine's node shows the volume to strata, which reads it, and discards
//	         what is zero through the mirror, on all legs alike
//	serving  namespace and listener, as before
//
// A crash before the last leaves a volume that hosts do not reach, and maybe shown to strata:
// the next plan ends that (untrimmed), and serves it. What was discarded by then reads as it did.
func (s *subject) trim() result {
	b := s.b
	if !b.opt.Trim.Volumes[s.v.Name] || b.w.Trimmed(s.id) {
		return idle
	}
	if why, hint := s.untrimmable(); why != "" {
		b.block("volume "+s.v.Name, s.v.Pos, hint, "it is not trimmed: %s", why)
		return blocked
	}
	unit, why := s.unit()
	if why != "" {
		b.block("volume "+s.v.Name, s.v.Pos, "", "it is not trimmed: %s", why)
		return blocked
	}
	asked := because(schema.Pos{}, "%s is to be trimmed, and hosts do not reach it meanwhile", s.v.Name)
	nqn := b.cfg.Cluster.ExportNQN(s.id)
	if b.w.Nodes[s.engine].Subsystems[nqn] != nil {
		s.sec.then(asked, plan.RiskCreate, plan.ExpectUnused{At: plan.At{Node: s.engine}, NQN: nqn})
	}
	s.goDown(asked, atExport-1)
	b.copies[s.engine]++
	s.sec.then(asked, plan.RiskCopy, plan.Trim{
		At: plan.At{Node: s.engine}, Volume: s.id, Bdev: s.Device, Unit: unit, Bytes: s.Legs[0].Head.Lvol.Size, Proven: b.proven(s.engine),
	})
	s.reread()
	s.start()
	return acted
}

// untrimmable says why a volume cannot be trimmed, and what would help; "" when it can.
func (s *subject) untrimmable() (why, hint string) {
	switch {
	case s.sec.steps() > 0:
		return "something else is to be done to it first", "strata apply does it"
	case s.v.Part != nil:
		return "it is laid out over parts, and what of these is freed together nobody knows", ""
	case s.v.Encrypted() || len(s.inc.Ciphers)+len(s.inc.Beneath) > 0:
		return "it is encrypted: what was freed would read as garbage, and not as zeroes", ""
	case s.Engine == "" || s.Device == "":
		return "no engine serves it", ""
	case s.Slots > len(s.Legs):
		return "it has lost a replica", "strata apply mends it"
	case s.kernelOnly() || s.kernelExport():
		return "a kernel device shows it, and nobody knows who uses that", "export it over NVMe/TCP, or not at all, for the time"
	case len(s.layered) > 0:
		return fmt.Sprintf("it has layer %s, and above a layer a discard frees nothing", s.layered[0].name), "take its snapshots out of the configuration first"
	}
	for _, leg := range s.Legs {
		head := leg.Head.Lvol
		if head.Parent != "" || head.External != "" {
			return fmt.Sprintf("its replica on %s stands on a layer, and above a layer a discard frees nothing", leg.Node), "detach it first, if it is a clone"
		}
		if why, hint := s.b.keepsFreed(leg.Place()); why != "" {
			return why, hint
		}
	}
	if full := s.full(s.engine); full != "" {
		return full, "try it again later"
	}
	return "", ""
}

// keepsFreed says why what was freed in a pool may not read as zeroes, and what would help.
func (b *builder) keepsFreed(at lineage.Place) (why, hint string) {
	disk := b.w.Nodes[at.Node].DiskOf(at.Lvstore)
	switch {
	case disk == nil:
		return fmt.Sprintf("nobody knows what disk %s on %s is on", at.Lvstore, at.Node), ""
	case disk.Keeps:
		return fmt.Sprintf("%s on %s discards nothing: a cluster that was freed would show what it had", disk.Path, at.Node), ""
	case disk.Kind == string(schema.NVMe) && !b.opt.Trim.Zeroes && !b.saidZeroes(at):
		return fmt.Sprintf("%s on %s may read anything where it was discarded", disk.Path, at.Node),
			readsZeroes + ", or for this once --discards-read-zero"
	}
	return "", ""
}

// saidZeroes reports whether the configuration says of a pool that what was discarded reads as
// zero there.
func (b *builder) saidZeroes(at lineage.Place) bool {
	n := b.cfg.Node(at.Node)
	return n != nil && slices.ContainsFunc(n.Pools, func(p *schema.Pool) bool { return p.Lvstore == at.Lvstore && p.Zeroes })
}

// unit is what is discarded at a time, in bytes: whole clusters on every leg; or it says why
// there is none.
func (s *subject) unit() (n int64, why string) {
	for _, leg := range s.Legs {
		n = max(n, clusterSize(s.b.w.Nodes[leg.Node], leg.Head.Lvol.Lvstore))
	}
	for _, leg := range s.Legs {
		if c := clusterSize(s.b.w.Nodes[leg.Node], leg.Head.Lvol.Lvstore); c == 0 || n%c != 0 {
			return 0, fmt.Sprintf("the clusters of %s on %s and those of its other replicas do not begin together", leg.Head.Lvol.Lvstore, leg.Node)
		}
	}
	return n, ""
}

// untrimmed ends what an interrupted trim has left of the volume: shown to strata it cannot
// be shown to hosts.
func (s *subject) untrimmed() result {
	before := s.tally()
	s.hide(s.id, because(s.v.Pos, "the run that trimmed %s is over", s.v.Name))
	return s.since(before)
}
