package e2e

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"strata/lineage"
	"strata/nvmetcp"
)

var cutCount = flag.Int("cuts", 10, "times that TestCutOff cuts an engine off")

// TestCutOff cuts an engine that has a replica of its own off from the other nodes, at a
// random moment, while a host on each side of the cut writes to the volume and reads it.
// One host reaches only the engine then, the other only the rest; so does strata, which has
// another node take over: a watch by itself once a fence agent has switched the engine's
// node off, or a person who vouches for that, while the engine goes on running. The cut
// heals, and the old engine returns.
//
// No write is acknowledged by one engine after the other has acknowledged one; whatever was
// acknowledged is in the volume, nothing that was not comes in after something else was
// written over it, and no host reads what was overwritten, unless a person has vouched
// wrongly. In the end all replicas are equal.
//
// The engine is cut off from all at once, or from one after the other; strata is refused by
// its node, or hears nothing; and somebody who reaches that node only may apply there.
func TestCutOff(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", *seed)
	c := newCuts(t)
	var overs [2][]time.Duration
	for i := range *cutCount {
		if over, attended := c.round(i + 1); over > 0 {
			overs[boolIndex(attended)] = append(overs[boolIndex(attended)], over)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	for i, by := range []string{"a watch", "a person"} {
		if len(overs[i]) > 0 {
			t.Logf("another had taken over by %s and served the host on its side %s after the cut", by, spread(overs[i]))
		}
	}
	t.Logf("%d cuts: %d writes were acknowledged, %d of them begun after a cut and acknowledged by the engine that was cut off; 0 by both; reads of what was overwritten: %d while a person vouched for an engine that went on",
		*cutCount, c.writes, c.alone, c.stale)
}

func boolIndex(b bool) int {
	if b {
		return 1
	}
	return 0
}

// cuts is a lab in which engines are cut off.
type cuts struct {
	*Lab
	net     *hub
	rnd     *rand.Rand
	proxies map[string]*Proxy
	watch   *Watch
	hosts   map[string]*sideHost // "a" is on the side of the engine that is cut off, "b" on the other

	writes, alone, stale int
}

// cutVolume is served by whoever took over last.
const cutVolume = `db: {size: 16Mi, replicas: 3, auto: ["serve", "fence", "rebuild", "change"], failover: "auto", export: nvmf: {hosts: "any", standby: 2}}`

func newCuts(t *testing.T) *cuts {
	t.Helper()
	net, err := newHub(t)
	if err != nil {
		t.Skipf("needs root, for networks that can be cut: %v", err)
	}
	names := []string{"n1", "n2", "n3"}
	for _, n := range append(names, "a", "b") {
		if err := net.join(n); err != nil {
			t.Fatal(err)
		}
	}
	c := &cuts{net: net, rnd: rand.New(rand.NewPCG(*seed, 1)), proxies: map[string]*Proxy{}, hosts: map[string]*sideHost{}}
	c.Lab = newLab(t, gib/4, names, func(_ int, x *Target) error {
		x.Space, x.Address = net.space(x.Name), net.address(x.Name)
		return nil
	})
	agent := filepath.Join(c.Dir, "fence_power")
	if err := os.WriteFile(agent, []byte(fencePower), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("STRATA_FENCE_AGENTS", agent)
	c.Node = fmt.Sprintf(`fence: {command: [%q], options: machine: %q}`, agent, filepath.Join(c.Dir, "NODE.power"))
	c.Links = `{loss: "wait", patience: "1s"}`
	for _, n := range names {
		c.proxies[n] = NewProxy(t, c.Targets[n])
		c.powered(c.Targets[n])
	}
	c.Configure(cutVolume)
	c.Apply(0)
	c.watched()
	nqn, _ := c.exporter("db")
	for _, name := range []string{"a", "b"} {
		h := &sideHost{name: name, hostNQN: "nqn.2026-01.org.example:host-" + name, space: net.space(name), nqn: nqn, ledger: newLedger(name[0], map[string]int64{"a": mib, "b": 9 * mib}[name], 128)}
		for _, n := range names {
			h.paths = append(h.paths, c.Targets[n])
		}
		c.hosts[name] = h
	}
	c.begin()
	return c
}

// fencePower is the fence agent of a machine, which is a process.
const fencePower = `#!/bin/sh
while IFS= read -r line; do
	case $line in
	action=*) action=${line#action=} ;;
	machine=*) machine=${line#machine=} ;;
	esac
done
if [ "$action" = metadata ]; then
	echo '<resource-agent name="fence_power"><actions><action name="on"/><action name="off"/><action name="reboot"/><action name="status"/><action name="monitor"/></actions></resource-agent>'
	exit 0
fi
process=$(cat "$machine") || exit 1
case $action in
off) kill -KILL "$process" ;;
monitor) ;;
status) grep -q '^State:[[:space:]]*[A-WY]' "/proc/$process/status" 2>/dev/null || exit 2 ;;
*) exit 1 ;;
esac
`

// powered tells the fence agent of a node's process.
func (c *cuts) powered(x *Target) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.Dir, x.Name+".power"), fmt.Appendln(nil, x.cmd.Process.Pid), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// begin has hosts write all of the volume once, for what was never written may differ
// between replicas, and go on.
func (c *cuts) begin() {
	c.t.Helper()
	a, b := c.hosts["a"], c.hosts["b"]
	a.other, b.other = b.ledger, a.ledger
	image := make([]byte, 16*mib)
	for _, h := range c.hosts {
		for i := range h.blocks {
			copy(image[h.offset+int64(i)*block:], h.fill(i, 0))
		}
	}
	a.eventually(c.t, "writes the volume", func(ctx context.Context, d *nvmetcp.Device) error { return d.WriteAt(ctx, image, 0) })
	for name, h := range c.hosts {
		h.start(*seed + uint64(name[0]))
		c.t.Cleanup(h.end)
	}
}

// watched starts a watch.
func (c *cuts) watched() { c.watch = c.StartWatch("--timeout", "2s") }

// round cuts the engine off once, and says after what time another served, and whether a
// person has said that it may.
func (c *cuts) round(n int) (over time.Duration, attended bool) {
	t := c.t
	t.Helper()
	a, b := c.hosts["a"], c.hosts["b"]
	_, engine := c.exporter("db")
	rest := slices.DeleteFunc(slices.Clone(c.names), func(x string) bool { return x == engine.Name })
	attended = c.rnd.IntN(3) > 0
	c.sleep(800)

	how := "a watch"
	if attended {
		how = "a person"
	}
	how += c.cutOff(engine.Name, rest)
	cut := time.Now()
	var run *Run
	if attended {
		c.sleep(500)
		run = c.StartApply("--timeout", "2s", "--failover", "db")
	}
	var inside *exec.Cmd
	if c.rnd.IntN(2) == 0 {
		how += ", while somebody applies on the side of the engine"
		inside = c.applyInside(engine, rest)
	}
	var first time.Time
	Eventually(t, time.Minute, fmt.Sprintf("cut %d of %s, by %s: the host on the other side goes on", n, engine.Name, how), func() error {
		for _, x := range b.taken() {
			if x.by != engine.Name && x.begun.After(cut) {
				first = x.told
				return nil
			}
		}
		return errNotYet
	})
	over = first.Sub(cut)
	c.sleep(500)
	if run != nil {
		run.Wait()
	}
	if inside != nil && inside.Wait() == nil {
		t.Errorf("cut %d: who reaches the old engine only has nothing left to do", n)
	}

	if engine.zombie() {
		engine.Kill()
		how += ", which had its node switched off"
	}
	c.heal(engine, rest)
	healed := time.Now()
	c.whole(n)
	took := time.Since(healed)
	for _, h := range []*sideHost{a, b} {
		before := len(h.taken())
		Eventually(t, 20*time.Second, "host "+h.name+" writes again", func() error {
			if len(h.taken()) < before+50 {
				return errNotYet
			}
			return nil
		})
	}
	c.watch.Stop() // a new one knows of no node that it comes and goes
	a.quiet(func() { b.quiet(func() { c.verify(n, engine.Name, cut, attended, &how) }) })
	c.watched()
	_, now := c.exporter("db")
	t.Logf("cut %d: of %s, by %s; %s served after %v; whole %v after it healed; %s", n, engine.Name, how, now.Name, over.Round(time.Millisecond), took.Round(time.Millisecond), time.Since(cut).Round(time.Millisecond))
	return over, attended
}

var errNotYet = wanted{"not yet", "so"}

// sleep sleeps for a random time below so many milliseconds.
func (c *cuts) sleep(most int) { time.Sleep(time.Duration(c.rnd.IntN(most)) * time.Millisecond) }

// cutOff cuts a node and the host on its side off from the others and from strata, in some
// order, and says how.
func (c *cuts) cutOff(node string, rest []string) (how string) {
	c.t.Helper()
	c.rnd.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	cuts := []func(){
		func() { c.part([]string{node, "a"}, rest[:1], true) },
		func() { c.part([]string{node, "a"}, rest[1:], true) },
		func() { c.part([]string{node}, []string{"b"}, true) },
		func() {
			if how = ", who hears nothing of it"; c.rnd.IntN(2) == 0 {
				how = ", who is refused"
				c.proxies[node].Cut()
			} else {
				c.proxies[node].Mute()
			}
		},
	}
	c.rnd.Shuffle(len(cuts), func(i, j int) { cuts[i], cuts[j] = cuts[j], cuts[i] })
	slow := c.rnd.IntN(3) == 0
	for _, cut := range cuts {
		if cut(); slow {
			c.sleep(300)
		}
	}
	if slow {
		how += ", bit by bit"
	}
	return how
}

func (c *cuts) part(these, those []string, on bool) {
	c.t.Helper()
	if err := c.net.part(these, those, on); err != nil {
		c.t.Fatal(err)
	}
}

// applyInside starts an apply that reaches the engine that is cut off, and no other node.
func (c *cuts) applyInside(engine *Target, rest []string) *exec.Cmd {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.Dir, "lab.cue"))
	if err != nil {
		c.t.Fatal(err)
	}
	names := []string{engine.RPC, "unix://" + engine.Socket}
	for _, n := range rest {
		names = append(names, c.Targets[n].RPC, "unix://"+filepath.Join(c.Dir, "nowhere.sock"))
	}
	file := filepath.Join(c.Dir, "inside.cue")
	if err := os.WriteFile(file, []byte(strings.NewReplacer(names...).Replace(string(text))), 0o644); err != nil {
		c.t.Fatal(err)
	}
	cmd := exec.Command(strata(c.t), "apply", "--auto-approve", "--timeout", "2s", file)
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { cmd.Process.Kill() })
	return cmd
}

