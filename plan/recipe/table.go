package recipe

import "slices"

// recipe is one of the things that are done to volumes.
type recipe struct {
	name string
	doc  string // what it does, in a line
	file string
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
	resuming   = recipe{"resume", "a pause that somebody left open ends", "resume.go", (*subject).resume}
	counting   = recipe{"spent", "a volume whose names count too high is left as it is", "spent.go", (*subject).spent}
	naming     = recipe{"names", "the heads say who is current: the next epoch is minted, and the rest fenced", "names.go", (*subject).names}
	shaking    = recipe{"shaken", "a head that is not complete is left alone while its node lets go of a peer", "peers.go", (*subject).shaking}
	mirroring  = recipe{"mirror", "legs are brought to the engine over links, and several of them into a RAID", "mirror.go", (*subject).mirror}
	parting    = recipe{"parted", "a leg whose peer is let go in this pass is looked at in the next", "peers.go", (*subject).parted}
	reducing   = recipe{"reduce", "replicas beyond the number asked for go", "reduce.go", (*subject).reduce}
	expanding  = recipe{"expand", "every leg grows", "expand.go", (*subject).expand}
	holding    = recipe{"hold", "an export that is to go stays while its engine would not be believed without", "serve.go", (*subject).hold}
	exporting  = recipe{"export", "hosts reach the volume as configured, and in no other way", "export.go", (*subject).export}
	rebuilding = recipe{"rebuild", "a volume that lacks a replica gets it, while hosts go on writing", "rebuild.go", (*subject).rebuild}
	tidying    = recipe{"tidy", "what nobody uses is taken off the links, and staging goes", "mirror.go", (*subject).tidy}
	cutting    = recipe{"cut", "a layer is cut that is configured, due by schedule, or a mark (mark.go), in a group at one instant (group.go)", "cut.go", (*subject).takeLayer}
)

var making = course{"A volume that nobody has", []row{
	{recipe{"seen", "no volume is new while a node that may have a replica was not read", "create.go", (*subject).seen}, []result{acted, blocked}},
	{recipe{"clone", "sealed heads on a layer of another volume", "clone.go", (*subject).createClone}, []result{acted, blocked}},
	{recipe{"adopt", "an lvol of somebody else's becomes its head", "adopt.go", (*subject).adopt}, []result{acted, blocked}},
	{recipe{"create", "sealed heads, which are empty", "create.go", (*subject).create}, nil},
}}

var beginning = course{"A volume that is there, before anything else", []row{
	{resuming, nil},
	{counting, []result{blocked}},
	{recipe{"end", "engines end that were given up, and are back", "end.go", (*subject).endOthers}, nil},
	{recipe{"overtaken", "an engine that serves nobody is left as it is while others may be ahead of it", "overtaken.go", (*subject).believe}, []result{blocked}},
	{recipe{"peers", "links whose peer was given up are made again before their volume is served", "peers.go", (*subject).peers}, []result{acted, blocked}},
}}

var moving = course{"One that an engine serves: it stays in use, or is taken down to be started in another shape", []row{
	{naming, nil},
	{recipe{"move", "another node becomes the engine: the one that is set", "move.go", (*subject).move}, []result{acted}},
	{recipe{"relink", "links of a former name are left", "former.go", (*subject).relink}, []result{acted}},
	{recipe{"leave", "another node becomes the engine when no replica is to stay on its own", "engine.go", (*subject).leave}, []result{acted}},
	{recipe{"swap", "an empty volume that lacks replicas gets them", "swap.go", (*subject).fillUp}, []result{acted}},
	{recipe{"widen", "a volume whose engine did not hear that a leg grew is started again", "expand.go", (*subject).widen}, []result{acted}},
}}

var keeping = course{"One that an engine goes on serving", []row{
	{shaking, []result{acted}},
	{mirroring, []result{blocked}},
	{parting, []result{acted}},
	{reducing, nil},
	{expanding, nil},
	{holding, []result{blocked}},
	{exporting, nil},
	{rebuilding, nil},
	{tidying, nil},
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
	{recipe{"unsure", "no volume is started from a disk that may be a copy", "unsure.go", (*subject).unsure}, []result{blocked}},
	{recipe{"fill", "an empty volume gets the heads that it lacks", "create.go", (*subject).makeMissing}, nil},
	{expanding, nil},
	{mirroring, []result{blocked}},
	{naming, nil},
	{exporting, nil},
	{reducing, nil},
}}

var layering = course{"The layers of a volume of which all legs can be reached", []row{
	{recipe{"copied", "layers stay while a run that is over still copies one", "running.go", (*subject).copying}, []result{blocked}},
	{recipe{"merge", "what an interrupted cut left goes, and what strata needed for itself", "layers.go", (*subject).mergeLeftovers}, []result{acted, blocked}},
	{recipe{"detach", "a clone is made to stand on no layer of another volume", "clone.go", (*subject).detach}, []result{acted}},
	{recipe{"revert", "the head is put on an older layer again", "revert.go", (*subject).revert}, []result{acted, blocked}},
	{recipe{"remove", "layers go that are not configured any more, or too many (retain.go)", "layers.go", (*subject).removeLayers}, nil},
	{cutting, nil},
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

// try tries one recipe.
func (s *subject) try(r recipe) result {
	outer := s.b.doing
	s.b.doing = r.name
	came := r.try(s)
	s.b.doing = outer
	return came
}
