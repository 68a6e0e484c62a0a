package sweep

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"strata/lineage"
	"strata/plan"
	"strata/plan/plantest"
	"strata/schema"
	"strata/spdk/sim"
)

// nodes are those of every scenario.
var nodes = []string{"n1", "n2", "n3"}

// scenario is a story of one step a line, one of which is swept:
//
//	profile NAME                 targets of that build, rather than stock
//	apply FILE [RELEASED...]     carry a configuration out; names released for destruction
//	host VOLUME [reads]          a host uses the volume from here on
//	paths VOLUME                 a host uses it by all of its paths at once, and loses its disk when none has it
//	linux VOLUME                 as paths; a path on which a target gives no sign of life is given up
//	sides VOLUME                 three more machines use it, each by one node alone
//	discards VOLUME              another machine uses it, which discards what it writes
//	zero VOLUME                  its host writes zeroes to all that it does not use
//	pair VOLUME VOLUME           one host uses both: what it writes to the second it has written to the first
//	leave VOLUME                 its host leaves
//	fault RULE                   trouble as sim.ParseRule reads it
//	up NODE...                   targets start again
//	agent NODE WORD...           its machine has a fence agent, which is as machine.does has it
//	on NODE                      somebody sees to it that it has power, from here on
//	replace NODE                 its disk, while its target is away, by an empty one
//	decay NODE VOLUME@SNAPSHOT   a bit of its copy flips, and a scrub has found that
//	legacy NODE...               their lvstores have the names that they had before there were ids
//	now SECONDS                  the time that schedules go by, from here on
//	wait TIME
//	sweep FILE [RELEASED...]     the apply in which things go wrong; failover=VOLUME is --failover, in that one alone;
//	                             rebalance=SHARE: pools are brought so close to one another, in each try, as strata rebalance does;
//	                             trim=VOLUME: instead of that it is trimmed, as by strata trim, and once more when all is as configured
//	watched FILE                 instead of that: a watch keeps a configuration, and while it does, things go wrong
//	edit FILE                    meanwhile, as fault, up, on and wait after "watched": it keeps another one from here on;
//	                             after "sweep" up, on and wait come when the apply has ended, and before the next
//	same VOLUME VOLUME@SNAPSHOT  in the end the first has what the snapshot has
//	keeps VOLUME SNAPSHOT        one that was taken on schedule stays
//
// One with "watched" in which no configuration says what links do of a lost peer is two:
// its links drop it, and in the other, whose name ends in "-wait", they wait.
//
// A configuration that says "// without NODE" does not have that node, and one that
// says "// retired NAME" says so of that node or pool. One that says "// addresses" has
// nodes of two addresses each.
type scenario struct {
	name    string
	profile sim.Profile
	steps   []step // up to the sweep
	after   []step // what happens while there is a watch, and what has to hold in the end
}

// watched reports whether a watch is swept.
func (sc *scenario) watched() bool { return sc.last().verb == "watched" }

// kills reports whether something happens to nodes while there is a watch.
func (sc *scenario) kills() bool { return len(sc.ends("fault")) > 0 }

// lasts is how long the longest of these takes, the trouble of the sweep left aside: that may
// come when it is over.
func (sc *scenario) lasts() (most time.Duration) {
	for _, s := range sc.ends("fault") {
		most = max(most, s.rule.For, s.rule.Back)
	}
	return most
}

// first is the configuration that there is first.
func (sc *scenario) first() *schema.Config {
	i := slices.IndexFunc(sc.steps, func(s step) bool { return s.cfg != nil })
	return sc.steps[i].cfg
}

// final is the configuration that there is in the end.
func (sc *scenario) final() *schema.Config {
	if edits := sc.ends("edit"); len(edits) > 0 {
		return edits[len(edits)-1].cfg
	}
	return sc.last().cfg
}

// configs are all that there are of it.
func (sc *scenario) configs() (all []*schema.Config) {
	for _, s := range slices.Concat(sc.steps, sc.after) {
		if s.cfg != nil {
			all = append(all, s.cfg)
		}
	}
	return all
}

// ends are the steps of a verb that come after the sweep.
func (sc *scenario) ends(verb string) (steps []step) {
	for _, s := range sc.after {
		if s.verb == verb {
			steps = append(steps, s)
		}
	}
	return steps
}

// last is the step that is swept.
func (sc *scenario) last() step { return sc.steps[len(sc.steps)-1] }

type step struct {
	verb string
	args []string
	cfg  *schema.Config
	rule sim.Rule
	wait time.Duration
	now  int64
	word map[string]bool // volumes of which the operator says that their engine's node is off
	// within is how close pools are brought to one another; 0 where they are not.
	within float64
	trim   map[string]bool // volumes that are trimmed, and nothing else done
}

// happens reports whether it happens, and is not what has to hold.
func (s step) happens() bool { return s.verb != "same" && s.verb != "keeps" }