// heal ends a cut, in some order; a node that was switched off is switched on.
func (c *cuts) heal(x *Target, rest []string) {
	c.t.Helper()
	heals := []func(){
		func() { c.part([]string{x.Name, "a"}, rest, false) },
		func() { c.part([]string{x.Name}, []string{"b"}, false) },
		func() { c.proxies[x.Name].Heal() },
	}
	if x.cmd == nil {
		c.Start(x.Name)
		c.powered(x)
	}
	c.rnd.Shuffle(len(heals), func(i, j int) { heals[i], heals[j] = heals[j], heals[i] })
	slow := c.rnd.IntN(3) == 0
	for _, heal := range heals {
		if heal(); slow {
			c.sleep(1000)
		}
	}
}

// whole waits until all replicas are current, and nothing is left to do.
func (c *cuts) whole(n int) {
	c.t.Helper()
	Eventually(c.t, 90*time.Second, fmt.Sprintf("cut %d: all replicas are current again", n), func() error {
		epochs := map[string]bool{}
		heads := c.headsOf(c.names...)
		for _, h := range heads {
			_, epoch, _ := strings.Cut(h, "#")
			if strings.ContainsAny(epoch, "xys") {
				return wanted{heads, "current ones"}
			}
			epochs[strings.TrimSuffix(epoch, "p")] = true
		}
		if len(heads) != 3 || len(epochs) != 1 {
			return wanted{heads, "three of an epoch"}
		}
		return nil
	})
	Eventually(c.t, 30*time.Second, fmt.Sprintf("cut %d: nothing is left to do", n), func() error {
		if r := c.Strata("plan", "--detailed-exitcode"); r.Code != 0 {
			return wanted{r.Out, "nothing to do"}
		}
		return nil
	})
}

