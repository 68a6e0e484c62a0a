package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// uncollected is the memory, in bytes, below which nothing is collected. Where data of
// volumes passes through it is passing: what is done with at once is soon more than all
// that is kept, and nothing is faster for its being kept longer.
const (
	uncollected = 512 << 20
	passing     = 192 << 20
)

// leftAlone is the one of them that holds now.
var leftAlone atomic.Int64

// tuneMemory spends memory for time: most of what is read is kept until the next
// look, so nothing is collected below 512 MiB. Where more of that is in use than
// leaves room for what is soon done with, the limit is raised, or collecting would
// be half of what the program does. GOGC and GOMEMLIMIT, where they are set, win.
func tuneMemory() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	leftAlone.Store(uncollected)
	debug.SetGCPercent(-1)
	limitMemory()
	afterCollections(limitMemory)
}

// dataPasses says that data of volumes will pass through from now on.
func dataPasses() {
	if leftAlone.CompareAndSwap(uncollected, passing) {
		limitMemory()
	}
}

// limitMemory sets the limit, for what is in use.
func limitMemory() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	least := leftAlone.Load()
	debug.SetMemoryLimit(max(least, 2*int64(live[0].Value.Uint64())+least/4))
}

// afterCollections calls f after each collection.
func afterCollections(f func()) {
	// Anything smaller would share its memory, and its end, with others.
	runtime.SetFinalizer(new([2]int64), func(*[2]int64) {
		f()
		afterCollections(f)
	})
}
