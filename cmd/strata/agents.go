package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"strata/fence"
	"strata/schema"
	"strata/secret"
)

// A configuration names a program that is run here, and options for it, which for many
// agents name further programs. Whoever may propose a change could run anything. So the
// operator says which agents there are, as with secrets, where strata is run.

// agentsEnv has the operator's word where --fence-agents does not.
const agentsEnv = "STRATA_FENCE_AGENTS"

const agentsHelp = "which fence agents a configuration may have strata run: `PROGRAM`, a name such as fence_ipmilan, an absolute path, or /directory/; may be repeated. By default $" + agentsEnv +
	", the same with spaces between; without either none is run"

func (s *source) agentFlags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&s.agents, "fence-agents", nil, agentsHelp)
}

// mayRun says why an agent must not be run; nil when it may.
func (s *source) mayRun(f *schema.Fence) error {
	return permitted(f.Command[0], "--fence-agents", agentsEnv, s.agents)
}

// permitted says why a configuration may not have a program run, by what a flag says, or
// an environment variable where that says nothing; nil when it may.
func permitted(program, flag, env string, words []string) error {
	from := flag
	if len(words) == 0 {
		from, words = env, strings.Fields(os.Getenv(env))
	}
	if filepath.IsAbs(program) {
		program = filepath.Clean(program)
	}
	for _, word := range words {
		if strings.Contains(word, "/") && !filepath.IsAbs(word) {
			return fmt.Errorf("%s %s: want the name of a program, an absolute path, or a directory such as /etc/strata/agents/", from, word)
		}
		if program == word || secret.Covers(word, program) {
			return nil
		}
	}
	if len(words) == 0 {
		return fmt.Errorf("a configuration may not run %s of its own accord; allow it with %[2]s %[1]s, or %[3]s", program, flag, env)
	}
	return fmt.Errorf("%s, or %s, does not allow %s; it allows %s", flag, env, program, strings.Join(words, ", "))
}

// mayRunAll says of the first node's agent that must not be run why.
func (s *source) mayRunAll(cfg *schema.Config) error {
	for _, n := range cfg.Nodes {
		if n.Fence == nil {
			continue
		}
		if err := s.mayRun(n.Fence); err != nil {
			return fmt.Errorf("%s: node %s: fence: %w", n.Fence.Pos, n.Name, err)
		}
	}
	return nil
}

// agent is that of a node, which has one, as far as the operator's word goes.
func (s *source) agent(n *schema.Node) (*fence.Agent, error) {
	if err := s.mayRun(n.Fence); err != nil {
		return nil, err
	}
	allowed, err := secret.Read(s.secrets)
	if err != nil {
		return nil, err
	}
	return &fence.Agent{Node: n.Name, Fence: n.Fence, Secret: func(ctx context.Context, is schema.Secret) (string, error) {
		return allowed.Of(ctx, secret.Password, is, "fence://"+n.Fence.Agent())
	}}, nil
}

// switchOff switches a node off by its agent.
func (s *source) switchOff(ctx context.Context, n *schema.Node) (fence.Evidence, error) {
	a, err := s.agent(n)
	if err != nil {
		return fence.Evidence{}, err
	}
	return a.Off(ctx)
}

// fenced are the nodes of those names, or all, that have an agent, and the others.
func fenced(cfg *schema.Config, names []string) (with, without []*schema.Node, err error) {
	for _, name := range names {
		if !slices.ContainsFunc(cfg.Nodes, func(n *schema.Node) bool { return string(n.Name) == name }) {
			return nil, nil, fmt.Errorf("there is no node %s in the configuration", name)
		}
	}
	for _, n := range cfg.Nodes {
		switch {
		case len(names) > 0 && !slices.Contains(names, string(n.Name)):
		case n.Fence == nil:
			without = append(without, n)
		default:
			with = append(with, n)
		}
	}
	return with, without, nil
}
