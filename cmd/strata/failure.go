package main

import (
	"fmt"
	"strings"

	"github.com/hashicorp/go-multierror"

	"strata/amount"
	"strata/apply"
	"strata/lineage"
	"strata/plan"
	"strata/report"
	"strata/schema"
	"strata/spdk"
	"strata/state"
)

// failures is the error of sections that could not be carried out. It says what
// was attempted where, what the target answered, how the volume is now, and what
// to do next.
func failures(cfg *schema.Config, r *apply.Result) error {
	now := report.Build(cfg, r.Snapshot)
	var errs *multierror.Error
	for _, f := range r.Failures {
		errs = multierror.Append(errs, ended{f, volumeHealth(now, f.Section), next(f, r.Snapshot)})
	}
	errs.ErrorFormat = func(list []error) string {
		what := amount.Of(len(list), "section") + " could not be carried out:"
		for _, err := range list {
			what += "\n  " + err.Error()
		}
		return what
	}
	return errs
}

type ended struct {
	apply.Failure
	now  string // how the volume is
	next string // what to do about it
}

func (f ended) Error() string {
	lines := []string{f.Section.String() + ": " + inLine(f.Step.Op.Words()), inLine(f.Err.Error())}
	if f.Step.Reason != "" {
		lines = append(lines, "it was to be done because: "+inLine(f.Step.Reason))
	}
	if f.now != "" {
		lines = append(lines, "now "+f.now)
	}
	return strings.Join(append(lines, f.next), "\n      ")
}

func (f ended) Unwrap() error { return f.Err }

// volumeHealth says how the volume of a section is.
func volumeHealth(now *report.Report, section plan.Key) string {
	for _, v := range now.Volumes {
		if plan.VolumeKey(v.Name) != section {
			continue
		}
		text := fmt.Sprintf("the volume is %s", v.Health)
		if v.Why != "" {
			text += ": " + inLine(v.Why)
		}
		text += fmt.Sprintf("; %d of %s current", v.Current, amount.Of(v.Wanted, "replica"))
		if v.Engine != "" {
			text += fmt.Sprintf("; %s serves it", v.Engine)
		}
		return text
	}
	return ""
}

// defaultSubsystems is how many subsystems SPDK's targets hold unless they are
// told otherwise, the one of discovery included (v26.05, v24.09).
const defaultSubsystems = 1024

// fullTarget says that a target holds as many subsystems as it can; "" if that
// need not be why it makes none: it answers no more than that it cannot.
func fullTarget(name lineage.Node, s *state.Snapshot) string {
	if s == nil || s.Nodes[name] == nil || len(s.Nodes[name].Subsystems) < defaultSubsystems-1 {
		return ""
	}
	return fmt.Sprintf("%s has %s, and a target holds %d unless it is told otherwise: that is nvmf_set_max_subsystems, "+
		"which is to be called before framework_start_init, when the target is started with --wait-for-rpc; or serve volumes from other nodes (engine)",
		name, amount.Of(len(s.Nodes[name].Subsystems), "subsystem"), defaultSubsystems)
}

