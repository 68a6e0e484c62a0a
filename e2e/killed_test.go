package e2e

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	rebuildCount = flag.Int("rebuilds", 20, "rebuilds that TestKilledRebuilds disturbs")
	seed         = flag.Uint64("seed", 0, "what TestKilledRebuilds and TestCutOff draw from; 0 for one of its own")
)

// TestKilledRebuilds kills something at a random moment of a rebuild: a target,
// at once or after it has stood still, the applier, or the network of a node. What
// is left of it is then brought to an end. No write that a host was told of is
// lost, and all replicas are equal.
//
// A target that ends by itself is one more fault: it is started again. One that has
// an event of a peer whose network is cut just then stands still for a minute before.
// Not many may.
//
// Every other rebuild is that of two replicas after all power was gone; before
// it the disks are read past the targets, and compared with what was written
// during and after the last two.
func TestKilledRebuilds(t *testing.T) {
	if !InOwnNetwork(t) {
		return
	}
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", *seed)
	c := &chaos{Lab: NewLab(t, gib), rnd: rand.New(rand.NewPCG(*seed, 0)), proxies: map[string]*Proxy{}}
	for _, n := range c.names {
		c.proxies[n] = NewProxy(t, c.Targets[n])
	}
	c.Configure(`db: {size: 16Mi, replicas: 3, engine: "n1", export: nvmf: hosts: "any"}`)
	c.Apply(0)
	data := Pattern(1, 8*mib)
	c.Write("db", 0, data)
	c.volumes = `db: {size: 16Mi, replicas: 3, engine: "n1", snapshots: ["a"], export: nvmf: hosts: "any"}`
	c.Configure(c.volumes)
	c.Apply(0)

	var writers [2]*Writer // of the last two rebuilds, each of its own part
	writes := int64(0)
	for i := range *rebuildCount {
		var w *Writer
		what := "all power was gone"
		if i%2 == 0 {
			w = c.StartWriter("db", 10, 1, 8)
			what = c.lose()
		}
		what += "; " + c.disturb(c.StartApply(), i)
		took := c.finish(what)
		if w == nil {
			w = c.StartWriter("db", 12, 1, 8)
		}
		w.Going(2*mib/block, 2*time.Minute) // every block is of this writer
		load := w.Stop()
		c.Settled()
		writers[i%2], writes = w, writes+load.Writes
		t.Logf("rebuild %d: %s; then current after %v; %v", i+1, what, took.Round(time.Millisecond), load)
		if i%2 == 0 || i+1 == *rebuildCount {
			c.compare(data, writers)
			c.Start()
		}
	}
	t.Logf("%d rebuilds were disturbed; %d writes were verified; %d targets ended by themselves", *rebuildCount, writes, c.ended)
	if most := 1 + *rebuildCount/5; c.ended > most {
		t.Errorf("that is more than %d", most)
	}
}

