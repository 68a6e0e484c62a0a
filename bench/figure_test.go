//go:build bench

package bench

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

var history = flag.String("history", "", "append every figure to this `file`, and compare with the last of its name there")

// TestMain says at the end that the tree is not as it was.
func TestMain(m *testing.M) {
	if what := os.Getenv(archiveChild); what != "" {
		if err := archiveWork(what, os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		memory, err := archiveMemory()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(memory)
		os.Exit(0)
	}
	code := m.Run()
	if *history != "" && *partName == "" {
		fmt.Printf("The figures of this run have been added to %s: commit them, or take them back with git checkout.\n", *history)
	}
	os.Exit(code)
}

// figure reports a ratio that was measured, what it is made of in words, and how
// it compares with the last time. It fails the test where it is more than most;
// 0 promises nothing.
func figure(t *testing.T, name string, ratio, most float64, words string, args ...any) {
	t.Helper()
	last, err := latest(*history)
	if err != nil {
		t.Fatal(err)
	}
	e := entry{time.Now().UTC().Format(time.DateOnly), commit(), name, ratio}
	t.Logf("%s: "+words, append([]any{name}, args...)...)
	if most == 0 {
		t.Logf("    ratio %.2f; %s", ratio, e.since(last[name]))
	} else {
		t.Logf("    ratio %.2f, at most %.2f is promised; %s", ratio, most, e.since(last[name]))
	}
	if *history != "" {
		if err := e.add(*history); err != nil {
			t.Error(err)
		}
	}
	if most > 0 && ratio > most {
		t.Errorf("%s: %.2f, and at most %.2f is promised", name, ratio, most)
	}
}

// commit is the one that is measured, with a + where files differ from it.
func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	name := strings.TrimSpace(string(out))
	if changes, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no", "--", ":(top)", ":(top,exclude)docs/bench-history.tsv").Output(); err != nil || len(changes) > 0 {
		name += "+"
	}
	return name
}

func median[T cmp.Ordered](list []T) T {
	list = slices.Clone(list)
	slices.Sort(list)
	return list[len(list)/2]
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
