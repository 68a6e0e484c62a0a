package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"strata/fence/fencetest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"strata": main, "fence_dummy": fencetest.Main})
}

// TestScript runs the stories in testdata/script. Each has a directory lab with
// three nodes in nodes.cue, for which the command "sim" serves targets; a story
// adds its volumes. Commands beside testscript's own:
//
//	sim [-size=BYTES] [-copy=BYTES] [-only=PATH] [-profile=NAME] NODE...
//	                                         serve targets of that build; disks of that size, and no other than PATH; so much copied a second
//	copies hold [N] / copies end             they stay where they are, or do until strata has asked N times how far one is; they go on, and are waited for
//	down NODE... / up NODE...                a target dies; it comes back with nothing but its disks
//	freeze / thaw NODE...                    a target stops answering while its kernel goes on
//	partition / heal NODE NODE               packets between two nodes vanish
//	partition / heal ADDRESS                 those of other nodes to that address vanish
//	disk replace NODE PATH                   an empty disk instead, while the target is away
//	disk move|copy NODE PATH NODE PATH       of a target that is away, into another
//	fault RULE... / fault -none              what goes wrong from here on; see strata sim --help
//	[!] rpc [-raw] NODE METHOD [PARAMS]      one call; stdout has the result, stderr the error; a pool's lvstore is called as plans do, unless raw
//	rpc -times=N NODE METHOD PARAMS          that often, with %d in PARAMS counting up
//	await [-as=VAR] NODE METHOD [PARAMS] REGEXP   call until the result matches; $VAR is what its group has
//	clone NODE NODE[:PATH]                   the disk of a node, /dev/disk, is copied to another, or to another path; both are down
//	state [-foreign] [NODE...]               stdout has all there is, or what is not strata's
//	calls reset / calls none [NODE...]       no call since then changed anything
//	calls await NODE METHOD REGEXP           wait until it is called since then, with parameters that match
//	calls in FILE                            FILE, written by --debug-rpc, has every call since then
//	proxy [-tls] NODE USER PASSWORD          a proxy as SPDK's; $NODE has its address, proxy.pem its certificate
//	sshd DIR                                 a real sshd; $SSHD is user@host:port, DIR has id_ed25519 and known_hosts
//	logins [N]                               it has let in so many ssh connections since it was last asked
//	fence_dummy                              a fence agent, as fencetest has it
//	host VOLUME [NQN]                        connect a host to the volume's export
//	paths VOLUME [NQN]                       the same, by every path that there is
//	[!] discover ADDRESS NQN                 stdout has what that host finds from there, each with where it listens
//	keygen FILE                              a key for authentication, which nobody else may read
//	pskgen FILE                              a key of TLS, which nobody else may read
//	psk [FILE]                               hosts that connect from here on come by TLS with that key; without it, as others do
//	keys [FILE [FILE]]                       hosts that connect from here on have that key, and take targets for such as have the other
//	[!] write VOLUME OFFSET SIZE LETTER      write through that host
//	[!] read VOLUME OFFSET SIZE LETTER       read, and compare; the letter "zero" is no letter but a zero
//	[!] outside write|read VOLUME OFFSET SIZE LETTER [NQN]   a host connects over NVMe/TCP to a volume that strata sim --nvme serves
//	[!] replica NODE VOLUME[@SNAPSHOT] OFFSET SIZE LETTER   read a node's replica, or the layer there, and compare
//	same VOLUME[@SNAPSHOT] OFFSET SIZE NODE...  compare the nodes' replicas, or layers, with one another
//	reading [-held] VOLUME / reading -stop VOLUME   a host that reads without end, and has read once, unless it is held; fails when a read did
//	writing [-held] VOLUME / writing -stop VOLUME   a host that writes without end, as well; fails when a write did, or is not there
//	follow VOLUME                            its host goes on where the volume is exported now, what was not answered included
//	code N strata ...                        run it and expect an exit code
//	[!] json strata VERB ...                 run it; all it prints is JSON, as the schema for that verb says
//	[!] conforms DOCUMENT FILE               the file, or stdout, is as strata schema DOCUMENT says
//	at KILL|INT|TERM N|METHOD strata ...          run it; signal it at the Nth call that changes something, or the first of METHOD
//	watch [-as=NAME] [ARGS...]               strata watch of lab runs, and logs to NAME.log; the name is watch without another
//	watch [-as=NAME] -stop|-kill|-hangup|-freeze|-thaw   it is ended, and must end well; it is killed; SIGHUP; SIGSTOP and SIGCONT
//	[!] logged [-as=NAME] [-within=TIME] [-since=FILE] REGEXP  it logs that, or has since what was last waited for, or since FILE was copied from its log
//	get PATH [REGEXP...]                     that watch serves, until it matches all, and none with a "!" before it; !PATH is refused
//	archive DIR                              an empty repository, which is opened in no time; its password is "secret"
//	bucket NAME                              the same, as a bucket of a server; $S3 has its URL
//	config [-patient|-wait[=TIME]] [-addresses] NODE... -NODE... lab/nodes.cue again, with these nodes only, and those with a "-" retired; lost peers are given up late, or links wait
func TestScript(t *testing.T) { testscript.Run(t, stories("testdata/script")) }

// TestFailures runs the stories of docs/failures.md, each a failure that users
// of comparable systems have seen.
func TestFailures(t *testing.T) { testscript.Run(t, stories("testdata/failures")) }

