package recipe

import (
	"fmt"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
	"strata/takeover"
)

// kernelDevice is a block device of a node's kernel, as which its target shows a
// bdev: by ublk or by nbd, which differ in words and calls only. Its I/O cannot be
// held, and nobody but users of that node reaches it.
type kernelDevice struct {
	node lineage.Node
	kind string // "ublk", "nbd"
	path string
	slot string // what it takes up on its node: "id 3", or the path

	taken   string // of its slot, in words
	another string // what to choose instead
	without string // what to do where the target does not serve its kind

	method string // that makes it; a target that does not serve its kind has it not
	start  func(bdev string) plan.Op
	stop   plan.Op
	shows  func(at *state.Node) (bdev string, there bool)
	is     func(state.Holder) bool
	key    string // in devices.freed
}

func ublkDevice(n lineage.Node, id int) *kernelDevice {
	slot := fmt.Sprintf("id %d", id)
	return &kernelDevice{
		node: n, kind: "ublk", path: fmt.Sprintf("/dev/ublkb%d", id), slot: slot,
		taken: "ublk " + slot, another: "choose another id", without: "build SPDK with --with-ublk, or export it another way",
		method: "ublk_start_disk",
		start:  func(bdev string) plan.Op { return plan.UblkStart{At: plan.At{Node: n}, ID: id, Bdev: bdev} },
		stop:   plan.UblkStop{At: plan.At{Node: n}, ID: id},
		shows:  func(at *state.Node) (string, bool) { bdev, there := at.Ublk[id]; return bdev, there },
		is:     func(h state.Holder) bool { return h.Ublk >= 0 && h.Ublk == id },
		key:    fmt.Sprint(n, id),
	}
}

func nbdDevice(n lineage.Node, path string) *kernelDevice {
	return &kernelDevice{
		node: n, kind: "nbd", path: path, slot: path,
		taken: path, another: "choose another device", without: "export it another way",
		method: "nbd_start_disk",
		start:  func(bdev string) plan.Op { return plan.NBDStart{At: plan.At{Node: n}, Path: path, Bdev: bdev} },
		stop:   plan.NBDStop{At: plan.At{Node: n}, Path: path},
		shows:  func(at *state.Node) (string, bool) { bdev, there := at.NBD[path]; return bdev, there },
		is:     func(h state.Holder) bool { return h.NBD != "" && h.NBD == path },
		key:    fmt.Sprint(n, path),
	}
}

// kernelDevice is the device as which a node is to show the volume; nil when hosts
// are to reach it otherwise.
func (s *subject) kernelDevice(n lineage.Node) *kernelDevice {
	switch s.v.Export.Kind {
	case schema.ExportUblk:
		return ublkDevice(n, s.v.Export.UblkID)
	case schema.ExportNBD:
		return nbdDevice(n, s.v.Export.NBD)
	}
	return nil
}

// kernelOnly reports whether the volume is exported in a way that cannot be held.
func (s *subject) kernelOnly() bool { return s.kernelDevice(s.engine) != nil }

// kernelExport reports whether the kernel of a node shows the volume: such a
// device cannot be held.
func (s *subject) kernelExport() bool {
	for _, e := range s.inc.Exports {
		if e.Subsystem == nil {
			return true
		}
	}
	return false
}

// showable says why a node cannot show the volume to hosts as configured; "" when it can.
func (s *subject) showable(at *state.Node) string {
	if why, _ := takeover.Unable(s.b.cfg, s.v, s.b.w.Snapshot, at.Name); why != "" {
		return why
	}
	if why := s.unsendable(at.Name); why != "" {
		return why
	}
	d := s.kernelDevice(at.Name)
	if d == nil {
		return ""
	}
	if bdev, _ := d.shows(at); !at.Can(d.method) || bdev != "" {
		return fmt.Sprintf("%s has no %s, or %s is taken there", at.Name, d.kind, d.slot)
	}
	return ""
}

// startDevice makes the engine's kernel show a bdev.
func (s *subject) startDevice(d *kernelDevice, bdev string) {
	at := s.b.w.Nodes[d.node]
	if shown, there := d.shows(at); there {
		if !same(at, shown, bdev) {
			s.b.block("volume "+s.v.Name, s.v.At("export"), d.another, "%s on %s shows %s", d.taken, d.node, shown)
		}
		return
	}
	if !at.Can(d.method) {
		s.b.block("volume "+s.v.Name, s.v.At("export"), d.without, "the target on %s has no %s", d.node, d.kind)
		return
	}
	if d.kind == "ublk" {
		s.ublkTarget(at)
	}
	s.sec.after(s.b.devices.freed[d.key])
	s.sec.then(because(s.v.At("export"), "%s on %s", d.path, d.node), plan.RiskCreate, d.start(bdev))
}

// ublkTarget makes what a node's first ublk device needs.
func (s *subject) ublkTarget(at *state.Node) {
	made := s.b.devices.ublk
	if len(at.Ublk) == 0 && !made[at.Name] {
		made[at.Name] = true
		s.b.section(plan.NodeKey(at.Name)).beside(0, because(s.v.At("export"), "%s serves ublk devices", at.Name), plan.RiskCreate, plan.UblkTarget{At: plan.At{Node: at.Name}})
	}
	if made[at.Name] {
		s.sec.after(plan.NodeKey(at.Name))
	}
}
