package main

import (
	"encoding/json"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/mattn/go-isatty"
)

// Colours, used only on a terminal and never with NO_COLOR.
var (
	good  = style{lipgloss.NewStyle().Foreground(lipgloss.Color("2"))}
	bad   = style{lipgloss.NewStyle().Foreground(lipgloss.Color("1"))}
	worry = style{lipgloss.NewStyle().Foreground(lipgloss.Color("3"))}
	faint = style{lipgloss.NewStyle().Faint(true)}
)

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// elapsed formats a duration to the millisecond.
func elapsed(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) + "s"
}

// interactive reports whether somebody can be asked.
func interactive(f *os.File) bool { return isatty.IsTerminal(f.Fd()) }
