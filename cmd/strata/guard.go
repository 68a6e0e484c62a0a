package main

import (
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
	var src source
	cmd := &cobra.Command{
		Use:    "guard",
		Short:  "End the pauses of the apply that started it, should that die",
		Hidden: true,
		Args:   takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
			return apply.ServeGuard(cmd.Context(), os.Stdin, os.Stdout, func(cfg *schema.Config) (map[lineage.Node]*spdk.Client, error) {
				targets, _, err := src.connect(cfg)
				return targets, err
			}, src.mover, src.key)
		},
	}
	src.reachFlags(cmd)
	src.moverFlags(cmd)
	return cmd
}

// guard starts the guard, which reaches the targets as this process does.
func (s *source) guard() (apply.GuardConn, error) {
	args := []string{"guard", "--timeout", s.timeout.String(), "--debug-rpc", s.debugRPC}
	for _, allowed := range s.secrets {
		args = append(args, "--secrets", allowed)
	}
	for _, allowed := range s.movers {
		args = append(args, "--vip-commands", allowed)
	}
	return apply.GuardProcess(args...)
}
