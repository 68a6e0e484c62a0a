package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTutorial follows the tutorial on real targets: what is typed where strata runs is run as
// it stands there, and what is typed on a node is done to the target. What the host has
// written at the beginning is there at the end.
func TestTutorial(t *testing.T) {
	text, err := os.ReadFile("../docs/tutorial-targets.md")
	if err != nil {
		t.Fatal(err)
	}
	l := NewLabOf(t, 2*gib, "n1", "n2", "n3", "n4")
	data := Pattern(11, 8*mib)
	typed := 0
	for _, block := range strings.Split(string(text), "\n```")[1:] {
		kind, block, _ := strings.Cut(block, "\n")
		switch {
		case kind == "sh":
			l.asTyped(block)
			typed++
		case kind != "console":
		case strings.Contains(block, "setup.sh"), strings.Contains(block, "spdk_tgt -r"): // they run
		case strings.Contains(block, "nvme connect"):
			l.Write("db", 3, data)
		case strings.Contains(block, "systemctl restart"):
			l.Kill("n1")
			l.Start("n1")
		case strings.Contains(block, "poweroff"):
			l.Kill("n3")
		default:
			t.Errorf("the test does not know what becomes of this:\n%s", block)
		}
		if t.Failed() {
			return
		}
	}
	if typed < 7 {
		t.Errorf("%d blocks", typed)
	}
	l.Read("db", 3, data)
}

var ofPage = regexp.MustCompile(`ssh://root@(n\d)/var/tmp/spdk\.sock", address: "[0-9.]+", pools: fast: {nvme: "0000:5e:00\.0"`)

// asTyped runs commands of a page, with this lab's targets and disks in place of those there.
func (l *Lab) asTyped(block string) {
	l.t.Helper()
	block = ofPage.ReplaceAllStringFunc(block, func(s string) string {
		x := l.Targets[ofPage.FindStringSubmatch(s)[1]]
		return fmt.Sprintf(`%s", address: %q, port: %s, pools: fast: {aio: %q`, x.RPC, x.Address, x.Port, x.Disk)
	})
	cmd := exec.Command("bash", "-c", "set -eux\n"+block)
	cmd.Dir = l.Dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(strata(l.t))+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	l.t.Logf("%s", out)
	if err != nil {
		l.t.Errorf("%v in:\n%s", err, block)
	}
}
