package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"strata/plan"
)

func newShow() *cobra.Command {
	var (
		src  source
		form planForm
		hold rules
	)
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Show a saved plan; reach no node",
		Long: `show prints a plan that plan --out has saved. It reaches no node: what has
changed since does not show.

Exit codes: 0 there is a plan, 1 error, or the plan breaks a rule of --policy (it
is shown with that rule).`,
		Example: `  strata plan --out change.plan .
  strata show change.plan
  strata show --markdown change.plan > comment.md`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := readSaved(args[0])
			if err != nil {
				return err
			}
			pol, err := hold.load(&src)
			if err != nil {
				return err
			}
			verdict := forbid(pol, s.Config, s.Plan)
			if err := form.print(cmd.OutOrStdout(), s.Plan); err != nil {
				return err
			}
			return verdict
		},
	}
	form.flags(cmd)
	hold.flags(cmd)
	cmd.Flags().StringArrayVarP(&src.tags, "tag", "t", nil, "`key=value` for fields of --was with @tag(key)")
	return cmd
}

// isSaved reports whether a file is a saved plan rather than configuration.
func isSaved(name string) bool {
	b, err := os.ReadFile(name)
	if err != nil {
		return false
	}
	var head struct {
		Format string `json:"format"`
	}
	return json.Unmarshal(b, &head) == nil && strings.HasPrefix(head.Format, "strata-plan/")
}

func readSaved(name string) (*plan.Saved, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	s, err := plan.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// readFixed reads a saved plan, and refuses flags that would make it another.
func readFixed(name string, src *source, may *grants, at string) (*plan.Saved, error) {
	if len(may.destroy)+len(may.authority)+len(src.tags) > 0 || at != "" {
		return nil, fmt.Errorf("%s is a saved plan: what it may do was said when it was made; --allow-destroy, --authority, --at and -t belong to plan --out", name)
	}
	return readSaved(name)
}

// writeSaved writes a plan to a file that only its owner reads, whoever read it
// before: it has addresses and names of the whole cluster.
func writeSaved(name string, s *plan.Saved) error {
	b, err := s.Encode()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if at, serr := f.Stat(); serr == nil && at.Mode().IsRegular() {
		err = f.Chmod(0o600)
	}
	if err == nil {
		_, err = f.Write(b)
	}
	return errors.Join(err, f.Close())
}
