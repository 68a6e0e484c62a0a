package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"strata/schema"
)

// chosenVolumes are the volumes that a verb is asked about; none for all.
type chosenVolumes struct{ names []string }

func (c *chosenVolumes) flag(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&c.names, "volume", nil, "only volume `NAME`, whatever else is called so; may be repeated")
}

// from takes the volumes out of the arguments, and leaves the configuration. An
// argument that is no file or directory and could be the name of a volume is one.
func (c *chosenVolumes) from(args []string) (paths []string) {
	for _, arg := range args {
		if _, err := os.Stat(arg); err != nil && !strings.ContainsAny(arg, `./\:`) {
			c.names = append(c.names, arg)
			continue
		}
		paths = append(paths, arg)
	}
	return paths
}

// check refuses names of volumes that nobody knows.
func (c *chosenVolumes) check(known []string) error {
	for _, name := range c.names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("there is no volume %s; %s", name, schema.Hint(name, "volumes", known))
		}
	}
	return nil
}

// volumeNames are those of a configuration: of volumes, parts, and what is laid out over
// parts.
func volumeNames(cfg *schema.Config) (names []string) {
	for _, v := range cfg.Volumes {
		names = append(names, v.Name)
	}
	for _, w := range cfg.Wholes {
		names = append(names, w.Name)
	}
	return names
}

// wholeNames are those without parts, sorted.
func wholeNames(cfg *schema.Config) []string {
	return sorted(slices.DeleteFunc(volumeNames(cfg), func(name string) bool {
		v := cfg.Volume(name)
		return v != nil && v.Part != nil
	}))
}

func nodeNames(cfg *schema.Config) (names []string) {
	for _, n := range cfg.Nodes {
		names = append(names, string(n.Name))
	}
	return names
}
