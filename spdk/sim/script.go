package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Grammar is how trouble is scripted, one rule a line.
const Grammar = `  fail NODE METHOD [N|every] before         the call has no effect, and no answer
  fail NODE METHOD [N|every] after          it has its effect, and no answer
  fail NODE METHOD [N|every] late [TIME]    it has its effect, the answer comes after TIME, or 30s
  fail NODE METHOD [N|every] cut            it has its effect, then the connection breaks
  fail NODE METHOD [N|every] error [CODE TEXT...]
                                            it is refused, with that or as an internal error
  fail NODE METHOD [N|every] caller         it has its effect, and the process that called is killed
  hang NODE [TIME] [WHEN]                   the target answers nothing, and no peer notices
  hang NODE TIME, then kill [TIME] [WHEN]   it does so for TIME, then it dies
  kill NODE [TIME] [WHEN]                   it dies; after TIME it is back with its disks
  start NODE                                it is back, if it had died, by itself or not; one that hangs
                                            dies first
  cut NODE NODE [TIME] [WHEN]               the two do not reach one another
  rpc-cut NODE [TIME] [WHEN]                strata does not reach it
  full NODE [TIME] [WHEN]                   its disks have no free cluster
  examine NODE TIME                         it finds what is on a disk that long after it has attached it

WHEN: at N: as the node takes up its Nth call; on METHOD [N]: its Nth call of METHOD; on event [N]: as a peer
tells it for the Nth time of a namespace, with cut one of the two the other. Otherwise at once.
Without TIME it lasts, until the same rule with a TIME ends it. N counts from the moment the rule is given.
A target whose peer vanishes behind such an event waits for it for 60s, and dies.`

// Rule is a line of a script.
type Rule struct {
	Text  string
	Verb  string
	Nodes []string
	// Method and Nth say at which call of the first node it happens: the Nth
	// of the method, of any if that is empty, and 0 for every one. Without a
	// Method and with an Nth of -1 it happens at once.
	Method string
	Nth    int
	How    string        // of fail
	For    time.Duration // how long; 0 for good
	Kill   bool          // of hang: then it dies
	Back   time.Duration // how long it is dead then; 0 for good
	Err    *Error
}

// rule is one that is played.
type rule struct {
	Rule
	seen int
	over bool
}

// ParseRule reads a line of a script.
func ParseRule(line string) (Rule, error) {
	p := &words{left: strings.Fields(line)}
	r := Rule{Text: strings.Join(p.left, " "), Nth: -1, Verb: p.next("a verb")}
	switch r.Verb {
	case "fail":
		p.failure(&r)
	case "cut":
		r.Nodes = []string{p.next("a node"), p.next("another node")}
		p.trouble(&r)
	case "examine":
		r.Nodes = []string{p.next("a node")}
		if r.For = p.duration(); r.For == 0 {
			p.fail("after examine and the node there is a time")
		}
	case "hang":
		p.left = strings.Fields(strings.ReplaceAll(strings.Join(p.left, " "), ",", " , "))
		r.Nodes = []string{p.next("a node")}
		p.hang(&r)
	case "kill", "rpc-cut", "full":
		r.Nodes = []string{p.next("a node")}
		p.trouble(&r)
	case "start":
		r.Nodes = []string{p.next("a node")}
	default:
		p.fail("%q is no verb; there are fail, hang, kill, start, cut, rpc-cut, full and examine", r.Verb)
	}
	if p.err == nil && len(p.left) > 0 {
		p.fail("%q is one word too many", p.left[0])
	}
	if p.err != nil {
		return Rule{}, fmt.Errorf("fault %q: %w", r.Text, p.err)
	}
	return r, nil
}

// words are what is left of a line, and what is wrong with it.
type words struct {
	left []string
	err  error
}

func (p *words) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

func (p *words) next(what string) string {
	if len(p.left) == 0 {
		p.fail("%s is missing", what)
		return ""
	}
	w := p.left[0]
	p.left = p.left[1:]
	return w
}

func (p *words) is(word string) bool {
	if len(p.left) > 0 && p.left[0] == word {
		p.left = p.left[1:]
		return true
	}
	return false
}

// number takes the next word if it is a number from 1.
func (p *words) number() (int, bool) {
	if len(p.left) == 0 {
		return 0, false
	}
	n, err := strconv.Atoi(p.left[0])
	if err != nil {
		return 0, false
	}
	if p.left = p.left[1:]; n < 1 {
		p.fail("calls are counted from 1")
	}
	return n, true
}

func (p *words) duration() (d time.Duration) {
	if len(p.left) == 0 {
		return 0
	}
	d, err := time.ParseDuration(p.left[0])
	if err != nil {
		return 0
	}
	if p.left = p.left[1:]; d <= 0 {
		p.fail("%v is no time to wait", d)
	}
	return d
}

// failure reads what follows fail.
func (p *words) failure(r *Rule) {
	r.Nodes = []string{p.next("a node")}
	r.Method = p.next("a method")
	p.count(r)
	switch r.How = p.next("how it fails (before, after, late, cut, error or caller)"); r.How {
	case "before", "after", "cut", "caller":
	case "late":
		if r.For = p.duration(); r.For == 0 {
			r.For = 30 * time.Second
		}
	case "error":
		r.Err = &Error{codeInternal, "Internal error"}
		if len(p.left) > 0 {
			code, err := strconv.Atoi(p.next("a code"))
			if err != nil || len(p.left) == 0 {
				p.fail("after error there is a code and what is said")
			}
			r.Err = &Error{code, strings.Join(p.left, " ")}
			p.left = nil
		}
	default:
		p.fail("%q is no way to fail; there are before, after, late, cut, error and caller", r.How)
	}
}

