package main

import (
	"errors"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// Numbers and times on the command line have bounds, which hold for every verb
// that has the flag: less than the least makes no sense.

// durationFlag adds a flag for a time of at least the least.
func durationFlag(cmd *cobra.Command, to *time.Duration, name string, value, least time.Duration, usage string) {
	*to = value
	cmd.Flags().Var(&bounded[time.Duration]{to, least, time.ParseDuration, time.Duration.String, "duration"}, name, usage)
}

// countFlag adds a flag for a number of at least the least.
func countFlag(cmd *cobra.Command, to *int, name string, value, least int, usage string) {
	*to = value
	cmd.Flags().Var(&bounded[int]{to, least, strconv.Atoi, strconv.Itoa, "int"}, name, usage)
}

// quietFlag has one meaning for every verb.
func quietFlag(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVarP(to, "quiet", "q", false, "no steps and no progress: print only what is wrong, and how it ended")
}

// bounded is the value of such a flag.
type bounded[T int | time.Duration] struct {
	to    *T
	least T
	parse func(string) (T, error)
	text  func(T) string
	kind  string
}

func (b *bounded[T]) Set(text string) error {
	v, err := b.parse(text)
	switch {
	case err != nil && b.kind == "int":
		return errors.New("want a whole number")
	case err != nil:
		return errors.New("want a time such as 10s or 2m")
	case v < b.least:
		return errors.New("the least is " + b.text(b.least))
	}
	*b.to = v
	return nil
}

func (b *bounded[T]) String() string {
	if b.to == nil {
		return ""
	}
	return b.text(*b.to)
}

func (b *bounded[T]) Type() string { return b.kind }
