package schema

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Fence is the fence agent by which a node is switched off: a program of the interface
// of ClusterLabs, which reads what it is to do from its standard input.
type Fence struct {
	// Command is the program, by name or absolute path, and its arguments. An agent of
	// ClusterLabs has none: it would not read its standard input then, and without an
	// action it reboots.
	Command []string
	// Options and Secrets are what it is given, by name; none is in both, and none is
	// the action.
	Options map[string]string `json:",omitempty"`
	Secrets map[string]Secret `json:",omitempty"`
	// TimeoutMs is how long, in milliseconds, the node may take to be off, and known to
	// be.
	TimeoutMs int
	Pos       Pos
}

// Agent is what the agent is called: the program, or one of ClusterLabs that it runs.
func (f *Fence) Agent() string {
	if last := f.Command[len(f.Command)-1]; fenceAgent.MatchString(last) {
		return filepath.Base(last)
	}
	return filepath.Base(f.Command[0])
}

// Timeout is TimeoutMs.
func (f *Fence) Timeout() time.Duration { return time.Duration(f.TimeoutMs) * time.Millisecond }

const (
	defaultFenceTimeout = time.Minute
	minFenceTimeout     = time.Second
	maxFenceTimeout     = 10 * time.Minute
)

const wantFence = `a struct such as {command: ["fence_ipmilan"], options: ip: "10.0.9.1"}`

// fence reads how a node is switched off; nil where nothing is said.
func (s *spot) fence() *Fence {
	if s == nil {
		return nil
	}
	f := &Fence{TimeoutMs: int(defaultFenceTimeout / time.Millisecond), Pos: s.pos()}
	o, ok := s.object(wantFence)
	if !ok {
		return nil
	}
	o.only(fenceFields)
	f.Command = o.required("command", `["fence_ipmilan"]`).command()
	f.Options = o.field("options").fenceOptions()
	f.Secrets = o.field("secrets").fenceSecrets()
	for _, name := range slices.Sorted(maps.Keys(f.Secrets)) {
		if _, twice := f.Options[name]; twice {
			o.field("secrets").field(name).wrong("", "is one of options, too")
		}
	}
	if d, ok := o.field("timeout").lasts(`a time in whole milliseconds from "1s" to "10m", such as "60s"`, minFenceTimeout, maxFenceTimeout, time.Millisecond); ok {
		f.TimeoutMs = int(d / time.Millisecond)
	}
	if len(f.Command) == 0 {
		return nil // which is wrong, and said
	}
	return f
}

// field is that of a struct; nil if it is none.
func (s *spot) field(name string) *spot {
	o, _ := s.object("")
	return o.field(name)
}

// command reads a fence agent and its arguments.
func (s *spot) command() []string {
	all, list := s.program("fence_ipmilan")
	for i, t := range all[:max(0, len(all)-1)] {
		if fenceAgent.MatchString(t) {
			list[i+1].wrong("write it into options: ip: \"10.0.9.1\" is what --ip=10.0.9.1 would be",
				"is an argument of %s, which then would not read what it is to do, and reboot the node", t)
			break
		}
	}
	return all
}

// program reads a program and its arguments, and where they stand.
func (s *spot) program(such string) (all []string, list []*spot) {
	want := fmt.Sprintf("a list of a program and its arguments, such as [%q]", such)
	list, ok := s.list(want)
	if ok && len(list) == 0 {
		s.wrong("", "must be %s, and not empty", want)
	}
	for i, e := range list {
		if i == 0 {
			t, _ := e.matching(fmt.Sprintf("the name of a program, or its absolute path, such as %q", such), fenceProgram.MatchString)
			all = append(all, t)
			continue
		}
		t, ok := e.text("an argument, which is a text")
		switch {
		case ok && secretArgument.MatchString(t):
			e.wrong(`whoever is on this machine sees arguments; write secrets: password: {env: "NAME"}`, "seems to have a secret in it")
		case ok && !fenceValue.MatchString(t):
			e.wrong("", "must be an argument without line breaks")
		}
		all = append(all, t)
	}
	return all, list
}

// fenceOptions reads what an agent is given that is no secret.
func (s *spot) fenceOptions() map[string]string {
	if s == nil {
		return nil
	}
	var all map[string]string
	o, _ := s.object(`a struct such as {ip: "10.0.9.1", username: "admin"}`)
	for _, f := range o.fields {
		if secretOption.MatchString(f.name) {
			f.wrong(`write secrets: `+f.name+`: {env: "NAME"}, or {file: "/path"}`, "is a secret, which must not stand in a configuration")
			continue
		}
		if !f.fenceOption() {
			continue
		}
		if t, ok := f.matching("a text, in quotes and without line breaks", fenceValue.MatchString); ok {
			if all == nil {
				all = map[string]string{}
			}
			all[f.name] = t
		}
	}
	return all
}

// fenceSecrets reads what an agent is given that is secret.
func (s *spot) fenceSecrets() map[string]Secret {
	if s == nil {
		return nil
	}
	var all map[string]Secret
	o, _ := s.object(`a struct such as {password: env: "STRATA_IPMI_PASSWORD"}`)
	for _, f := range o.fields {
		if f.fenceOption() {
			if all == nil {
				all = map[string]Secret{}
			}
			all[f.name] = f.secret()
		}
	}
	return all
}

// fenceOption reports whether the name of a field can be one of an agent's options.
func (s *spot) fenceOption() bool {
	switch {
	case notAction.MatchString(s.name):
		s.wrong("leave it out", "says what is to be done, which strata does")
		return false
	case !optionName.MatchString(s.name):
		s.wrong("see what an agent knows with: echo action=metadata | fence_ipmilan", "is no option of an agent: it must have A-Z, a-z, 0-9, \"_\" and \"-\", and start with a letter")
		return false
	}
	return true
}

// fenceSecret reports whether the field at that path is a secret of an agent, or was
// written where one belongs.
func fenceSecret(names []string) bool {
	i := slices.Index(names, "fence")
	if i < 0 || len(names) < i+2 {
		return false
	}
	rest := names[i+1:]
	return rest[0] == "secrets" || rest[0] == "command" || rest[0] == "options" && len(rest) > 1 && secretOption.MatchString(strings.ToLower(rest[1]))
}
