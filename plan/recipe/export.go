package recipe

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// exportTier is how hosts reach the volume: a subsystem (subsystem.go), or a device
// of the engine's kernel (kernel.go). It gives nothing to a tier above.
type exportTier struct{}

func (exportTier) found(inc *state.Incarnation) (all []piece) {
	for _, e := range inc.Exports {
		all = append(all, exportPiece{e})
	}
	return all
}

// raise shows hosts a bdev as configured, and takes away every other way there is.
func (exportTier) raise(s *subject, bdev string) string {
	if s.v.Part != nil {
		return "" // with the others of its whole
	}
	s.inc = s.b.w.Incarnation(s.id)
	if s.b.unattended() && slices.ContainsFunc(s.inc.Exports, func(e state.Exported) bool { return e.Device != "" && s.unwanted(e) }) {
		return "" // it has to go first, and that is a person's
	}
	s.removeOthers()
	if d := s.kernelDevice(s.engine); d != nil {
		s.startDevice(d, bdev)
	} else if s.v.Export.Kind == schema.ExportNVMf {
		s.exportNVMf(bdev)
	}
	// What comes next must hold the hosts that are let in here.
	s.inc = s.b.w.Incarnation(s.id)
	return ""
}

// exportPiece is a subsystem or a kernel device on a node.
type exportPiece struct{ state.Exported }

func (e exportPiece) on() lineage.Node { return e.Node }
func (e exportPiece) bears() bool      { return e.Device != "" }
func (e exportPiece) stray(s *subject) reason {
	return because(s.v.Pos, "the engine of %s on %s is not believed any more", s.v.Name, e.Node)
}

func (e exportPiece) lower(s *subject, why reason) {
	if e.Subsystem != nil {
		s.lowerSubsystem(why, e.Exported)
		return
	}
	s.sec.then(why, plan.RiskReduce, e.ending())
}

func (e exportPiece) ending() plan.Op {
	if d := e.kernelDevice(); d != nil {
		return d.stop
	}
	return plan.SubsystemDelete{At: plan.At{Node: e.Node}, NQN: e.Subsystem.NQN}
}

// kernelDevice is the device that it is; nil for a subsystem.
func (e exportPiece) kernelDevice() *kernelDevice {
	switch {
	case e.Subsystem != nil:
		return nil
	case e.Ublk >= 0:
		return ublkDevice(e.Node, e.Ublk)
	}
	return nbdDevice(e.Node, e.NBD)
}

// export lets hosts reach the volume as configured, and in no other way.
func (s *subject) export() result {
	before := s.tally()
	s.comeUp(atExport)
	return s.since(before)
}

// bound says why the export must stay as it is: an engine that serves nobody is
// believed only by a majority of the replicas, and one of a single leg is not
// there without its export. Otherwise it is "".
func (s *subject) bound() string {
	if s.Engine == "" || !slices.ContainsFunc(s.inc.Exports, s.unwanted) {
		return ""
	}
	if !s.mirrors() && s.Legs[0].Head == nil {
		return fmt.Sprintf("its replica on %s cannot be read", s.Legs[0].Node)
	}
	return s.inc.Minority(s.b.question(s.v))
}

// unwanted reports whether an export is not configured: of another kind, or on
// a node that is no longer the engine.
func (s *subject) unwanted(e state.Exported) bool {
	is, want := exportPiece{e}.kernelDevice(), s.kernelDevice(s.engine)
	switch {
	case e.Node != s.engine:
		return true
	case is == nil:
		return s.v.Export.Kind != schema.ExportNVMf
	}
	return want == nil || is.kind != want.kind || is.slot != want.slot
}

// removeOthers ends the exports that are not configured.
func (s *subject) removeOthers() {
	if s.b.unattended() {
		return
	}
	for _, e := range s.inc.Exports {
		if s.v.Export.Standby > 0 && waits(e) {
			continue // it becomes a standby path once hosts are served, or goes then (standby.go)
		}
		if s.unwanted(e) {
			s.sec.then(because(s.v.At("export"), "%s is not exported this way on %s", s.v.Name, e.Node), plan.RiskReduce, exportPiece{e}.ending())
		}
	}
}

// serves reports whether hosts reach the volume already.
func (s *subject) serves() bool {
	return slices.ContainsFunc(s.inc.Exports, func(e state.Exported) bool {
		return e.Device != "" && (e.Subsystem == nil || len(e.Subsystem.Listeners) > 0)
	})
}

// same reports whether a bdev of a node is another under any name.
func same(at *state.Node, bdev, other string) bool {
	return bdev == other || at.Backing(bdev) != "" && at.Backing(bdev) == lineage.UUID(other)
}
