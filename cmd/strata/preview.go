package main

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"strata/apply"
	"strata/backup"
	"strata/plan"
	"strata/plan/recipe"
	"strata/plan/saved"
	"strata/policy"
	"strata/schema"
	"strata/state"
)

// preview is a plan that is shown, and saved if a file is named.
type preview struct {
	form     planForm
	policy   *policy.Policy
	file     string
	part     plan.Selection
	detailed bool // the exit code says whether there is something to do
}

// show makes the plan and shows it. said is what is to be said beside what the plan says.
func (v *preview) show(cmd *cobra.Command, src *source, args []string, cfg *schema.Config, snap *state.Snapshot, opt plan.Options, said []plan.Finding) error {
	opt.Catalog = src.archivesOf(cfg).Look(cmd.Context(), cfg.ArchivesInUse())
	defer src.closeArchives()
	opt.Images, opt.Keys = backup.LookAtImages(cfg.ImageFiles()), apply.HostKeys(src.hostKey).Look(cmd.Context(), cfg)
	p, err := recipe.Build(cfg, snap, opt)
	if err != nil {
		return err
	}
	if p, err = recipe.Select(cfg, snap, opt, p, v.part); err != nil {
		return err
	}
	p.Notes = append(p.Notes, said...)
	p.Notes = append(p.Notes, recipe.Unused(cfg, snap, opt)...)
	if v.file != "" && slices.ContainsFunc(p.Passes, func(pass plan.Pass) bool { return len(pass.Assumes) > 0 }) {
		p.Notes = append(p.Notes, unseen)
	}
	out := p.Outline(cfg.Cluster)
	verdict := forbid(v.policy, cfg, out)
	if v.file != "" && verdict == nil {
		made := func(document []byte) *saved.Saved { return saved.Save(cfg, document, snap, p, opt, describe()) }
		if err := save(v.file, src, args, made, out); err != nil {
			return err
		}
	}
	if err := v.form.print(cmd.OutOrStdout(), out); err != nil {
		return err
	}
	if verdict != nil {
		return verdict
	}
	if unreached(cfg, snap) {
		return errUnreached
	}
	switch {
	case v.detailed && !p.Empty():
		return exitChanges
	case v.detailed && len(p.Blocked) > 0:
		return exitBlocked
	}
	return nil
}

// unseen is said of a plan that is saved before disks were looked at.
var unseen = plan.Finding{
	About: "saved plan",
	Text:  "where a disk turns out not to be blank, it has nothing of what is to be done then",
	Hint:  "after a power cut, strata apply --attach has disks looked at first: then one plan has everything",
}

var errUnreached = errors.New("no node could be reached, so nothing is known of what there is: the plan says why, for each")

// unreached reports whether no node at all could be read.
func unreached(cfg *schema.Config, snap *state.Snapshot) bool {
	for _, n := range cfg.Nodes {
		if at := snap.Nodes[n.Name]; at != nil && at.Unknown == "" {
			return false
		}
	}
	return len(cfg.Nodes) > 0
}
