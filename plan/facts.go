package plan

import "strata/lineage"

// Facts are what follows from an Op for those who do not carry it out. They are
// written without names of the fields: whoever leaves one out is told so by the
// compiler.
type Facts struct {
	Risk  Risk // the mildest at which any recipe takes it
	of    object
	Hosts Hosts
	Copy  Copy
}

// Copy is what an op moves.
type Copy struct {
	Nodes []lineage.Node // that take part; none where nothing is copied
	Bytes int64          // at most
}

// Hosts is what an op does to the hosts of a subsystem.
type Hosts struct {
	NQN    lineage.NQN
	Effect Effect
}

// Effect is whether hosts wait.
type Effect int

// What an op may change of that.
const (
	NoEffect   Effect = iota
	IOHeld            // they wait, and keep their path
	IOGoesOn          // what was held goes on
	PathTaken         // they wait for a path if it is to be given back (Step.Begins)
	PathGiven         // they have a path, on whichever node
	ExportGone        // they have nothing to wait for, unless another node is to show it
)

// What most ops do of these.
var (
	noHosts = Hosts{}
	noCopy  = Copy{}
)

// Begins names the export whose hosts begin to wait with the step, or would if they
// did not wait already; "" for none. A path that is taken is to be given back if
// that is a pause, and is gone if the step's risk is another.
func (s *Step) Begins() lineage.NQN {
	h := s.Op.Facts().Hosts
	if h.Effect == IOHeld || h.Effect == PathTaken && s.Risk == RiskPause {
		return h.NQN
	}
	return ""
}

// Ends names the export whose hosts go on with an op that does this; "" for none.
func (h Hosts) Ends() lineage.NQN {
	if h.Effect == IOGoesOn || h.Effect == PathGiven {
		return h.NQN
	}
	return ""
}

// An object is what an op works on, as a plan names it.
type object interface {
	// volume is whose it is; false if it is no volume's, or does not say.
	volume(lineage.Cluster) (lineage.Volume, bool)
}

// The objects that ops name.
type (
	lvolNamed      lineage.LvolName
	bdevNamed      Label
	subsystemNamed lineage.NQN
	raidNamed      string
	keyOf          lineage.Volume
	noVolume       struct{}
)

func (n lvolNamed) volume(lineage.Cluster) (lineage.Volume, bool) {
	if name, ok := lineage.Parse(lineage.LvolName(n)); ok {
		return name.Of(), true
	}
	return lineage.Volume{}, false
}

func (n bdevNamed) volume(c lineage.Cluster) (lineage.Volume, bool) {
	if _, name, ok := Label(n).lvol(); ok {
		return lvolNamed(name).volume(c)
	}
	if v, ok := c.ParseCipher(string(n)); ok {
		return v, true
	}
	return c.ParseRaid(string(n))
}

func (n subsystemNamed) volume(c lineage.Cluster) (lineage.Volume, bool) {
	return c.ParseExport(lineage.NQN(n))
}

func (n raidNamed) volume(c lineage.Cluster) (lineage.Volume, bool) { return c.ParseRaid(string(n)) }

func (v keyOf) volume(lineage.Cluster) (lineage.Volume, bool) { return lineage.Volume(v), v.Name != "" }

func (noVolume) volume(lineage.Cluster) (lineage.Volume, bool) { return lineage.Volume{}, false }
