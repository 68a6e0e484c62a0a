package contract

import (
	"net"
	"strings"
	"testing"
	"time"

	"strata/spdk"
)

// Lab provides targets of one kind.
type Lab interface {
	// Do runs f, which may call t's methods except Run and Parallel. A lab
	// whose time is virtual makes its bubble here.
	Do(t *testing.T, f func(t *testing.T))
	// Fresh returns n running targets that reach one another, called n1, n2
	// and so on. They hold a TCP transport and nothing else; nothing is on
	// their disks. They are valid until t ends.
	Fresh(t *testing.T, n int) []Target
	// Slack is how much longer than they should things may take.
	Slack() time.Duration
	// Recorder is told what happens, if it is not nil.
	Recorder() *Recorder
}

// Target is one target of a Lab.
type Target interface {
	Client() *spdk.Client
	// Dial makes a connection of its own to the RPC socket.
	Dial() (net.Conn, error)
	// Disk is the path of a disk of 1 GiB, for bdev_aio_create.
	Disk() string
	// Copy makes a copy of the disk beside that of a target, and returns its
	// path there. Neither is running.
	Copy(to Target) string
	// Address and Port are where the target may listen.
	Address() string
	Port() string
	// Kill ends the target as a power failure does; Start starts it again,
	// with its disk and nothing else, not even a transport.
	Kill()
	Start()
	// Freeze stops the process while its kernel goes on, as SIGSTOP does.
	Freeze()
	Thaw()
	// Vanish makes every packet between the target and others vanish, or come
	// through again. It returns false, having done nothing, where the lab has no
	// power over the network.
	Vanish(on bool) bool
	// Crashed says whether the target has ended by itself, or does so now. It
	// is not running afterwards.
	Crashed() bool
}

// build is a bit for each build of SPDK that is known.
type build uint8

const (
	stock    build = 1 << iota // v26.05
	longhorn                   // Longhorn's fork, branch longhorn-v24.09
)

// group is the cases about one thing.
type group struct {
	name  string
	cases []example
}

// example is one thing that targets do.
type example struct {
	name  string
	nodes int
	run   func(c *run)
	only  build // 0: every build
}

// run is one case while it runs.
type run struct {
	*testing.T
	rec        *Recorder
	slack      time.Duration
	build      build
	n1, n2, n3 *node
}

func groups() []group {
	return []group{
		{"rpc", rpcCases}, {"params", paramCases}, {"disk", diskCases}, {"lvstore", lvstoreCases}, {"rename", renameCases},
		{"detach", detachCases}, {"twin", twinCases}, {"lvol", lvolCases},
		{"layer", layerCases}, {"copy", copyCases}, {"pools", poolsCases}, {"esnap", esnapCases}, {"nvmf", nvmfCases}, {"connected", connectedCases}, {"keys", keyCases}, {"tls", tlsCases}, {"ana", anaCases},
		{"nvme", nvmeCases}, {"alternates", alternateCases}, {"raid", raidCases}, {"laid", laidCases}, {"crypto", cryptoCases}, {"peer", peerCases}, {"patient", patientCases}, {"fence", fenceCases}, {"restart", restartCases}, {"fork", forkCases},
	}
}

// Run checks that the lab's targets keep the contract.
func Run(t *testing.T, lab Lab) {
	for _, g := range groups() {
		t.Run(g.name, func(t *testing.T) {
			for _, e := range g.cases {
				t.Run(strings.ReplaceAll(e.name, " ", "_"), func(t *testing.T) {
					lab.Do(t, func(t *testing.T) { one(t, lab, g.name, e) })
				})
			}
		})
	}
}

func one(t *testing.T, lab Lab, group string, e example) {
	c := &run{T: t, rec: lab.Recorder(), slack: lab.Slack()}
	targets := lab.Fresh(t, max(1, e.nodes))
	c.build = identify(t, targets[0])
	if e.only&c.build == 0 && e.only != 0 {
		t.Skip("another build")
	}
	c.rec.Fresh(group+": "+e.name, len(targets))
	for i, n := range []**node{&c.n1, &c.n2, &c.n3} {
		if i < len(targets) {
			*n = &node{c: c, target: targets[i], name: "n" + string(rune('1'+i))}
		}
	}
	e.run(c)
}

// identify asks a target which build it is, past the recorder.
func identify(t *testing.T, x Target) build {
	t.Helper()
	nc, err := x.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	patience(t, nc, 30*time.Second)
	answer, err := exchange(nc, `{"jsonrpc":"2.0","id":1,"method":"spdk_get_version"}`, 1)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(answer[0], "v24.09") {
		return longhorn
	}
	return stock
}

// until polls a condition that becomes true by itself. Only what it saw last
// is recorded.
func (c *run) until(what string, ready func() bool) {
	c.Helper()
	c.rec.hold()
	defer c.rec.release()
	for end := time.Now().Add(time.Minute); !ready(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			c.Fatalf("it never comes to this: %s", what)
		}
		c.rec.drop()
	}
}

// unrecorded keeps out of the transcript what is different every time.
func (c *run) unrecorded(f func()) {
	c.rec.hold()
	defer c.rec.release()
	f()
	c.rec.drop()
}

// near expects that something took about so long.
func (c *run) near(what string, got, want time.Duration) {
	c.Helper()
	if got < want-want/4 || got > want+want/4+c.slack {
		c.Errorf("%s took %v, want about %v", what, got, want)
	}
}

// by is what the target's build does.
func by[T any](c *run, onStock, onLonghorn T) T {
	if c.build == longhorn {
		return onLonghorn
	}
	return onStock
}

// equal expects a value.
func (c *run) equal(what string, got, want any) {
	c.Helper()
	if g, w := text(got), text(want); g != w {
		c.Errorf("%s: got %s, want %s", what, g, w)
	}
}
