package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"strata/plan"
	"strata/plan/saved"
	"strata/schema"
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
		Long: `show prints a plan that plan --out has saved, and the digest by which apply
--digest knows it again. It reaches no node: what has changed since does not show.

What it prints of a step is made of the step's operation. A file that says
something else is refused.

Exit codes: 0 there is a plan, 1 error, or the plan breaks a rule of --policy (it
is shown with that rule).`,
		Example: `  strata plan --out change.plan .
  strata show change.plan
  strata show --markdown change.plan > comment.md`,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := readSaved(args[0])
			if err != nil {
				return err
			}
			pol, err := hold.load(&src)
			if err != nil {
				return err
			}
			out, err := s.Shown()
			if err != nil {
				return err
			}
			verdict := forbid(pol, s.Config, out)
			if err := form.print(cmd.OutOrStdout(), out); err != nil {
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

// planEnding is how the name of a file ends that is taken for a saved plan
// without --plan.
const planEnding = ".plan"

// chosen finds the saved plan that is asked for, by --plan or by the name of the
// only argument; "" for none. A file that merely holds one is none: its name says
// that it is configuration, and somebody else may have written it.
func chosen(file string, args []string) (string, error) {
	switch {
	case file != "" && len(args) > 0:
		return "", fmt.Errorf("--plan %s is all that is carried out; %s does not go with it", file, args[0])
	case file != "":
		return file, nil
	case len(args) == 1 && strings.HasSuffix(args[0], planEnding):
		if !isDir(args[0]) {
			return args[0], nil
		}
	}
	for _, name := range args {
		switch {
		case !holdsPlan(name):
		case strings.HasSuffix(name, planEnding):
			return "", fmt.Errorf("%s is a saved plan, which is taken alone: name no configuration beside it", name)
		default:
			return "", fmt.Errorf("%s holds a saved plan, and its name does not say so: to take it as one, pass --plan %s alone", name, name)
		}
	}
	return "", nil
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// holdsPlan reports whether a file holds a saved plan.
func holdsPlan(name string) bool {
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return false
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return false
	}
	var head struct {
		Format string `json:"format"`
	}
	return json.Unmarshal(b, &head) == nil && strings.HasPrefix(head.Format, "strata-plan/")
}

func readSaved(name string) (*saved.Saved, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	s, err := saved.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// readFixed reads a saved plan, and refuses flags that would make it another.
func readFixed(name string, src *source, may *grants, at string) (*saved.Saved, error) {
	if len(may.destroy)+len(may.authority)+len(may.failover)+len(src.given()) > 0 || at != "" {
		return nil, fmt.Errorf("%s is a saved plan: what it may do was said when it was made; --allow-destroy, --authority, --failover, --at and -t belong to plan --out", name)
	}
	return readSaved(name)
}

// save writes a plan to a file, and puts what show says of it into what is shown.
func save(name string, src *source, args []string, make func(document []byte) *saved.Saved, out *plan.Outline) error {
	document, err := schema.Document(src.paths(args), src.given())
	if err != nil {
		return err
	}
	s := make(document)
	if err := writeSaved(name, s); err != nil {
		return err
	}
	shown, err := s.Shown()
	out.Digest, out.Allowed = shown.Digest, shown.Allowed
	return err
}

// writeSaved writes a plan to a file that only its owner reads, whoever read it
// before: it has addresses and names of the whole cluster.
func writeSaved(name string, s *saved.Saved) error {
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