// verify compares what hosts were told with what is there, while they are quiet.
func (c *cuts) verify(n int, engine string, cut time.Time, attended bool, how *string) {
	t := c.t
	t.Helper()
	var acks []ack
	for _, h := range c.hosts {
		acks = append(acks, h.taken()...)
		if err := h.wrong.Load(); err != nil {
			t.Errorf("cut %d: %v", n, *err)
		}
		if stale := int(h.stale.Swap(0)); stale > 0 {
			*how += fmt.Sprintf(", while host %s read %d blocks that were overwritten", h.name, stale)
			if c.stale += stale; !attended {
				t.Errorf("cut %d: host %s has read %d blocks that were overwritten before it asked", n, h.name, stale)
			}
		}
	}
	both, alone := bothAcknowledged(cut, engine, acks)
	if c.writes, c.alone = c.writes+len(acks), c.alone+alone; both > 0 {
		t.Errorf("cut %d: %d writes were acknowledged by %s after another node had acknowledged one", n, both, engine)
	}
	image := c.hosts["b"].image(t)
	legs := c.legs()
	if n%10 == 0 || n == *cutCount {
		legs = c.replicas()
	}
	for _, h := range c.hosts {
		if err := h.judgeAll(image); err != nil {
			t.Errorf("cut %d: by the export: %v", n, err)
		}
		for node, leg := range legs {
			if err := h.judgeAll(leg); err != nil {
				t.Errorf("cut %d: on %s: %v", n, node, err)
			}
			if at := difference(image, leg); at >= 0 {
				t.Errorf("cut %d: the replica on %s differs from byte %d on", n, node, at)
			}
		}
		h.settle(image)
	}
}

