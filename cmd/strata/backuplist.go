package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"strata/amount"
	"strata/apply"
	"strata/catalog"
	"strata/lineage"
	"strata/schema"
	"strata/state"
)

func newBackupList() *cobra.Command {
	var src source
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list ARCHIVE [VOLUME] [DIR | FILE...]",
		Short:   "List what an archive has of volumes",
		Example: "  strata backup list main examples/lab\n  strata backup list main db examples/lab",
		Args:    takes(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, volume, rest := args[0], "", args[1:]
			cfg, err := src.load(rest)
			if err != nil && len(rest) > 0 && lineage.ValidName(rest[0]) {
				volume = rest[0]
				cfg, err = src.load(rest[1:])
			}
			if err != nil {
				return err
			}
			defer src.closeArchives()
			records, err := src.records(cmd, cfg, name)
			if err != nil {
				return err
			}
			records = slices.DeleteFunc(records, func(r catalog.Record) bool { return volume != "" && r.Of().Volume.Name != volume })
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(listed(name, records))
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "RECORD\tTIME\tVOLUME\tSNAPSHOT\tSIZE\tCOPIED\tVERIFIED")
			for _, r := range records {
				of := r.Of()
				verified := "never"
				if r.Verified != 0 {
					verified = when(r.Verified)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID[:8], when(r.Time), of.Volume, of.Snapshot, amount.Bytes(r.Size), amount.Bytes(r.Bytes), verified)
			}
			return w.Flush()
		},
	}
	src.flags(cmd)
	src.secretFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func when(t int64) string { return time.Unix(t, 0).UTC().Format("2006-01-02 15:04:05") }

// records are those of an archive, of the cluster's volumes. The archive stays open.
func (s *source) records(cmd *cobra.Command, cfg *schema.Config, name string) ([]catalog.Record, error) {
	found := s.archivesOf(cfg).Look(cmd.Context(), []string{name})[name]
	if found.Unread != "" {
		return nil, fmt.Errorf("archive %s: %s", name, found.Unread)
	}
	return slices.DeleteFunc(slices.Clone(found.Records), func(r catalog.Record) bool { return r.Cluster != cfg.Cluster }), nil
}

// listing is what list prints for programs.
type listing struct {
	Format  int            `json:"format"`
	Archive string         `json:"archive"`
	Records []listedRecord `json:"records"`
}

type listedRecord struct {
	ID       string           `json:"id"`
	Time     string           `json:"time"`
	Volume   string           `json:"volume"`
	Snapshot string           `json:"snapshot"`
	Layer    lineage.LvolName `json:"layer"`
	Over     lineage.LvolName `json:"over,omitempty"` // the layer whose record it was built on
	Size     int64            `json:"size"`
	Copied   int64            `json:"copied"`
	Verified string           `json:"verified,omitempty"`
}

func listed(name string, records []catalog.Record) listing {
	l := listing{Format: 1, Archive: name, Records: []listedRecord{}}
	for _, r := range records {
		x := listedRecord{ID: r.ID, Time: time.Unix(r.Time, 0).UTC().Format(time.RFC3339), Volume: r.Of().Volume.Name, Snapshot: r.Of().Snapshot, Layer: r.Layer, Over: r.Over, Size: r.Size, Copied: r.Bytes}
		if r.Verified != 0 {
			x.Verified = time.Unix(r.Verified, 0).UTC().Format(time.RFC3339)
		}
		l.Records = append(l.Records, x)
	}
	return l
}

// find is the record of a snapshot of a volume, of "latest" that of the youngest, or the
// one of an ID.
func find(records []catalog.Record, what string) (*catalog.Record, error) {
	volume, snapshot, named := strings.Cut(what, "@")
	if snapshot == schema.Latest {
		snapshot = ""
	}
	in := &catalog.Archive{Records: records}
	for i := range slices.Backward(records) {
		switch r := &records[i]; {
		case named && r.Of().Volume.Name == volume:
			if best := in.Youngest(r.Cluster, volume, snapshot); best != nil {
				return best, nil
			}
		case !named && len(what) >= 8 && strings.HasPrefix(r.ID, what):
			return r, nil
		}
	}
	return nil, fmt.Errorf("the archive has no record of %s", what)
}

// recorded says why a snapshot is not in the archive after a run; nil if it is.
func recorded(cfg *schema.Config, r *apply.Result, there bool, what, to string) error {
	switch {
	case len(r.Failures) > 0:
		return failures(cfg, r)
	case there:
		return nil
	case r.Stopped || r.Declined:
		return exitCode(1)
	}
	for _, f := range r.Plan.Blocked {
		if f.About == "volume "+strings.Split(what, "@")[0] {
			return fmt.Errorf("%s is not recorded in archive %s: %s", what, to, f.Text)
		}
	}
	return fmt.Errorf("%s is not recorded in archive %s: something else is to be done to the volume first, or the snapshot was not taken; see strata plan", what, to)
}

// layerNamed is the layer of a snapshot that counts on a current replica, by what was read
// last; "" for none. What another incarnation has of that name is another.
func layerNamed(cfg *schema.Config, r *apply.Result, volume, snapshot string) (name lineage.LvolName) {
	v := cfg.Volume(volume)
	if r.Snapshot == nil || v == nil {
		return ""
	}
	var best lineage.Epoch
	for _, id := range r.Snapshot.Incarnations(volume) {
		inc := r.Snapshot.Incarnation(cfg.Cluster, id)
		for _, leg := range r.Snapshot.Judge(inc, state.Question{Cluster: cfg.Cluster, Replicas: v.Replicas.Count}).Legs {
			if leg.Head == nil {
				continue
			}
			for layer, l := range inc.Layers(leg.Node, leg.Head.Lvol.Lvstore) {
				if of, ok := l.Parsed.(lineage.Layer); ok && !of.Own && of.Snapshot == snapshot && of.Epoch <= leg.Head.Name.Cut && of.Epoch > best {
					best, name = of.Epoch, layer
				}
			}
		}
	}
	return name
}
