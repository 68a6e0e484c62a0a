package main

import (
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"strata/apply"
	"strata/lineage"
	"strata/schema"
	"strata/spdk"
)

// newGuard is the process that apply starts to end its pauses should it die.
func newGuard() *cobra.Command {
	return &cobra.Command{
		Use:    "guard",
		Short:  "End the pauses of the apply that started it, should that die",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
			var src source
			return apply.Stand(cmd.Context(), os.Stdin, os.Stdout, func(cfg *schema.Config) (map[lineage.Node]*spdk.Client, error) {
				targets, _, err := src.connect(cfg)
				return targets, err
			})
		},
	}
}

func guardProcess() (io.ReadWriteCloser, error) { return apply.GuardProcess("guard") }
