package main

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"strata/amount"
	"strata/schema"
)

// What is wrong with a command line is said together with what would be right, or where that
// is said.

// takes is how many arguments a verb takes; a most below zero is any number.
func takes(least, most int) cobra.PositionalArgs {
	if most < 0 {
		most = math.MaxInt
	}
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			missing := least - len(args)
			return misused(cmd, amount.Of(missing, "argument")+" "+amount.Verb(missing, "is", "are")+" missing")
		case len(args) > most:
			return misused(cmd, args[most]+" is one argument too many")
		}
		return nil
	}
}

// called is how a command is called below strata, before what is said of it.
func called(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return ""
	}
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ") + ": "
}

// misused says what is wrong with the arguments of a verb, and how it is used.
func misused(cmd *cobra.Command, what string) error {
	return fmt.Errorf("%s%s\n  usage: %s\n  %s --help says more", called(cmd), what, cmd.UseLine(), cmd.CommandPath())
}

// layMisuse has every verb say what would be right, where a flag or a verb is wrong.
func layMisuse(root *cobra.Command) {
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		var unknown *pflag.NotExistError
		if !errors.As(err, &unknown) {
			return fmt.Errorf("%s%w\n  %s --help says more", called(cmd), err, cmd.CommandPath())
		}
		given, near := "-"+unknown.GetSpecifiedName(), ""
		if unknown.GetSpecifiedShortnames() == "" {
			var flags []string
			cmd.Flags().VisitAll(func(f *pflag.Flag) { flags = append(flags, "--"+f.Name) })
			given = "-" + given
			near = nearby(given, flags)
		}
		return fmt.Errorf("%sthere is no flag %s%s\n  %s --help lists the flags", called(cmd), given, near, cmd.CommandPath())
	})
	root.DisableSuggestions = true
	root.SetHelpCommand(&cobra.Command{
		Use:               "help [COMMAND...]",
		Short:             "Say how a command is used, as --help does",
		ValidArgsFunction: verbsOf,
		RunE: func(cmd *cobra.Command, args []string) error {
			of, rest, err := cmd.Root().Find(args)
			if len(rest) > 0 { // Find complains only of what is below strata itself
				return unknownVerb(of, rest[0])
			}
			if err != nil {
				return unknownVerb(cmd.Root(), args[0])
			}
			of.InitDefaultHelpFlag()
			return of.Help()
		},
	})
}

// verbsOf completes the verbs below those that are there.
func verbsOf(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	if of, rest, err := cmd.Root().Find(args); err == nil && len(rest) == 0 {
		for _, below := range of.Commands() {
			if below.IsAvailableCommand() {
				names = append(names, below.Name())
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// group is what a verb does that has only verbs below it: without one it says which.
func group(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownVerb(cmd, args[0])
	}
	return cmd.Help()
}

func unknownVerb(cmd *cobra.Command, given string) error {
	var verbs []string
	for _, below := range cmd.Commands() {
		if below.IsAvailableCommand() {
			verbs = append(verbs, below.Name())
		}
	}
	return fmt.Errorf("%sthere is no command %s%s\n  %s --help lists the commands", called(cmd), given, nearby(given, verbs), cmd.CommandPath())
}

// noCommand is what an error of cobra's says when there is no such command, in strata's words.
func noCommand(root *cobra.Command, err error) error {
	var given, path string
	if err == nil {
		return nil
	}
	if n, _ := fmt.Sscanf(err.Error(), "unknown command %q for %q", &given, &path); n < 2 {
		return err
	}
	if of, _, err := root.Find(strings.Fields(path)[1:]); err == nil {
		root = of
	}
	return unknownVerb(root, given)
}

// nearby suggests the nearest of several names, if one is near.
func nearby(given string, names []string) string {
	if hint := schema.Hint(given, "", names); strings.HasPrefix(hint, "did you mean") {
		return "; " + hint
	}
	return ""
}
