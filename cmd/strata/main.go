// Command strata keeps replicated SPDK volumes as their owner described them.
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	tuneMemory()
	os.Exit(run())
}

// run executes the command line and returns the exit code: 0, or 1 for an
// error; plan and apply have more of their own.
func run() int {
	root := newRoot()
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := noCommand(root, root.Execute())
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
	exitStops   exitCode = 2 // plan --if: a volume would stop
	exitBlocked exitCode = 3 // apply, plan --detailed-exitcode: something is blocked, and nothing else is left to do
	exitDiffers exitCode = 3 // import: what was written is not all there is to say
	exitTimeout exitCode = 4 // wait: it was not so within the time given
)