func (p *words) count(r *Rule) {
	if p.is("every") {
		r.Nth = 0
	} else if n, ok := p.number(); ok {
		r.Nth = n
	} else {
		r.Nth = 1
	}
}

// hang reads how long, what then, and when.
func (p *words) hang(r *Rule) {
	r.For = p.duration()
	if comma := p.is(","); p.is("then") {
		if r.Kill = p.is("kill"); !r.Kill {
			p.fail("after then there is kill")
		} else if r.For == 0 {
			p.fail("how long it hangs until it dies is missing")
		}
		r.Back = p.duration()
	} else if comma {
		p.fail("after the comma there is: then kill")
	}
	p.when(r)
}

// trouble reads how long and when.
func (p *words) trouble(r *Rule) {
	r.For = p.duration()
	p.when(r)
}

func (p *words) when(r *Rule) {
	switch {
	case p.is("at"):
		if n, ok := p.number(); ok {
			r.Nth = n
		} else {
			p.fail("after at there is the number of a call")
		}
	case p.is("on"):
		r.Method = p.next("a method")
		p.count(r)
	}
}

// Play adds rules to what goes wrong, in order.
func (c *Cluster) Play(rules ...Rule) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range rules {
		for _, n := range r.Nodes {
			if c.targets[n] == nil {
				return fmt.Errorf("fault %q: there is no node %s", r.Text, n)
			}
		}
		if r.Method != "" && methods[r.Method] == nil && (r.Method != onEvent || r.Verb == "fail") {
			return fmt.Errorf("fault %q: there is no method %s", r.Text, r.Method)
		}
	}
	for _, r := range rules {
		if r.Nth < 0 {
			c.begin(r)
		} else {
			c.rules = append(c.rules, &rule{Rule: r})
		}
	}
	return nil
}

// onEvent stands for a method in rules about events of namespaces.
const onEvent = "event"

// event plays the rules about what an initiator is told.
func (c *Cluster) event(ct *controller) {
	to, from := ct.p.t.name, ct.sub.p.t.name
	for _, r := range slices.Clone(c.rules) {
		if r.over || r.Method != onEvent || !slices.Contains(r.Nodes, to) || r.Verb == "cut" && !slices.Contains(r.Nodes, from) {
			continue
		}
		if r.seen++; r.Nth != 0 && r.seen != r.Nth {
			continue
		}
		r.over = r.Nth != 0
		c.begin(r.Rule)
	}
	c.rules = slices.DeleteFunc(c.rules, func(r *rule) bool { return r.over })
}

// Unplay forgets the rules that wait for a call.
func (c *Cluster) Unplay() { c.locked(func() { c.rules = nil }) }

// fault is what goes wrong with a call, by the hook and the rules.
func (c *Cluster) fault(t *Target, call Call) (f Fault) {
	if c.hook != nil {
		f = c.hook(call)
	}
	for _, r := range c.rules {
		if r.over || r.Nodes[0] != t.name || r.Method != "" && r.Method != call.Method {
			continue
		}
		if r.seen++; r.Nth != 0 && r.seen != r.Nth {
			continue
		}
		r.over = r.Nth != 0
		if r.Verb == "fail" {
			r.fault(&f)
		} else {
			lost := c.begin(r.Rule)
			f.LoseBefore = f.LoseBefore || lost
		}
	}
	c.rules = slices.DeleteFunc(c.rules, func(r *rule) bool { return r.over })
	return f
}

func (r *Rule) fault(f *Fault) {
	switch r.How {
	case "before":
		f.LoseBefore = true
	case "after":
		f.LoseAfter = true
	case "late":
		f.Late = r.For
	case "cut":
		f.Cut = true
	case "error":
		f.Err = r.Err
	case "caller":
		f.KillCaller = true
	}
}

// begin makes a trouble start, and end in time. It reports whether the call it
// began at is lost. What closes connections or starts a target cannot be done
// under the lock.
func (c *Cluster) begin(r Rule) (lost bool) {
	t := c.targets[r.Nodes[0]]
	var end func()
	switch r.Verb {
	case "hang":
		t.freeze(true)
		end = t.Thaw
		if r.Kill {
			end = func() {
				t.Stop()
				if r.Back > 0 {
					time.AfterFunc(r.Back, func() { t.Restart() })
				}
			}
		}
	case "kill":
		lost = true
		go t.Stop()
		end = func() { t.Restart() }
	case "start":
		if t.p == nil || t.p.frozen {
			go t.Restart()
		}
		return false
	case "cut":
		c.setCut(r.Nodes[0], r.Nodes[1], true)
		end = func() { c.Heal(r.Nodes[0], r.Nodes[1]) }
	case "rpc-cut":
		lost = true
		go t.CutRPC()
		end = t.RestoreRPC
	case "full":
		t.fill(true)
		end = t.Drain
	case "examine":
		t.examineTime = r.For
		return false
	}
	if r.For > 0 {
		time.AfterFunc(r.For, end)
	}
	return lost
}
