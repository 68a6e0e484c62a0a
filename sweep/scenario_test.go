package sweep

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk/sim"
)

// nodes are those of every scenario.
var nodes = []string{"n1", "n2", "n3"}

// scenario is a story of one step a line, the last of which is swept:
//
//	apply FILE [RELEASED...]   carry a configuration out; names released for destruction
//	host VOLUME [reads]        a host uses the volume from here on
//	leave VOLUME               and no more
//	fault RULE                 trouble as sim.ParseRule reads it
//	up NODE...                 targets start again
//	wait TIME
//	sweep FILE [RELEASED...]   the apply in which things go wrong
type scenario struct {
	name  string
	steps []step
}

type step struct {
	verb string
	args []string
	cfg  *schema.Config
	rule sim.Rule
	wait time.Duration
}

func (s step) options(nonce byte) plan.Options {
	opt := plan.Options{Nonce: []byte{nonce}, AllowDestroy: map[string]bool{}, Authority: map[string]lineage.Node{}}
	for _, name := range s.args[1:] {
		opt.AllowDestroy[name] = true
	}
	return opt
}

// scenarios reads all of them, using dir for the configurations.
func scenarios(dir string) ([]*scenario, error) {
	files, err := filepath.Glob("../testdata/sweep/*.txtar")
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no scenarios: %v", err)
	}
	slices.Sort(files)
	var all []*scenario
	for _, f := range files {
		s, err := readScenario(f, dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		all = append(all, s)
	}
	return all, nil
}

func readScenario(file, dir string) (*scenario, error) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		return nil, err
	}
	s := &scenario{name: strings.TrimSuffix(filepath.Base(file), ".txtar")}
	configs := map[string]*schema.Config{}
	for _, f := range archive.Files {
		if configs[f.Name], err = config(dir, s.name+"-"+f.Name, string(f.Data)); err != nil {
			return nil, err
		}
	}
	for line := range strings.Lines(string(archive.Comment)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		st := step{verb: words[0], args: words[1:]}
		switch st.verb {
		case "apply", "sweep":
			if st.cfg = configs[st.args[0]]; st.cfg == nil {
				err = fmt.Errorf("there is no %s", st.args[0])
			}
		case "fault":
			st.rule, err = sim.ParseRule(strings.Join(st.args, " "))
		case "wait":
			st.wait, err = time.ParseDuration(st.args[0])
		case "host", "leave", "up":
		default:
			err = fmt.Errorf("%q is no step", st.verb)
		}
		if err != nil {
			return nil, err
		}
		s.steps = append(s.steps, st)
	}
	if len(s.steps) == 0 || s.steps[len(s.steps)-1].verb != "sweep" {
		return nil, fmt.Errorf("the last step is to be sweep")
	}
	return s, nil
}

// config makes a configuration of the three nodes and what a scenario adds.
func config(dir, name, volumes string) (*schema.Config, error) {
	text := "package lab\n\ncluster: \"lab\"\n"
	for i, n := range nodes {
		text += fmt.Sprintf("nodes: %s: {rpc: \"unix:///%s\", address: \"10.0.0.%d\", pools: fast: {aio: \"/dev/disk\", format: true}}\n", n, n, i+1)
	}
	file := filepath.Join(dir, name+".cue")
	if err := os.WriteFile(file, []byte(text+volumes), 0o644); err != nil {
		return nil, err
	}
	return schema.Load([]string{file}, nil)
}