func (s step) options(nonce byte) plan.Options {
	return plan.Options{Nonce: []byte{nonce}, Now: s.now, AllowDestroy: plantest.Grants(s.args[1:]...), Authority: map[string]lineage.Node{}, Failover: s.word}
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
		archive, err := txtar.ParseFile(f)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(filepath.Base(f), ".txtar")
		s, err := readScenario(archive, name, dir, *waits)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		if all = append(all, s); !s.watched() || *waits || strings.Contains(string(txtar.Format(archive)), "\nlinks:") {
			continue
		}
		if s, err = readScenario(archive, name+"-wait", dir, true); err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// readScenario reads one; links wait for a lost peer if nothing else is said.
func readScenario(archive *txtar.Archive, name, dir string, wait bool) (*scenario, error) {
	var err error
	s := &scenario{name: name, profile: sim.Stock}
	configs := map[string]*schema.Config{}
	for _, f := range archive.Files {
		if configs[f.Name], err = config(dir, s.name+"-"+f.Name, string(f.Data), wait); err != nil {
			return nil, err
		}
	}
	now, swept := int64(0), false
	for line := range strings.Lines(string(archive.Comment)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		st := step{verb: words[0], args: words[1:], now: now}
		if st.verb == "profile" {
			if s.profile, err = sim.ParseProfile(st.args[0]); err != nil {
				return nil, err
			}
			continue
		}
		switch st.verb {
		case "apply", "sweep", "watched", "edit":
			if st.cfg = configs[st.args[0]]; st.cfg == nil {
				err = fmt.Errorf("there is no %s", st.args[0])
			}
			st.word = map[string]bool{}
			st.args = slices.DeleteFunc(st.args, func(a string) bool {
				if share, ok := strings.CutPrefix(a, "rebalance="); ok {
					st.within, err = strconv.ParseFloat(share, 64)
					return true
				}
				if v, ok := strings.CutPrefix(a, "trim="); ok {
					st.trim = map[string]bool{v: true}
					return true
				}
				v, ok := strings.CutPrefix(a, "failover=")
				if ok {
					st.word[v] = true
				}
				return ok
			})
		case "fault":
			st.rule, err = sim.ParseRule(strings.Join(st.args, " "))
		case "wait":
			st.wait, err = time.ParseDuration(st.args[0])
		case "now":
			now, err = strconv.ParseInt(st.args[0], 10, 64)
		case "host", "paths", "linux", "sides", "agent", "on", "discards", "zero", "pair", "leave", "up", "replace", "legacy", "decay":
		case "same", "keeps":
			if !swept {
				err = fmt.Errorf("%s comes after the sweep", st.verb)
			}
		default:
			err = fmt.Errorf("%q is no step", st.verb)
		}
		if happens := swept && st.happens(); happens && !s.watched() && !slices.Contains([]string{"up", "on", "wait"}, st.verb) || st.verb == "edit" && !happens {
			err = fmt.Errorf("%s is out of place", st.verb)
		}
		if err != nil {
			return nil, err
		}
		if swept {
			s.after = append(s.after, st)
		} else {
			s.steps = append(s.steps, st)
		}
		swept = swept || st.verb == "sweep" || st.verb == "watched"
	}
	if !swept {
		return nil, fmt.Errorf("a step is to be sweep")
	}
	return s, nil
}

// config makes a configuration of the three nodes and what a scenario adds.
func config(dir, name, volumes string, wait bool) (*schema.Config, error) {
	text := "package lab\n\ncluster: \"lab\"\n"
	for line := range strings.Lines(volumes) {
		if gone, ok := strings.CutPrefix(strings.TrimSpace(line), "// retired "); ok {
			text += fmt.Sprintf("retired: [%q]\n", gone)
		}
	}
	if wait && !strings.Contains(volumes, "links:") {
		text += "links: {loss: \"wait\", patience: \"2s\"}\n"
	}
	for i, n := range nodes {
		if strings.Contains(volumes, "// without "+n+"\n") {
			continue
		}
		rpc := "unix:///" + n
		if strings.Contains(volumes, "dhchap") || strings.Contains(volumes, "psk") || strings.Contains(volumes, "auth: ") {
			rpc = "ssh://root@" + n + "/" + n // keys are put there
		}
		address := fmt.Sprintf("%q", fmt.Sprintf("10.0.0.%d", i+1))
		if strings.Contains(volumes, "// addresses\n") {
			address = fmt.Sprintf("[%s, \"10.1.0.%d\"]", address, i+1)
		}
		text += fmt.Sprintf("nodes: %s: {rpc: %q, address: %s, pools: fast: {aio: \"/dev/disk\", format: true, clusterSize: 128Ki}}\n", n, rpc, address)
	}
	file := filepath.Join(dir, name+".cue")
	if err := os.WriteFile(file, []byte(text+volumes), 0o644); err != nil {
		return nil, err
	}
	return schema.Load([]string{file}, nil)
}
