package main

import (
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"strata/lineage"
	"strata/schema"
	"strata/state"
	"strata/whatif"
)

// completes says with what the shell completes each flag and argument that is a name:
// names of the configuration, and of what nodes have where they answer soon.
var completes = map[string]func(*completion) []string{
	"tag":           (*completion).tags,
	"volume":        (*completion).volumes,
	"node":          (*completion).nodes,
	"failover":      (*completion).volumes,
	"only":          (*completion).objects,
	"except":        (*completion).objects,
	"if":            (*completion).losses,
	"authority":     (*completion).authorities,
	"allow-destroy": (*completion).releases,
	"from":          (*completion).archives,
	"to":            (*completion).archives,
}

// completesArgument has, by verb, what its arguments may be; first is for the first alone,
// and files follow.
var completesArgument = map[string]struct {
	of    func(*completion) []string
	first bool
}{
	"status": {of: (*completion).volumes},
	"wait":   {of: (*completion).volumes},
	"scrub":  {of: (*completion).volumes},
	"trim":   {of: (*completion).volumes},
	"unlock": {of: (*completion).nodes, first: true},
	"off":    {of: (*completion).nodes, first: true},
	"backup": {of: (*completion).snapshots, first: true},
	"export": {of: (*completion).snapshots, first: true},
	"init":   {of: (*completion).archives, first: true},
	"list":   {of: (*completion).archives, first: true},
	"verify": {of: (*completion).archives, first: true},
	"forget": {of: (*completion).archives, first: true},
	"prune":  {of: (*completion).archives, first: true},
}

// addCompletion has every command below one complete names.
func addCompletion(cmd *cobra.Command) {
	for name, of := range completes {
		if cmd.Flags().Lookup(name) != nil {
			_ = cmd.RegisterFlagCompletionFunc(name, func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
				return of(newCompletion(cmd, args)), cobra.ShellCompDirectiveNoFileComp
			})
		}
	}
	for _, name := range []string{"policy", "dir"} {
		if cmd.Flags().Lookup(name) != nil {
			_ = cmd.MarkFlagDirname(name)
		}
	}
	if of, ok := completesArgument[cmd.Name()]; ok && cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if of.first && len(args) > 0 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return of.of(newCompletion(cmd, args)), cobra.ShellCompDirectiveDefault
		}
	}
	for _, below := range cmd.Commands() {
		addCompletion(below)
	}
}

// completionWait is how long a shell waits for a configuration, and for nodes.
const completionWait = time.Second

// completion is what a command line says so far.
type completion struct {
	cmd *cobra.Command
	src source
	dir []string // the configuration
	cfg *schema.Config
}

func newCompletion(cmd *cobra.Command, args []string) *completion {
	c := &completion{cmd: cmd, src: source{evaluation: 5 * completionWait, timeout: completionWait}}
	c.src.tags, _ = cmd.Flags().GetStringArray("tag")
	c.src.secrets, _ = cmd.Flags().GetStringArray("secrets")
	for _, arg := range args {
		if _, err := os.Stat(arg); err == nil {
			c.dir = append(c.dir, arg)
		}
	}
	return c
}

// config is the configuration; an empty one where it cannot be read.
func (c *completion) config() *schema.Config {
	if c.cfg == nil {
		var err error
		if c.cfg, err = c.src.load(c.dir); err != nil {
			cobra.CompDebugln(err.Error(), false)
			c.cfg = &schema.Config{}
		}
	}
	return c.cfg
}

// found is what the nodes have.
func (c *completion) found() *state.Snapshot {
	targets, closeAll, err := c.src.connect(c.config())
	if err != nil {
		cobra.CompDebugln(err.Error(), false)
		return &state.Snapshot{}
	}
	defer closeAll()
	snap := state.Read(c.cmd.Context(), c.config().Cluster, targets)
	return snap.Within(c.config().Cluster, c.config().Lvstores, c.config().Disk)
}

func (c *completion) tags() []string {
	keys := schema.TagKeys(c.src.paths(c.dir))
	for i := range keys {
		keys[i] += "="
	}
	return keys
}

func (c *completion) nodes() []string { return nodeNames(c.config()) }

func (c *completion) volumes() []string { return sorted(volumeNames(c.config())) }

// losses are what may become of nodes.
func (c *completion) losses() (cases []string) {
	for _, n := range c.nodes() {
		for _, loss := range whatif.Losses {
			cases = append(cases, n+"="+string(loss))
		}
	}
	return cases
}

// objects are what describe is asked about.
func (c *completion) objects() (names []string) {
	for _, v := range c.volumes() {
		names = append(names, "volume/"+v)
	}
	for _, n := range c.nodes() {
		names = append(names, "node/"+n)
	}
	return names
}

func (c *completion) archives() (names []string) {
	for _, a := range c.config().Archives {
		names = append(names, a.Name)
	}
	return names
}

func (c *completion) authorities() (names []string) {
	for _, v := range c.volumes() {
		for _, n := range c.nodes() {
			names = append(names, v+"="+n)
		}
	}
	return names
}

// snapshots are those that are configured, and those on schedule that nodes have.
func (c *completion) snapshots() (names []string) {
	for _, v := range c.config().Volumes {
		for _, s := range v.Snapshots {
			names = append(names, v.Name+"@"+s)
		}
	}
	return sorted(append(names, slices.Collect(maps.Keys(c.layers()))...))
}

// layers are the snapshots that nodes have, and whose they are, as VOLUME@SNAPSHOT.
func (c *completion) layers() map[string]lineage.Layer {
	all := map[string]lineage.Layer{}
	for _, n := range c.found().Nodes {
		for _, l := range n.Lvols {
			if layer, ok := l.Parsed.(lineage.Layer); ok && !layer.Own {
				all[layer.Volume.Name+"@"+layer.Snapshot] = layer
			}
		}
	}
	return all
}

// releases are what may be released for destruction, as far as it can be seen without a
// plan: what is there and not configured, and replicas.
func (c *completion) releases() (names []string) {
	for _, n := range c.found().Nodes {
		for _, l := range n.Lvols {
			switch p := l.Parsed.(type) {
			case lineage.Head:
				if c.config().Shown(p.Volume.Name) == nil {
					names = append(names, p.Volume.Name)
				} else {
					names = append(names, p.Volume.Name+":"+string(n.Name))
				}
			case lineage.Layer:
				v := c.config().Volume(p.Volume.Name)
				if v != nil && !p.Own && !slices.Contains(v.Snapshots, p.Snapshot) && !strings.HasPrefix(p.Snapshot, schema.AutoPrefix) {
					names = append(names, p.Volume.Name+"@"+p.Snapshot)
				}
			}
		}
	}
	return sorted(names)
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
