package recipe

import (
	"cmp"
	"fmt"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// A target does not zero what a thin volume allocates: it shows what was there. So what is
// freed has to be discarded by then, and that is for the disk to do (clear). Whether it does, is tried
// when it is attached, but for NVMe disks, which have a discard or not; where it does not, it is
// attached so that it has no discard, for a mirror loses a leg that fails to.

// readsZeroes is how a person finds out what an NVMe disk reads where it was discarded, and says so.
const readsZeroes = `look with nvme id-ns -H: if it says of dlfeat that it reads 00h, write clear: "zeroes"`

// noteKept says of a pool that what was in its freed clusters stays there, or may, though it is not to.
func (b *builder) noteKept(at *state.Node, p *pool) {
	if p.conf.Keeps || p.state == poolHidden || p.state == poolBlank {
		return
	}
	disk := cmp.Or(at.DiskOf(p.conf.Lvstore), findDisk(at, b.cfg.Cluster, p.conf))
	if disk == nil {
		return
	}
	how, hint := ", as it is attached, has no discard", "start the target again; if that is said then, too, the disk cannot discard: encrypt the volumes there"
	switch nvme := disk.Kind == string(schema.NVMe); {
	case disk.Keeps && nvme:
		how, hint = " has no discard", "encrypt the volumes there"
	case disk.Keeps && disk.Kind == string(schema.Uring):
		how, hint = " is used through io_uring, which has no discard", "use it as aio, or encrypt the volumes there"
	case disk.Keeps:
	case nvme && !p.conf.Zeroes:
		how, hint = " may read anything where it was discarded", readsZeroes+"; if not, encrypt the volumes there"
	default:
		return
	}
	b.note("pool "+string(p.node.Name)+"/"+p.conf.Name, p.conf.Pos, hint+fmt.Sprintf("; or write clear: %q", "none"),
		"volumes there may be shown what former ones have left: %s%s", p.conf.Path, how)
}

// tidyTrial deletes what was left by an attach that was interrupted while it tried whether the disk
// discards.
func (b *builder) tidyTrial(sec *section, at *state.Node, conf *schema.Pool) {
	if at.Lvols[conf.Lvstore+"/"+string(lineage.Trial)] != nil {
		sec.beside(0, because(conf.Pos, "it was made to find out whether the disk of %s discards what is freed", conf.Name), plan.RiskCreate,
			plan.TrialDelete{At: plan.At{Node: at.Name}, Lvstore: conf.Lvstore})
	}
}