// compare ends all targets and compares the replicas with each other, and with
// what was written.
func (c *chaos) compare(data []byte, writers [2]*Writer) {
	c.t.Helper()
	stacks := c.Stacks("db")
	c.Kill()
	n := c.SameStacks(stacks, func(what string, image []byte) error {
		if at := difference(data, image[:len(data)]); at >= 0 {
			return fmt.Errorf("what was there before has changed, at byte %d", at)
		}
		for _, w := range writers {
			if w != nil && what == "head" {
				if _, err := w.Check(image, false); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if n != 3*2 {
		c.t.Errorf("%d lvols were compared: %v", n, stacks)
	}
	if c.t.Failed() {
		c.t.FailNow()
	}
}

// chaos is a lab in which things go wrong at random.
type chaos struct {
	*Lab
	rnd     *rand.Rand
	proxies map[string]*Proxy
	volumes string           // as configured
	ended   int              // targets, by themselves
	typical [2]time.Duration // that a rebuild takes: of one replica, and of two
}

// lose makes a replica stale.
func (c *chaos) lose() string {
	switch node := c.names[1+c.rnd.IntN(2)]; c.rnd.IntN(3) {
	case 0: // its leg is removed
		uuid := ""
		for _, lv := range c.Targets[node].Lvols("db") {
			if lv.Alias == c.Heads("db")[node] {
				uuid = lv.UUID
			}
		}
		c.Targets["n1"].Must("bdev_raid_remove_base_bdev", fmt.Sprintf(`{"name":%q}`, uuid))
		return "the leg on " + node + " is removed"
	case 1: // its target restarts
		c.Kill(node)
		Eventually(c.t, time.Minute, "the leg on "+node+" is lost", func() error { return c.lost("n1", 1) })
		c.Start(node)
		return node + " is restarted"
	default: // its disk is another
		c.Kill(node)
		Eventually(c.t, time.Minute, "the leg on "+node+" is lost", func() error { return c.lost("n1", 1) })
		c.Targets[node].NewDisk(gib)
		if pool := node + "/fast"; !contains(c.Retired, pool) {
			c.Retired = append(c.Retired, pool)
			c.Configure(c.volumes)
		}
		c.Start(node)
		return node + " has an empty disk"
	}
}

// disturb kills something during a rebuild, unless it is the first of its
// kind: then it measures how long one takes.
func (c *chaos) disturb(run *Run, i int) string {
	c.t.Helper()
	if i < len(c.typical) {
		run.Expect(0)
		c.typical[i] = time.Since(run.start)
		return fmt.Sprintf("the rebuild takes %v", c.typical[i].Round(time.Millisecond))
	}
	moment := time.Duration(c.rnd.Int64N(int64(c.typical[i%2])))
	kind, node := c.rnd.IntN(4), c.names[c.rnd.IntN(3)]
	if kind == 2 && !OwnNetwork() {
		kind = 1
	}
	time.Sleep(time.Until(run.start.Add(moment)))
	last := "the first step"
	for _, e := range run.Events() {
		if e.Event == "step" {
			last = e.Text
		}
	}
	what := ""
	switch kind {
	case 0:
		run.Kill()
		what = "apply is killed"
		run.Wait()
	case 1:
		c.kill(node)
		what = "the target of " + node + " is killed"
		c.end(run)
		c.Start(node)
	case 2:
		what = "the network of " + node + " is cut"
		c.proxies[node].Cut()
		if err := c.Targets[node].Disconnect(); err != nil {
			c.t.Fatal(err)
		}
		c.end(run)
		if err := c.Targets[node].Connect(); err != nil {
			c.t.Fatal(err)
		}
		c.proxies[node].Heal()
	case 3:
		still := 5*time.Second + time.Duration(c.rnd.Int64N(int64(25*time.Second)))
		what = fmt.Sprintf("the target of %s stands still for %v and ends", node, still.Round(time.Second))
		c.Targets[node].Freeze()
		time.Sleep(still)
		c.kill(node)
		c.end(run)
		c.Start(node)
	}
	return fmt.Sprintf("%s after %v, after %q", what, moment.Round(time.Millisecond), last)
}

// end waits for the end of an apply that cannot succeed, or had done so before.
func (c *chaos) end(run *Run) {
	c.t.Helper()
	done := make(chan int, 1)
	go func() { done <- run.Wait() }()
	select {
	case <-done:
	case <-time.After(3 * time.Minute):
		run.Kill()
		c.t.Fatalf("apply does not end:\n%s", run.Out())
	}
}

// kill ends a target, unless it has ended by itself.
func (c *chaos) kill(node string) {
	c.t.Helper()
	if c.Targets[node].Ended() {
		c.ended++
	} else {
		c.Kill(node)
	}
}

// answers is how long a target may stand still that does not end by itself.
const answers = 90 * time.Second

// revive waits until every target answers, and starts those again that have ended
// by themselves.
func (c *chaos) revive() {
	c.t.Helper()
	for _, n := range c.names {
		Eventually(c.t, answers, "the target of "+n+" answers, or ends", func() error {
			if c.Targets[n].Ended() {
				c.ended++
				c.Start(n)
			}
			_, err := c.Targets[n].Call("spdk_get_version", "")
			return err
		})
	}
}

// finish applies until all is well, and says how long that took. It may take
// more than one run: what failed twice is left to the next.
func (c *chaos) finish(what string) time.Duration {
	c.t.Helper()
	c.revive()
	start := time.Now()
	for tries := 1; ; tries++ {
		r := c.Strata("apply", "--auto-approve", "--timeout", "60s")
		if r.Code == 0 {
			if tries > 1 {
				c.t.Logf("it took %d runs", tries)
			}
			return time.Since(start)
		}
		if tries == 5 {
			c.t.Fatalf("%s; after %d runs:\n%s", what, tries, r.Out)
		}
		time.Sleep(time.Second) // targets find out about lost peers by themselves
		c.revive()
	}
}
