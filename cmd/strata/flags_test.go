package main

import (
	"slices"
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
