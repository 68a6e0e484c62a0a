package recipe

import "slices"

// recipe is one of the things that are done to volumes.
type recipe struct {
	name string
	doc  string // what it does, in a line
	file string
	// duty is what a volume's auto has to allow where nobody looks at the plan.
	duty duty
	try  func(*subject) result
}

// course has recipes in the order in which they are tried on a volume.
type course struct {
	when string // it is tried
	rows []row
}

// row is a recipe in its place in a course.
type row struct {
	recipe
	ends []result // after which the rest of the course is not tried in this pass
}

// Recipes that have a place in more than one course, or are tried by themselves.
var (
	resuming   = recipe{"resume", "a pause that somebody left open ends", "resume.go", serving, (*subject).resume}
	counting   = recipe{"spent", "a volume whose names count too high is left as it is", "spent.go", asks, (*subject).spent}
	naming     = recipe{"names", "the heads say who is current: the next epoch is minted, and the rest fenced", "names.go", serving.except("where a leg was lost or has joined, `fence`"), (*subject).names}
	enduring   = recipe{"patience", "legs whose peer is gone are waited for, over links that wait, or the epoch without them is minted and the peer let go", "patience.go", serving.except("to mint and let go, `fence`"), (*subject).patience}
	suspending = recipe{"suspend", "a volume is taken down whose engine is on a node that is suspended, and stays down until it is back", "suspend.go", serving, (*subject).suspend}
	shaking    = recipe{"shaken", "a head that is not complete is left alone while its node lets go of a peer", "peers.go", asks, (*subject).shaking}
	mirroring  = recipe{"mirror", "legs are brought to the engine over links, and several of them into a RAID", "mirror.go", serving, (*subject).mirror}
	parting    = recipe{"parted", "a leg whose peer is let go in this pass is looked at in the next", "peers.go", asks, (*subject).parted}
	reducing   = recipe{"reduce", "replicas beyond the number asked for go", "reduce.go", remaking.except("current replicas, `move`"), (*subject).reduce}
	expanding  = recipe{"expand", "every leg grows", "expand.go", changing, (*subject).expand}
	holding    = recipe{"hold", "an export that is to go stays while its engine would not be believed without", "serve.go", asks, (*subject).hold}
	exporting  = recipe{"export", "hosts reach the volume as configured, and in no other way", "export.go", serving.except("hosts that are new, `change`; what is to go, never"), (*subject).export}
	repairing  = recipe{"repair", "a replica with a layer that is damaged is made anew from that layer on, by one that is well", "repair.go", remaking.except("to let it go, `move`"), (*subject).repair}
	rebuilding = recipe{"rebuild", "a volume that lacks a replica gets it, while hosts go on writing", "rebuild.go", remaking.except("where only the place is another, `change` or `move`, too"), (*subject).rebuild}
	rekeying   = recipe{"rekey", "replicas are written anew, with another key or none, one after the other while hosts go on", "rekey.go", relocating, (*subject).rekey}
	tidying    = recipe{"tidy", "what nobody uses is taken off the links, and staging goes", "mirror.go", remaking, (*subject).tidy}
	standing   = recipe{"standby", "other nodes have a path for hosts, which leads to no disk until the engine is there", "standby.go", serving.except("hosts that are new, `change`; what is to go, never"), (*subject).standby}
	cutting    = recipe{"cut", "a layer is cut that is configured, due by schedule, or a mark (mark.go), in a group at one instant (group.go)", "cut.go", either.except("what is no mark, `change` in all of its group"), (*subject).takeLayer}
)

var making = course{"A volume that nobody has", []row{
	{recipe{"follow", "what an archive has of another is written to it as it is recorded; when it is to follow no more, it is served", "follow.go", changing, (*subject).following}, []result{acted, blocked}},
	{recipe{"instant", "hosts use it while what an archive has of it is still being written", "instant.go", serving.except("what is written, `change`"), (*subject).runsAhead}, []result{acted, blocked}},
	{recipe{"seen", "no volume is new while a node that may have a replica was not read", "create.go", asks, (*subject).seen}, []result{acted, blocked}},
	{recipe{"clone", "sealed heads on a layer of another volume", "clone.go", changing, (*subject).createClone}, []result{acted, blocked}},
	{recipe{"restore", "a sealed head of what an archive or a file has", "restore.go", changing, (*subject).restore}, []result{acted, blocked}},
	{recipe{"adopt", "an lvol of somebody else's becomes its head", "adopt.go", changing, (*subject).adopt}, []result{acted, blocked}},
	{recipe{"create", "sealed heads, which are empty", "create.go", changing, (*subject).create}, nil},
}}

