package sweep

import (
	"flag"
	"os"
	"runtime/debug"
	"testing"
)

// TestMain has garbage collected rarely: a case lives for a tenth of a second
// and leaves a lot of it.
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(800)
	}
	os.Exit(m.Run())
}
