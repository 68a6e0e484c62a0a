package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// network gives targets network namespaces of their own, joined by a hub in
// which packets can be made to vanish. It needs root.
type hub struct {
	t      testing.TB
	middle string
	nodes  map[string]int
}

// newHub makes the hub, or says why it cannot.
func newHub(t testing.TB) (*hub, error) {
	n := &hub{t: t, middle: fmt.Sprintf("strata-%d-hub", os.Getpid()), nodes: map[string]int{}}
	if err := n.ip("netns", "add", n.middle); err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		for name := range n.nodes {
			n.ip("netns", "del", n.space(name))
		}
		n.ip("netns", "del", n.middle)
	})
	forward := exec.Command("ip", "netns", "exec", n.middle, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
	if out, err := forward.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("forwarding: %w: %s", err, out)
	}
	return n, nil
}

func (n *hub) space(node string) string { return n.middle + "-" + node }

// address is where a node is reached.
func (n *hub) address(node string) string { return fmt.Sprintf("10.213.%d.2", n.nodes[node]) }

// join makes the namespace of a node.
func (n *hub) join(node string) error {
	n.nodes[node] = len(n.nodes) + 1
	net, space, gate := fmt.Sprintf("10.213.%d", n.nodes[node]), n.space(node), "to-"+node
	for _, line := range []string{
		"netns add " + space,
		"-n " + space + " link set lo up",
		"-n " + n.middle + " link add " + gate + " type veth peer name hub netns " + space,
		"-n " + n.middle + " addr add " + net + ".1/30 dev " + gate,
		"-n " + n.middle + " link set " + gate + " up",
		"-n " + space + " addr add " + net + ".2/30 dev hub",
		"-n " + space + " link set hub up",
		"-n " + space + " route add default via " + net + ".1",
	} {
		if err := n.ip(strings.Fields(line)...); err != nil {
			return err
		}
	}
	return nil
}

// vanish makes every packet to and from a node vanish, or come through again.
func (n *hub) vanish(node string, on bool) {
	n.t.Helper()
	do := map[bool]string{true: "add", false: "del"}[on]
	for _, way := range []string{"from", "to"} {
		if err := n.ip("-n", n.middle, "rule", do, "pref", "1", way, n.address(node), "blackhole"); err != nil {
			n.t.Fatal(err)
		}
	}
}

// part makes every packet between two groups of nodes vanish, one pair after another, or
// come through again.
func (n *hub) part(these, those []string, on bool) error {
	do := map[bool]string{true: "add", false: "del"}[on]
	var batch strings.Builder
	for _, x := range these {
		for _, y := range those {
			for _, way := range [2][2]string{{x, y}, {y, x}} {
				fmt.Fprintf(&batch, "rule %s pref 2 from %s to %s blackhole\n", do, n.address(way[0]), n.address(way[1]))
			}
		}
	}
	cmd := exec.Command("ip", "-n", n.middle, "-batch", "-")
	cmd.Stdin = strings.NewReader(batch.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip -batch: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

func (n *hub) ip(args ...string) error {
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
