package main

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
	"github.com/spf13/cobra"

	"strata/amount"
	"strata/lineage"
	"strata/metrics"
	"strata/plan"
	"strata/schema"
	"strata/secret"
	"strata/spdk"
	"strata/spdk/rpclog"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "strata",
		Short: "Keeps replicated SPDK volumes as their owner described them",
		Long: `strata reads what you want from CUE files and what there is from every node's
spdk_tgt, prints the ordered plan between the two, and carries it out.
It keeps no state of its own: the storage itself is the state.

Environment:
  STRATA_RPC_PASSWORD     password of HTTP proxies for which no other is configured
  STRATA_SSH_KEY          file of the private key for ssh
  STRATA_SSH_KNOWN_HOSTS  file with the keys of hosts
  SSH_AUTH_SOCK           socket of the ssh agent
  STRATA_LEAD_PASSWORD    password of the user of etcd (watch --lead)
  STRATA_SECRETS          which secrets a configuration may use, and for which hosts (see --secrets)
  STRATA_FENCE_AGENTS     which fence agents a configuration may have run (see apply --fence-agents)
  STRATA_VIP_COMMANDS     which programs a configuration may have move addresses (see apply --vip-commands)
  NO_COLOR                no colours`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newPlan(), newApply(), newRebalance(), newWatch(), newStatus(), newDescribe(), newWait(), newGraph(), newValidate(), newExplain(), newSchema(), newSim(), newShow(), newImport(), newUnlock(), newFence(), newBackup(), newExport(), newScrub(), newTrim(), newVersion(), newMan(), newGuard())
	root.Version = describe() + " " + runtime.Version()
	root.SetVersionTemplate("strata {{.Version}}\n")
	root.Flags().Bool("version", false, "print strata's version")
	var plain bool
	root.PersistentFlags().BoolVar(&plain, "no-color", false, "no colours, as with NO_COLOR")
	root.PersistentPreRun = func(cmd *cobra.Command, _ []string) {
		if forPrograms(cmd) {
			stdout.width = nil
		}
		if plain {
			lipgloss.SetColorProfile(termenv.Ascii)
		}
	}
	addCompletion(root)
	layHelp(root)
	layMisuse(root)
	return root
}

// source is where a configuration comes from and how its nodes are reached.
type source struct {
	tags       []string
	vars       bool // tags take variables of the system, too
	timeout    time.Duration
	evaluation time.Duration
	debugRPC   string
	secrets    []string
	agents     []string // fence agents that may be run
	movers     []string // programs that move addresses, likewise
	archives   archives
	// trace and reached, if not nil, are told of calls and clients, too.
	trace   func(lineage.Node, metrics.Trace) metrics.Trace
	reached func(lineage.Node, *spdk.Client)
}

func (s *source) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVarP(&s.tags, "tag", "t", nil, "`key=value` for fields with @tag(key), as with cue")
	cmd.Flags().BoolVarP(&s.vars, "inject-vars", "T", false, "have fields with @tag(key,var=now) take the time at which strata was started, or another variable: os, arch, cwd, username, hostname, rand, as with cue")
	durationFlag(cmd, &s.evaluation, "eval-timeout", time.Minute, 0, "how long evaluating the configuration may take; 0: no limit")
}

func (s *source) targetFlags(cmd *cobra.Command) {
	s.flags(cmd)
	s.reachFlags(cmd)
}

func (s *source) reachFlags(cmd *cobra.Command) {
	s.answerFlag(cmd, "timeout")
	s.recordFlags(cmd)
}

// answerFlag has one name, but for a verb of which another time is the timeout.
func (s *source) answerFlag(cmd *cobra.Command, name string) {
	durationFlag(cmd, &s.timeout, name, 10*time.Second, time.Millisecond, "how long a target may take to answer")
}

func (s *source) recordFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.debugRPC, "debug-rpc", "", "append every exchange with the targets to `FILE`, a JSON object a line, secrets removed")
	s.secretFlags(cmd)
}

const secretsHelp = "which secrets a configuration may use, and for which hosts: `SOURCE=HOST,...`; may be repeated. A source is env:NAME, file:/path, file:/directory/, command:PROGRAM, command:/directory/ or ssh (the agent and the usual keys), a host [scheme://][user@]host[:port], *.domain or *, fence://NAME a fence agent, archive://NAME an archive and volume://NAME an encrypted volume. " +
	"Said once, nothing else is used; \"none\" is none at all. By default $" + secret.Env + ", the same with spaces between"

func (s *source) secretFlags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&s.secrets, "secrets", nil, secretsHelp)
}

// loadSources is load that tells what was read, too.
func (s *source) loadSources(args []string) (*schema.Config, *schema.Sources, error) {
	var read atomic.Pointer[schema.Sources] // a load that takes too long may still set it
	cfg, err := s.within(func() (*schema.Config, error) {
		cfg, src, err := schema.LoadSources(s.paths(args), s.given())
		read.Store(src)
		return cfg, err
	})
	return cfg, read.Load(), err
}

// given are the tags.
func (s *source) given() []string {
	if s.vars {
		return schema.WithVars(s.tags)
	}
	return s.tags
}

// load reads the configuration from the arguments, by default the current directory.
func (s *source) load(args []string) (*schema.Config, error) {
	return s.within(func() (*schema.Config, error) { return schema.Load(s.paths(args), s.given()) })
}

// within loads a configuration as long as may take.
func (s *source) within(load func() (*schema.Config, error)) (*schema.Config, error) {
	return schema.Within(s.evaluation, "--eval-timeout", load)
}

