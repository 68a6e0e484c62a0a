package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestFlagsHaveBounds: no verb takes a number or a time below zero, whatever it
// is called.
func TestFlagsHaveBounds(t *testing.T) {
	seen := 0
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			values := map[string]string{"duration": "-1ns", "int": "-1", "int64": "-1"}
			if bad, numeric := values[f.Value.Type()]; numeric {
				seen++
				if err := f.Value.Set(bad); err == nil {
					t.Errorf("%s: --%s %s is accepted", cmd.CommandPath(), f.Name, bad)
				}
				if slices.Contains([]string{"timeout", "parallelism"}, f.Name) && f.Value.Set("0") == nil {
					t.Errorf("%s: --%s 0 is accepted", cmd.CommandPath(), f.Name)
				}
			}
		})
		for _, below := range cmd.Commands() {
			visit(below)
		}
	}
	visit(newRoot())
	if seen < 10 {
		t.Errorf("%d such flags", seen)
	}
}

// TestReadmeSaysWhoKnowsFlags: the README lists the commands that know --json, and --quiet.
func TestReadmeSaysWhoKnowsFlags(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for flag, text := range map[string]string{"json": "`--json` is known to %s", "quiet": "`--quiet` (`-q`), of %s"} {
		var names []string
		var visit func(*cobra.Command)
		visit = func(cmd *cobra.Command) {
			if cmd.LocalFlags().Lookup(flag) != nil && !cmd.Hidden {
				names = append(names, "`"+strings.TrimPrefix(cmd.CommandPath(), "strata ")+"`")
			}
			for _, below := range cmd.Commands() {
				visit(below)
			}
		}
		visit(newRoot())
		last := len(names) - 1
		want := fmt.Sprintf(text, strings.Join(names[:last], ", ")+" and "+names[last])
		if !strings.Contains(strings.Join(strings.Fields(string(readme)), " "), want) {
			t.Errorf("README.md does not say: %s", want)
		}
	}
}