var beginning = course{"A volume that is there, before anything else", []row{
	{recipe{"suspended", "a volume that needs a suspended node is left as it is", "suspend.go", asks, (*subject).suspended}, []result{blocked}},
	{recipe{"untrimmed", "what an interrupted trim has left of a volume ends", "trim.go", serving, (*subject).untrimmed}, nil},
	{resuming, nil},
	{counting, []result{blocked}},
	{recipe{"alone", "a volume whose next step is left to a person is left as it is", "alone.go", asks, (*subject).alone}, []result{blocked}},
	{recipe{"ciphered", "a volume that is encrypted and not to be, or the other way round, is left as it is", "cipher.go", asks, (*subject).ciphered}, []result{blocked}},
	{recipe{"silence", "the listeners of an engine go that another has taken over from, and that is back", "return.go", serving.except("that takes `fence`"), (*subject).silence}, []result{acted, blocked}},
	{recipe{"end", "engines end that were given up, and are back", "end.go", serving.except("where another engine serves, `fence`"), (*subject).endOthers}, nil},
	{recipe{"overtaken", "an engine that serves nobody is left as it is while others may be ahead of it", "overtaken.go", asks, (*subject).believe}, []result{blocked}},
	{enduring, []result{acted, blocked}},
	{recipe{"peers", "links whose peer was given up are made again before their volume is served", "peers.go", serving, (*subject).peers}, []result{acted, blocked}},
}}

// apart is tried in a pass of its own, before everything else.
var apart = course{"One that a suspended node serves, before all others are looked at", []row{{suspending, nil}}}

var moving = course{"One that an engine serves: it stays in use, or is taken down to be started in another shape", []row{
	{naming, nil},
	{recipe{"move", "another node becomes the engine: the one that is set", "move.go", personal, (*subject).move}, []result{acted}},
	{recipe{"relink", "links of a former name are left", "former.go", changing, (*subject).relink}, []result{acted}},
	{recipe{"leave", "another node becomes the engine when no replica is to stay on its own", "engine.go", relocating.except("only where hosts have a standby path"), (*subject).leave}, []result{acted}},
	{recipe{"swap", "an empty volume that lacks replicas gets them", "swap.go", remaking, (*subject).fillUp}, []result{acted}},
	{recipe{"widen", "a volume whose engine did not hear that a leg grew is started again", "expand.go", changing, (*subject).widen}, []result{acted}},
}}

var keeping = course{"One that an engine goes on serving", []row{
	{shaking, []result{acted}},
	{mirroring, []result{blocked}},
	{parting, []result{acted}},
	{reducing, nil},
	{expanding, nil},
	{holding, []result{blocked}},
	{exporting, nil},
	{repairing, []result{acted}},
	{rebuilding, nil},
	{rekeying, nil},
	{tidying, nil},
	{standing, nil},
}}

// relieving is keeping for hosts that wait, and nothing else.
var relieving = course{"The same, by a run that only lets hosts go on", []row{
	{shaking, []result{acted}},
	{mirroring, []result{blocked}},
	{parting, []result{acted}},
	{holding, []result{blocked}},
	{exporting, nil},
}}

var starting = course{"One that no engine serves, which is started; then rebuild, where it is to have no engine, and tidy", []row{
	{recipe{"unsure", "no volume is started from a disk that may be a copy", "unsure.go", asks, (*subject).unsure}, []result{blocked}},
	{recipe{"fill", "an empty volume gets the heads that it lacks", "create.go", either, (*subject).makeMissing}, nil},
	{expanding, nil},
	{mirroring, []result{blocked}},
	{naming, nil},
	{exporting, nil},
	{reducing, nil},
}}

var layering = course{"The layers of a volume of which all legs can be reached", []row{
	{recipe{"copied", "layers stay while a run that is over still copies one", "running.go", asks, (*subject).copying}, []result{blocked}},
	{recipe{"merge", "what an interrupted cut left goes, and what strata needed for itself", "layers.go", either, (*subject).mergeLeftovers}, []result{acted, blocked}},
	{recipe{"detach", "a clone is made to stand on no layer of another volume", "clone.go", changing, (*subject).detach}, []result{acted}},
	{recipe{"revert", "the head is put on an older layer again", "revert.go", releasing, (*subject).revert}, []result{acted, blocked}},
	{recipe{"remove", "layers go that are not configured any more, or too many (retain.go)", "layers.go", changing.except("only by `keep`"), (*subject).removeLayers}, nil},
	{cutting, nil},
	{recipe{"backup", "a snapshot is recorded in an archive that is to be there", "backup.go", changing, (*subject).backup}, nil},
	{recipe{"trim", "what nobody uses and reads as zero is freed, if that is asked for", "trim.go", personal, (*subject).trim}, nil},
	{recipe{"scrub", "layers are read, if that is asked for or due, and compared", "scrub.go", changing, (*subject).scrub}, nil},
}}

// through tries the recipes of a course, each on what the ones before it leave. It
// reports whether it came to the end of it.
func (s *subject) through(c course) bool {
	for _, r := range c.rows {
		if slices.Contains(r.ends, s.try(r.recipe)) {
			return false
		}
	}
	return true
}

// try tries one recipe, if that may be done.
func (s *subject) try(r recipe) result {
	if !s.tries(r.duty) {
		return idle
	}
	outer := s.b.doing
	s.b.doing = r.name
	came := r.try(s)
	s.b.doing = outer
	return came
}
