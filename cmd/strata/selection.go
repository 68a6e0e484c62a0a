package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"strata/plan"
	"strata/schema"
)

// selecting is the part of a plan that somebody asks for.
type selecting struct{ only, except []string }

func (s *selecting) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&s.only, "only", nil, "nothing but what is to be done about `OBJECT`, volume/NAME or node/NAME, and what that needs; may be repeated")
	cmd.Flags().StringArrayVar(&s.except, "except", nil, "leave `OBJECT`, volume/NAME or node/NAME, as it is, and what needs it; of a node, also whatever takes steps there; may be repeated")
}

// of reads the objects. A volume that is not configured has to be released: nothing else is
// done about it.
func (s *selecting) of(cfg *schema.Config, opt plan.Options) (part plan.Selection, err error) {
	if part.Only, err = objects("--only", s.only, cfg, opt); err != nil {
		return part, err
	}
	part.Except, err = objects("--except", s.except, cfg, opt)
	return part, err
}

func objects(flag string, texts []string, cfg *schema.Config, opt plan.Options) (all []plan.Key, err error) {
	for _, text := range texts {
		o, err := objectOf(text)
		if err != nil {
			return nil, fmt.Errorf("%s %w", flag, err)
		}
		names := volumeNames(cfg)
		for _, g := range opt.AllowDestroy.All() {
			if g == plan.VolumeGrant(g.Volume) {
				names = append(names, g.Volume)
			}
		}
		if o.Kind == plan.KindNode {
			names = nodeNames(cfg)
		}
		if !slices.Contains(names, o.Name) {
			return nil, fmt.Errorf("%s %s: there is no %s in the configuration; %s", flag, text, o, schema.Hint(o.Name, string(o.Kind)+"s", names))
		}
		all = append(all, o)
	}
	return all, nil
}