// paths are the arguments or, without any, the current directory.
func (s *source) paths(args []string) []string {
	if len(args) == 0 {
		return []string{"."}
	}
	return args
}

// unread says which data files beside the CUE files of a directory are not read.
func (s *source) unread(args []string) []plan.Finding {
	files := schema.Unread(s.paths(args))
	if len(files) == 0 {
		return nil
	}
	return []plan.Finding{{About: "configuration", Text: "not read: " + amount.List(files), Hint: "of a directory the CUE files count; name JSON and YAML files that belong to it beside the directory"}}
}

// connect makes a client for each node. None of them connects yet.
func (s *source) connect(cfg *schema.Config) (map[lineage.Node]*spdk.Client, func(), error) {
	client, closeLog, err := s.connector()
	if err != nil {
		return nil, nil, err
	}
	targets := map[lineage.Node]*spdk.Client{}
	for _, n := range cfg.Nodes {
		t, err := client(n)
		if err != nil {
			return nil, nil, err
		}
		targets[n.Name] = t
	}
	return targets, func() {
		for _, t := range targets {
			t.Close()
		}
		closeLog()
	}, nil
}

// connector is what makes clients of nodes, and what ends their log.
func (s *source) connector() (func(*schema.Node) (*spdk.Client, error), func(), error) {
	allowed, err := secret.Read(s.secrets)
	if err != nil {
		return nil, nil, err
	}
	var log *rpclog.File
	if s.debugRPC != "" {
		if log, err = rpclog.Open(s.debugRPC); err != nil {
			return nil, nil, fmt.Errorf("--debug-rpc: %w", err)
		}
	}
	reach := reacher{permit: allowed, ssh: map[string]*spdk.SSH{}}
	client := func(n *schema.Node) (*spdk.Client, error) {
		trace := log.Trace(string(n.Name))
		if s.trace != nil {
			trace = s.trace(n.Name, trace)
		}
		t, err := reach.client(n, spdk.Options{Timeout: s.timeout, Trace: trace})
		if err != nil {
			return nil, fmt.Errorf("%s: node %s: %w", n.Pos, n.Name, err)
		}
		if s.reached != nil {
			s.reached(n.Name, t)
		}
		return t, nil
	}
	return client, func() {
		if err := log.Close(); err != nil {
			fmt.Fprintln(stderr, "strata: --debug-rpc:", err)
		}
	}, nil
}

// grants are what the operator allows beyond the configuration.
type grants struct {
	destroy   []string
	authority []string
	failover  []string
}

func (g *grants) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&g.destroy, "allow-destroy", nil, "release `NAME` for destruction: db (a volume), db.k3f7 (an incarnation of it that is not in use), db:n2 (a replica), db@base (a layer), db@base:n2 (the copy of a layer on a node, which differs from others and is copied again), db@head (what was written since the layer reverted to), n2/fast (the disk of a pool with format, which may hold an lvstore that does not show)")
	cmd.Flags().StringArrayVar(&g.authority, "authority", nil, "`VOLUME=NODE`: that node has the current replica")
	cmd.Flags().StringArrayVar(&g.failover, "failover", nil, "let another node take over `VOLUME` from its engine, whose node cannot be read: you say that it is off, and has not gone on with fewer replicas")
}

// options checks the grants against the configuration: a misspelt name must
// not look as if it had been heard. What is not there when the nodes are looked
// at, recipe.Unused notes.
func (g *grants) options(cfg *schema.Config) (plan.Options, error) {
	opt := plan.Options{AllowDestroy: plan.Grants{}, Authority: map[string]lineage.Node{}}
	for _, name := range g.destroy {
		g, ok := plan.ParseGrant(name)
		if !ok {
			return opt, fmt.Errorf("--allow-destroy %s: want VOLUME, VOLUME:NODE, VOLUME@SNAPSHOT, VOLUME@SNAPSHOT:NODE, VOLUME@head, VOLUME.ID or NODE/POOL", name)
		}
		if g.Node != "" && cfg.Node(g.Node) == nil {
			return opt, fmt.Errorf("%s: there is no node %s", g.Flag(), g.Node)
		}
		if g.Pool != "" && cfg.Node(g.Node).Pool(g.Pool) == nil {
			return opt, fmt.Errorf("%s: %s has no pool %s", g.Flag(), g.Node, g.Pool)
		}
		if v := cfg.Volume(name); v != nil {
			return opt, fmt.Errorf("%s: it is configured (%s); remove it there first", g.Flag(), v.Pos)
		}
		opt.AllowDestroy[g] = true
	}
	for _, a := range g.authority {
		volume, node, ok := strings.Cut(a, "=")
		switch {
		case !ok:
			return opt, fmt.Errorf("--authority %s: want VOLUME=NODE", a)
		case cfg.Volume(volume) == nil:
			return opt, fmt.Errorf("--authority %s: there is no volume %s", a, volume)
		case cfg.Node(lineage.Node(node)) == nil:
			return opt, fmt.Errorf("--authority %s: there is no node %s", a, node)
		}
		opt.Authority[volume] = lineage.Node(node)
	}
	for _, volume := range g.failover {
		if cfg.Shown(volume) == nil {
			return opt, fmt.Errorf("--failover %s: there is no volume %[1]s", volume)
		}
		if opt.Failover == nil {
			opt.Failover = map[string]bool{}
		}
		opt.Failover[volume] = true
	}
	return opt, nil
}
