package plan

import "fmt"

// UblkTarget is ublk_create_target; one that is there already is fine.
type UblkTarget struct{ At }

func (op UblkTarget) Words() string { return "create the ublk target" }
func (op UblkTarget) Facts() Facts  { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op UblkTarget) key() key      { return nil }

// UblkStart is ublk_start_disk.
type UblkStart struct {
	At
	ID    int
	Bdev  string
	Label Label
}

func (op UblkStart) Words() string { return fmt.Sprintf("show %s as /dev/ublkb%d", op.Label, op.ID) }
func (op UblkStart) Facts() Facts  { return Facts{RiskCreate, bdevNamed(op.Label), noHosts, noCopy} }
func (op UblkStart) key() key      { return key{number(op.ID), bdevNamed(op.Label)} }
func (op UblkStart) label(called func(string) Label) Op {
	op.Label = called(op.Bdev)
	return op
}

// UblkStop is ublk_stop_disk.
type UblkStop struct {
	At
	ID int
}

func (op UblkStop) Words() string { return fmt.Sprintf("remove /dev/ublkb%d", op.ID) }
func (op UblkStop) Facts() Facts  { return Facts{RiskReduce, noVolume{}, noHosts, noCopy} }
func (op UblkStop) key() key      { return key{number(op.ID)} }

// NBDStart is nbd_start_disk.
type NBDStart struct {
	At
	Path  string
	Bdev  string
	Label Label
}

func (op NBDStart) Words() string { return fmt.Sprintf("show %s as %s", op.Label, op.Path) }
func (op NBDStart) Facts() Facts  { return Facts{RiskCreate, bdevNamed(op.Label), noHosts, noCopy} }
func (op NBDStart) key() key      { return key{text(op.Path), bdevNamed(op.Label)} }
func (op NBDStart) label(called func(string) Label) Op {
	op.Label = called(op.Bdev)
	return op
}

// NBDStop is nbd_stop_disk.
type NBDStop struct {
	At
	Path string
}

func (op NBDStop) Words() string { return fmt.Sprintf("remove %s", op.Path) }
func (op NBDStop) Facts() Facts  { return Facts{RiskReduce, noVolume{}, noHosts, noCopy} }
func (op NBDStop) key() key      { return key{text(op.Path)} }