// legs reads the replicas that are not on the engine's node, each as the engine does.
func (c *cuts) legs() map[string][]byte {
	c.t.Helper()
	const cluster = lineage.Cluster("e2e")
	_, engine := c.exporter("db")
	to := lineage.Node(engine.Name)
	images := map[string][]byte{}
	for _, n := range c.names {
		if n == engine.Name {
			continue
		}
		leg := &sideHost{
			name: "at " + n, hostNQN: string(cluster.HostNQN(to)), space: c.net.space("b"), paths: []*Target{c.Targets[n]},
			nqn: string(cluster.LinkNQN(lineage.Link{From: lineage.Node(n), To: to, Wait: true})),
		}
		images[n] = leg.image(c.t)
		leg.close()
	}
	return images
}

// replicas reads every replica from a copy of its disk, for targets are running.
func (c *cuts) replicas() map[string][]byte {
	c.t.Helper()
	var reading sync.WaitGroup
	var mu sync.Mutex
	images := map[string][]byte{}
	for node, head := range c.Heads("db") {
		reading.Go(func() {
			disk := c.Targets[node].Disk + ".copy"
			defer os.Remove(disk)
			if out, err := exec.Command("cp", "--sparse=always", c.Targets[node].Disk, disk).CombinedOutput(); err != nil {
				c.t.Errorf("copying the disk of %s: %v: %s", node, err, out)
				return
			}
			image := c.imageOn(disk, c.bin.HostMask, node, head)
			mu.Lock()
			defer mu.Unlock()
			images[node] = image
		})
	}
	reading.Wait()
	if len(images) != 3 {
		c.t.Errorf("%d replicas were compared: %v", len(images), slices.Sorted(maps.Keys(images)))
	}
	return images
}
