package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"strata/lineage"
	"strata/plan"
	"strata/plan/recipe"
	"strata/plan/saved"
	"strata/schema"
	"strata/spdk"
	"strata/state"
)

func sweepFlag(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "destroy", false, "release every volume that is there and not configured for destruction, as --allow-destroy does by name")
}

// releaseUnconfigured releases the volumes that a look found and that are not configured, and
// names them: none that comes later.
func releaseUnconfigured(cfg *schema.Config, snap *state.Snapshot, opt *plan.Options) []string {
	names := recipe.Unconfigured(cfg, snap)
	if opt.AllowDestroy == nil {
		opt.AllowDestroy = plan.Grants{}
	}
	for _, name := range names {
		opt.AllowDestroy[plan.VolumeGrant(name)] = true
	}
	return names
}

// sweep releases all that is not configured, if somebody is there to say the cluster's name.
func (c *carrying) sweep(cmd *cobra.Command, cfg *schema.Config, targets map[lineage.Node]*spdk.Client, opt *plan.Options, saved *saved.Saved) error {
	switch {
	case saved != nil:
		return errors.New("--destroy: a saved plan says by itself what it destroys; plan --destroy --out saves one")
	case c.asJSON || !interactive(os.Stdin):
		return fmt.Errorf("--destroy: nobody is here to type the cluster's name; have somebody look at a plan of plan --destroy --out FILE, and apply that")
	}
	c.approve = false
	c.swept = releaseUnconfigured(cfg, state.Read(cmd.Context(), cfg.Cluster, targets), opt)
	return nil
}

func notConfigured(n int) string {
	if n == 1 {
		return "is not configured"
	}
	return "are not configured"
}