func stories(dir string) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: false,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup:               setUp,
		Cmds:                commands,
		Condition:           condition,
	}
}

var commands = map[string]func(*testscript.TestScript, bool, []string){
	"sim":       inLab((*lab).cmdSim),
	"copies":    inLab((*lab).cmdCopies),
	"down":      inLab((*lab).cmdDown),
	"up":        inLab((*lab).cmdUp),
	"disk":      inLab((*lab).cmdDisk),
	"freeze":    inLab((*lab).cmdFreeze),
	"thaw":      inLab((*lab).cmdThaw),
	"partition": inLab((*lab).cmdPartition),
	"heal":      inLab((*lab).cmdHeal),
	"fault":     inLab((*lab).cmdFault),
	"rpc":       inLab((*lab).cmdRPC),
	"await":     inLab((*lab).cmdAwait),
	"clone":     inLab((*lab).cmdClone),
	"state":     inLab((*lab).cmdState),
	"calls":     inLab((*lab).cmdCalls),
	"proxy":     inLab((*lab).cmdProxy),
	"sshd":      inLab((*lab).cmdSSHD),
	"logins":    inLab((*lab).cmdLogins),
	"host":      inLab((*lab).cmdHost),
	"paths":     inLab((*lab).cmdPaths),
	"keys":      inLab((*lab).cmdKeys),
	"discover":  inLab((*lab).cmdDiscover),
	"keygen":    inLab((*lab).cmdKeygen),
	"psk":       inLab((*lab).cmdPSK),
	"pskgen":    inLab((*lab).cmdPSKgen),
	"write":     inLab((*lab).cmdWrite),
	"read":      inLab((*lab).cmdRead),
	"outside":   inLab((*lab).cmdOutside),
	"replica":   inLab((*lab).cmdReplica),
	"damage":    inLab((*lab).cmdDamage),
	"same":      inLab((*lab).cmdSame),
	"writing":   inLab((*lab).cmdWriting),
	"follow":    inLab((*lab).cmdFollow),
	"reading":   inLab((*lab).cmdReading),
	"code":      inLab((*lab).cmdCode),
	"json":      inLab((*lab).cmdJSON),
	"conforms":  inLab((*lab).cmdConforms),
	"at":        inLab((*lab).cmdAt),
	"watch":     inLab((*lab).cmdWatch),
	"logged":    inLab((*lab).cmdLogged),
	"get":       inLab((*lab).cmdGet),
	"config":    inLab((*lab).cmdConfig),
	"archive":   inLab((*lab).cmdArchive),
	"bucket":    inLab((*lab).cmdBucket),
}

type labKey struct{}

func setUp(env *testscript.Env) error {
	l := newLab(env.WorkDir)
	env.Values[labKey{}] = l
	env.Defer(l.close)
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		return err
	}
	env.Vars = append(env.Vars, "NO_COLOR=1", "EXAMPLES="+examples)
	return l.configure("n1", "n2", "n3")
}

// inLab makes a command of a method, which reports what goes wrong.
func inLab(do func(*lab, *script, []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		err := do(ts.Value(labKey{}).(*lab), &script{ts}, args)
		switch {
		case err != nil && neg:
			fmt.Fprintln(ts.Stderr(), err)
		case err != nil:
			ts.Fatalf("%v", err)
		case neg:
			ts.Fatalf("it succeeded")
		}
	}
}

// script is what a command may use of its story.
type script struct{ *testscript.TestScript }

// configure writes lab/nodes.cue.
func (l *lab) configure(nodes ...string) error {
	var b strings.Builder
	links := "{ctrlrLossTimeoutSec: 2, reconnectDelaySec: 1, fastIOFailTimeoutSec: 1}"
	switch flag, patience, _ := strings.Cut(nodes[0], "="); flag {
	case "-patient":
		links, nodes = "{ctrlrLossTimeoutSec: 60, reconnectDelaySec: 1, fastIOFailTimeoutSec: 60}", nodes[1:]
	case "-wait":
		links, nodes = fmt.Sprintf(`{loss: "wait", patience: %q}`, cmp.Or(patience, "1s")), nodes[1:]
	}
	fmt.Fprintf(&b, "package lab\n\ncluster: \"lab\"\n\nlinks: %s\n\n", links)
	address := `"10.0.0.%[1]s"`
	if nodes[0] == "-addresses" {
		address, nodes = `["10.0.0.%[1]s", "fd00::%[1]s"]`, nodes[1:]
	}
	for _, n := range nodes {
		if gone, retired := strings.CutPrefix(n, "-"); retired {
			fmt.Fprintf(&b, "retired: [%q]\n", gone)
			continue
		}
		fmt.Fprintf(&b, "nodes: %s: {rpc: \"unix://%s\", address: %s, labels: zone: %q, pools: fast: {aio: \"/dev/disk\", format: true}}\n",
			n, l.socket(n), fmt.Sprintf(address, strings.TrimLeft(n, "n")), "z"+n)
	}
	dir := filepath.Join(l.dir, "lab")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "nodes.cue"), []byte(b.String()), 0o644)
}

// cmdArchive copies a repository whose key costs little: one that is made now takes most of
// a second each time that it is opened.
func (l *lab) cmdArchive(s *script, args []string) error {
	return os.CopyFS(s.MkAbs(args[0]), os.DirFS(archiveDir))
}

var archiveDir, _ = filepath.Abs("testdata/archive")

func (l *lab) cmdConfig(_ *script, args []string) error { return l.configure(args...) }