// next says what to do about a failure.
func next(x apply.Failure, s *state.Snapshot) string {
	node := x.Step.Op.On()
	if _, disk := x.Step.Op.(plan.DiskAttach); disk && spdk.ClassOf(x.Err) == spdk.NotFound {
		return fmt.Sprintf("see that the disk is there on %s, or name another path for the pool, and apply again", node)
	}
	if _, off := x.Step.Op.(plan.NodeOff); off {
		return fmt.Sprintf("see what is wrong with its fence agent (strata fence check --node %s), and apply again: an agent that says that %[1]s is off is believed, whoever switched it off", node)
	}
	if a, ok := x.Step.Op.(plan.AddressMove); ok {
		return fmt.Sprintf("hosts of the volume wait until %s is on %s: see what is wrong with %s, and apply again; where it is there already nothing is moved", a.Address, node, a.Program)
	}
	if a, ok := x.Step.Op.(plan.ExpectAddress); ok {
		return fmt.Sprintf("see what is wrong with %s, and apply again; the engine has not moved, and hosts go on", a.Program)
	}
	if a, ok := x.Step.Op.(plan.ControllerAttach); ok {
		at := a.Address + ":" + a.Port
		for _, o := range a.Others {
			at += " or " + o
		}
		return fmt.Sprintf("see that %s reaches %s, where its peer listens, and apply again", node, at)
	}
	if a, ok := x.Step.Op.(plan.AlternateAdd); ok && spdk.ClassOf(x.Err) == spdk.Invalid {
		return fmt.Sprintf("%s takes no further address: one that was attached by a strata that knew none does not, until the target of %s is started again; the link goes by the address that it has", a.Controller, node)
	}
	if a, ok := x.Step.Op.(plan.AlternateAdd); ok {
		return fmt.Sprintf("see that %s reaches %s, where its peer listens, and apply again; until then the link goes by the addresses that it has", node, a.Portal())
	}
	if k, ok := x.Step.Op.(plan.KeySend); ok {
		return fmt.Sprintf("see that the key can be read here, and that strata may run a shell on %s and write beside the target's socket, and apply again; %s is not let in until then", node, k.Host)
	}
	if k, ok := x.Step.Op.(plan.LinkKeysMake); ok {
		return fmt.Sprintf("see that strata may run a shell on %s and %s and write beside the targets' sockets, and apply again: others are made then", node, k.Keys.Link.From)
	}
	if k, ok := x.Step.Op.(plan.ControllerKeysSet); ok && spdk.ClassOf(x.Err) != spdk.Unreachable {
		return fmt.Sprintf("see that %s reaches the peer of %s, and apply again; a controller that did not prove itself does not come back, and is attached anew once it is waited for no longer", node, k.Controller)
	}
	if k, ok := x.Step.Op.(plan.KeyAdd); ok {
		return fmt.Sprintf("see that %s is there on %s, belongs to the user of the target, and that nobody else may read it (0600), and apply again", k.Path, node)
	}
	if psk, at := pskOf(x.Step.Op, s); psk != "" && spdk.ClassOf(x.Err) == spdk.Other {
		return fmt.Sprintf("see that %s on %s has a key as nvme gen-tls-key prints it and nothing behind it, no end of the line either, and apply again", at, node)
	}
	if a, ok := x.Step.Op.(plan.ListenerAdd); ok && spdk.ClassOf(x.Err) == spdk.Invalid {
		return fmt.Sprintf("see that %s is an address of %s, and that nothing else listens on port %s there; correct address or port of the node if not, and apply again", a.Address, node, a.Port)
	}
	if _, subsystem := x.Step.Op.(plan.SubsystemCreate); subsystem && spdk.ClassOf(x.Err) == spdk.Other {
		if text := fullTarget(node, s); text != "" {
			return text
		}
	}
	switch spdk.ClassOf(x.Err) {
	case spdk.NoSpace:
		return fmt.Sprintf("make room on %s, or ask for replicas elsewhere, and apply again", node)
	case spdk.Unreachable:
		return fmt.Sprintf("see that the target of %s answers, and apply again", node)
	case spdk.Unknown:
		return fmt.Sprintf("whether it took effect is not known; see that the target of %s answers, and apply again: it looks before it does anything", node)
	case spdk.Unsupported:
		return fmt.Sprintf("the target of %s cannot do this; build SPDK with what it takes, or ask for something else", node)
	case spdk.Exists, spdk.NotFound, spdk.Busy:
		return "something else may have changed it meanwhile; apply again, and if it fails again, see with status what is there"
	case spdk.NotPermitted, spdk.Invalid:
		return fmt.Sprintf("the target refuses this as things are there; its log on %s may say more; status shows what is there", node)
	}
	return "fix the cause and apply again"
}

// pskOf is the TLS key with which an op lets a host in, and the file that it is in; "" for none.
func pskOf(op plan.Op, s *state.Snapshot) (psk, file string) {
	switch op := op.(type) {
	case plan.HostAllow:
		psk = op.Keys.PSK
	case plan.HostExchange:
		psk = op.Keys.PSK
	default: // lets nobody in
	}
	file = "the file of key " + psk
	if s != nil && s.Nodes[op.On()] != nil {
		if path := s.Nodes[op.On()].Keyring[psk]; path != "" {
			file = path
		}
	}
	return psk, file
}
