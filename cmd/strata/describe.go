package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/plan/recipe"
	"strata/report"
	"strata/schema"
	"strata/state"
)

func newDescribe() *cobra.Command {
	var src source
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "describe volume/NAME | node/NAME [DIR | FILE...]",
		Short: "Say all that is known of a volume or a node, and what would be done about it",
		Long: `describe looks at the nodes and prints of a volume, or of a node, what is configured
and where, what status and plan --explain say of it: health, replicas, layers, hosts,
copies in hand, where its engine is and why, what becomes of it when that node goes,
when its next snapshot is due; and what apply would do about it. It changes nothing.`,
		Example: `  strata describe volume/db examples/lab
  strata describe node/n2 .`,
		Args: takes(1, -1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return newCompletion(cmd, args).objects(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about, err := objectOf(args[0])
			if err != nil {
				return err
			}
			cfg, err := src.load(args[1:])
			if err != nil {
				return err
			}
			targets, closeAll, err := src.connect(cfg)
			if err != nil {
				return err
			}
			defer closeAll()
			defer src.closeArchives()
			snap := state.Read(cmd.Context(), cfg.Cluster, targets)
			r := report.Build(cfg, snap)
			if err := known(cfg, r, about); err != nil {
				return err
			}
			archives := src.archivesOf(cfg)
			opt := plan.Options{Now: time.Now().Unix(), Explain: true, Catalog: archives.Look(cmd.Context(), cfg.ArchivesInUse())}
			r.Schedule(cfg, opt.Now)
			r.Recorded(cfg, snap, opt.Catalog)
			r.Connect(state.ReadConnected(cmd.Context(), snap, cfg.Cluster, targets))
			p, err := recipe.Build(cfg, snap, opt)
			if err != nil {
				return err
			}
			d := described{Object: about.String(), Configured: configured(&src, args[1:], cfg, about), Plan: p.Concerning(cfg, ofWhole(cfg, about)...).Outline(cfg.Cluster)}
			if d.Report = r.Only([]string{about.Name}); about.Kind == plan.KindNode {
				d.Report = r.On(lineage.Node(about.Name))
			}
			d.Verdict = verdictOn(cfg, r, about)
			if asJSON {
				return printJSON(cmd.OutOrStdout(), d)
			}
			return d.print(cmd.OutOrStdout())
		},
	}
	src.targetFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

// objectOf reads volume/NAME or node/NAME.
func objectOf(text string) (plan.Key, error) {
	kind, name, ok := strings.Cut(text, "/")
	if !ok || name == "" || kind != string(plan.KindVolume) && kind != string(plan.KindNode) {
		return plan.Key{}, fmt.Errorf("%s: want volume/NAME or node/NAME", text)
	}
	return plan.Key{Kind: plan.Kind(kind), Name: name}, nil
}

// known refuses what is neither configured nor found.
func known(cfg *schema.Config, r *report.Report, about plan.Key) error {
	names := r.VolumeNames()
	if about.Kind == plan.KindNode {
		names = nodeNames(cfg)
	}
	if !slices.Contains(names, about.Name) {
		return fmt.Errorf("there is no %s; %s", about, schema.Hint(about.Name, string(about.Kind)+"s", names))
	}
	return nil
}

// verdictOn says what becomes of a volume when its engine's node goes.
func verdictOn(cfg *schema.Config, r *report.Report, about plan.Key) string {
	if about.Kind != plan.KindVolume {
		return ""
	}
	for i := range r.Volumes {
		switch v := &r.Volumes[i]; {
		case v.Name != about.Name:
		case v.Failover != nil:
			return v.Failover.Words()
		case v.Engine == "":
			return "no node serves it"
		case !cfg.Links.Wait():
			return fmt.Sprintf("none: links give a lost peer up by themselves (links: loss: \"drop\"), and so nothing proves which replica has everything when %s goes; strata apply --authority takes your word", v.Engine)
		default:
			return "none: hosts do not reach it over the network"
		}
	}
	return "none: it is not there, or laid out over parts"
}

// ofWhole is an object, with the parts of a volume that is laid out over some.
func ofWhole(cfg *schema.Config, about plan.Key) []plan.Key {
	all := []plan.Key{about}
	if w := cfg.Whole(about.Name); w != nil && about.Kind == plan.KindVolume {
		for _, v := range cfg.Parts(w) {
			all = append(all, plan.VolumeKey(v.Name))
		}
	}
	return all
}

// setting is a field that is configured.
type setting struct {
	Field string          `json:"field"`
	Value json.RawMessage `json:"value"`
	At    string          `json:"at,omitempty"`
}

// configured are the fields of a volume or a node, as they are once templates, tags and
// defaults of the configuration's own are done with, and where they stand.
func configured(src *source, paths []string, cfg *schema.Config, about plan.Key) (all []setting) {
	text, err := schema.Document(src.paths(paths), src.given())
	if err != nil {
		return nil // it was read just now
	}
	var doc map[string]json.RawMessage
	var objects, fields map[string]json.RawMessage
	if json.Unmarshal(text, &doc) != nil || json.Unmarshal(doc[string(about.Kind)+"s"], &objects) != nil || json.Unmarshal(objects[about.Name], &fields) != nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		s := setting{Field: name, Value: fields[name]}
		switch v, n := cfg.Volume(about.Name), cfg.Node(lineage.Node(about.Name)); {
		case about.Kind == plan.KindVolume && v != nil:
			s.At = v.At(name).String()
		case about.Kind == plan.KindNode && n != nil:
			s.At = n.Pos.String()
		}
		all = append(all, s)
	}
	return all
}

// described is what is known of an object.
type described struct {
	Object     string         `json:"object"` // "volume db"
	Configured []setting      `json:"configured"`
	Report     *report.Report `json:"report"`
	// Verdict says what becomes of a volume when its engine's node goes; "" of a node.
	Verdict string        `json:"failover,omitempty"`
	Plan    *plan.Outline `json:"plan"`
}

func (d *described) print(w io.Writer) error {
	fmt.Fprintln(w, statusText(d.Report, nil))
	if len(d.Configured) == 0 {
		fmt.Fprintf(w, "\nIt is not configured.\n")
	} else {
		fmt.Fprintf(w, "\nConfigured:\n")
	}
	for _, s := range d.Configured {
		fmt.Fprintf(w, "    %-12s %s%s\n", s.Field, inLine(s.text()), at(s.At))
	}
	if d.Verdict != "" {
		fmt.Fprintf(w, "\nFailover:\n    %s\n", d.Verdict)
	}
	explainPlaces(w, inLines(d.Plan))
	fmt.Fprintf(w, "\nWould be done:\n")
	var b bytes.Buffer
	err := inLines(d.Plan).Print(&b)
	fmt.Fprintln(w, strings.TrimSpace(b.String()))
	return err
}

// text is the value as people write it.
func (s *setting) text() string {
	var n int64
	if s.Field == "size" && json.Unmarshal(s.Value, &n) == nil {
		return amount.Bytes(n)
	}
	return string(s.Value)
}

func at(pos string) string {
	if pos == "" || pos == "-" {
		return ""
	}
	return "  " + faint.Render("("+pos+")")
}
