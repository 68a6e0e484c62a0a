package main

import (
	"fmt"
	"strings"

	"github.com/hashicorp/go-multierror"

	"strata/apply"
	"strata/plan"
	"strata/report"
	"strata/schema"
	"strata/spdk"
)

// failures is the error of sections that could not be carried out. It says what
// was attempted where, what the target answered, how the volume is now, and what
// to do next.
func failures(cfg *schema.Config, r *apply.Result) error {
	now := report.Build(cfg, r.Snapshot)
	var errs *multierror.Error
	for _, f := range r.Failures {
		errs = multierror.Append(errs, ended{f, standing(now, f.Section)})
	}
	errs.ErrorFormat = func(list []error) string {
		what := "1 section could not be carried out:"
		if len(list) != 1 {
			what = fmt.Sprintf("%d sections could not be carried out:", len(list))
		}
		for _, err := range list {
			what += "\n  " + err.Error()
		}
		return what
	}
	return errs
}

type ended struct {
	apply.Failure
	now string // how the volume is
}

func (f ended) Error() string {
	lines := []string{f.Section + ": " + inLine(plan.Words(f.Step.Op)), inLine(f.Err.Error())}
	if f.Step.Reason != "" {
		lines = append(lines, "it was to be done because: "+inLine(f.Step.Reason))
	}
	if f.now != "" {
		lines = append(lines, "now "+f.now)
	}
	return strings.Join(append(lines, next(f.Failure)), "\n      ")
}

func (f ended) Unwrap() error { return f.Err }

// standing says how the volume of a section is.
func standing(now *report.Report, section string) string {
	name, ok := strings.CutPrefix(section, string(plan.KindVolume)+" ")
	if !ok {
		return ""
	}
	for _, v := range now.Volumes {
		if v.Name != name {
			continue
		}
		text := fmt.Sprintf("the volume is %s", v.Health)
		if v.Why != "" {
			text += ": " + inLine(v.Why)
		}
		text += fmt.Sprintf("; %d of %d replicas are current", v.Current, v.Wanted)
		if v.Engine != "" {
			text += fmt.Sprintf("; %s serves it", v.Engine)
		}
		return text
	}
	return ""
}

// next says what to do about a failure.
func next(x apply.Failure) string {
	node := x.Step.Op.On()
	if _, disk := x.Step.Op.(plan.DiskAttach); disk && spdk.ClassOf(x.Err) == spdk.NotFound {
		return fmt.Sprintf("see that the disk is there on %s, or name another path for the pool, and apply again", node)
	}
	if a, ok := x.Step.Op.(plan.ControllerAttach); ok {
		return fmt.Sprintf("see that %s reaches %s:%s, where its peer listens, and apply again", node, a.Address, a.Port)
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
	return "mend the cause and apply again"
}
