//go:build bench

package bench

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/load"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"strata/plan"
	"strata/plan/recipe"
	"strata/schema"
	"strata/spdk"
	"strata/state"
)

var (
	partName    = flag.String("part", "", "for a process that measures one part of a plan: its name")
	partFile    = flag.String("part-config", "", "and the configuration")
	partAnswers = flag.String("part-answers", "", "and the file of what targets answer")
)

// parts are what a plan with nothing to do consists of, and what that is held
// against. Each is measured in a process of its own that does nothing else, with
// the memory that the command has: it pays for every page as the command does.
var parts = []struct {
	name, words string
	prepare     func(*lab, *testing.T) func()
}{
	{"cue", "CUE's own load of the configuration: it is parsed, built and validated, and nothing is taken out", func(l *lab, t *testing.T) func() {
		return func() {
			if err := cuecontext.New().BuildInstance(load.Instances([]string{l.file}, nil)[0]).Validate(cue.Concrete(true)); err != nil {
				t.Fatal(err)
			}
		}
	}},
	{"load", "strata's load of the configuration", func(l *lab, t *testing.T) func() {
		return func() {
			if _, err := schema.Load([]string{l.file}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}},
	{"decode", "a bare decoding of all that the nodes answer, into the same types, with the JSON package that the client uses", func(_ *lab, t *testing.T) func() {
		text, err := os.ReadFile(*partAnswers)
		if err != nil {
			t.Fatal(err)
		}
		return func() {
			for line := range bytes.Lines(text) {
				method, result, _ := bytes.Cut(line, []byte("\t"))
				// As lenient as the client is.
				if err := json.Unmarshal(result, into(string(method)), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
					t.Fatal(string(method), err)
				}
			}
		}
	}},
	{"read", "strata's reading of all nodes, with their connections made", func(l *lab, t *testing.T) func() {
		cfg, targets := l.load()
		return func() { whole(t, state.Read(context.Background(), cfg.Cluster, targets)) }
	}},
	{"plan", "planning", func(l *lab, t *testing.T) func() {
		cfg, targets := l.load()
		snap := state.Read(context.Background(), cfg.Cluster, targets)
		whole(t, snap)
		return func() {
			if p, err := recipe.Build(cfg, snap, plan.Options{}); err != nil || !p.Empty() {
				t.Fatal("there is something to do, or", err)
			}
		}
	}},
}

const partTook = "the part took "

// TestPart measures one part, in a process that part has started.
func TestPart(t *testing.T) {
	for _, p := range parts {
		if p.name == *partName {
			do := p.prepare(&lab{t: t, file: *partFile}, t)
			runtime.GC() // what was left over from that
			before := cpu()
			do()
			fmt.Printf("%s%v\n", partTook, cpu()-before)
		}
	}
}

// part measures a part.
func (l *lab) part(name, answers string) time.Duration {
	l.t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestPart$", "-part="+name, "-part-config="+l.file, "-part-answers="+answers)
	cmd.Env = append(os.Environ(), "GOGC=off", "GOMEMLIMIT=512MiB")
	out, err := cmd.CombinedOutput()
	_, text, found := strings.Cut(string(out), partTook)
	text, _, _ = strings.Cut(text, "\n")
	took, bad := time.ParseDuration(text)
	if err != nil || !found || bad != nil {
		l.t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return took
}

// into is what the answer to a method is decoded into.
func into(method string) any {
	switch method {
	case "bdev_get_bdevs":
		return new([]spdk.Bdev)
	case "bdev_lvol_get_lvstores":
		return new([]spdk.Lvstore)
	case "bdev_lvol_get_lvols":
		return new([]spdk.Lvol)
	case "bdev_raid_get_bdevs":
		return new([]spdk.Raid)
	case "nvmf_get_subsystems":
		return new([]spdk.Subsystem)
	case "nvmf_get_transports":
		return new([]spdk.Transport)
	case "nvmf_subsystem_get_listeners":
		return new([]spdk.Listener)
	case "bdev_nvme_get_controllers":
		return new([]spdk.Controller)
	}
	return new(any)
}
