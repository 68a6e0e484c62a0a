// Command strata keeps replicated SPDK volumes as their owner described them.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

func main() {
	tuneMemory()
	os.Exit(run())
}

// uncollected is the memory, in bytes, below which nothing is collected.
const uncollected = 512 << 20

// tuneMemory spends memory for time: most of what is read is kept until the next
// look, so nothing is collected below 512 MiB. Where more of that is in use than
// leaves room for what is soon done with, the limit is raised, or collecting would
// be half of what the program does. GOGC and GOMEMLIMIT, where they are set, win.
func tuneMemory() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(uncollected)
	afterCollections(func() {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		debug.SetMemoryLimit(max(uncollected, 2*int64(live[0].Value.Uint64())+uncollected/4))
	})
}

// afterCollections calls f after each collection.
func afterCollections(f func()) {
	// Anything smaller would share its memory, and its end, with others.
	runtime.SetFinalizer(new([2]int64), func(*[2]int64) {
		f()
		afterCollections(f)
	})
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
	exitTimeout exitCode = 4 // wait: it was not so within the time given
)
