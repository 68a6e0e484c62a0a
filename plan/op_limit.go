package plan

import (
	"fmt"

	"strata/schema"
)

// HostLimit is bdev_set_qos_limit: what hosts get of what they are shown.
type HostLimit struct {
	At
	Bdev   string // a RAID, or the UUID of a leg
	Label  Label
	Limits schema.Limits // as targets take them
}

// Words are what is limited, and to what.
func (op HostLimit) Words() string {
	if op.Limits == (schema.Limits{}) {
		return fmt.Sprintf("lift the limits of %s", op.Label)
	}
	return fmt.Sprintf("limit %s to %s", op.Label, op.Limits)
}

// Facts are that nobody waits for it.
func (op HostLimit) Facts() Facts { return Facts{RiskCreate, bdevNamed(op.Label), noHosts, noCopy} }
func (op HostLimit) key() key {
	return key{bdevNamed(op.Label), number(op.Limits.IOPS), number(op.Limits.Read), number(op.Limits.Write)}
}
func (op HostLimit) label(called func(string) Label) Op {
	op.Label = called(op.Bdev)
	return op
}
