// Command strata keeps replicated SPDK volumes as their owner described them.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
)

func main() {
	tuneMemory()
	os.Exit(run())
}

// tuneMemory spends memory for time: most of what is read is kept until the next
// look, so nothing is collected below 512 MiB. GOGC and GOMEMLIMIT, where they
// are set, win.
func tuneMemory() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(-1)
		debug.SetMemoryLimit(512 << 20)
	}
}

// run executes the command line and returns the exit code: 0, or 1 for an
// error; plan and apply have more of their own.
func run() int {
	root := newRoot()
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	var silent exitCode
	if err != nil && !errors.As(err, &silent) {
		fmt.Fprintln(stderr, "strata:", message(err))
	}
	return codeOf(err)
}

// codeOf is the exit code for an error.
func codeOf(err error) int {
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	return 1
}

// exitCode is an error that says nothing and ends the program with a code.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// Exit codes beside 0 and 1.
const (
	exitChanges exitCode = 2 // plan --detailed-exitcode: there is something to do
	exitBlocked exitCode = 3 // apply, plan --detailed-exitcode: something is blocked, and nothing else is left to do
	exitDiffers exitCode = 3 // import: what was written is not all there is to say
)
