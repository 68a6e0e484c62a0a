package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"strata/lineage"
	"strata/schema"
	"strata/vip"
)

// moversEnv has the operator's word where --vip-commands does not: a program that moves an
// address is run here, as a fence agent is.
const moversEnv = "STRATA_VIP_COMMANDS"

const moversHelp = "which programs a configuration may have strata run to move the addresses of volumes: `PROGRAM`, a name, an absolute path, or /directory/; may be repeated. By default $" + moversEnv +
	", the same with spaces between; without either none is run"

func (s *source) moverFlags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&s.movers, "vip-commands", nil, moversHelp)
}

// mayMove says why the program must not be run that moves an address; nil when it may.
func (s *source) mayMove(v *schema.VIP) error {
	return permitted(v.Command[0], "--vip-commands", moversEnv, s.movers)
}

// mayMoveAll says of the first volume whose address must not be moved why.
func (s *source) mayMoveAll(cfg *schema.Config) error {
	for _, v := range cfg.Volumes {
		if v.Export.VIP == nil {
			continue
		}
		if err := s.mayMove(v.Export.VIP); err != nil {
			return fmt.Errorf("%s: volume %s: vip: %w", v.Export.VIP.Pos, v.Name, err)
		}
	}
	return nil
}

// mover moves the address of a volume of a configuration.
func (s *source) mover(cfg *schema.Config, v *schema.Volume) (*vip.Mover, error) {
	if err := s.mayMove(v.Export.VIP); err != nil {
		return nil, err
	}
	var nodes []lineage.Node
	for _, n := range cfg.Nodes {
		nodes = append(nodes, n.Name)
	}
	return &vip.Mover{Volume: v.Name, VIP: v.Export.VIP, Nodes: nodes}, nil
}
