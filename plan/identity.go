package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"strata/lineage"
)

// key has what tells an op from others of its type and node, in parts. What
// is another when a plan is made again later is not among it: UUIDs, tokens, and how
// much there is to copy.
type key []part

// part is one of them.
type part interface {
	// canonical is the same text for the same part of another plan.
	canonical(*identity) string
}

// The parts that name no object.
type (
	text   string
	number int64
	flag   bool
	// bdevsNamed are equal: their order says nothing.
	bdevsNamed []Label
	// derived follows from the id of the volume that another part names. It counts
	// only where that is drawn.
	derived struct{ part }
)

// Undrawn has the names of volumes whose ids are drawn when they are made. In steps
// that name one, no id counts.
type Undrawn map[string]bool

// Undrawn are the volumes that the plan makes, of which it does not know the id.
func (p *Plan) Undrawn(c lineage.Cluster) Undrawn {
	all := Undrawn{}
	for _, step := range p.Steps() {
		for _, x := range step.Op.key() {
			if o, ok := x.(object); ok {
				if v, _ := o.volume(c); v.ID == lineage.Pending {
					all[v.Name] = true
				}
			}
		}
	}
	return all
}

// ID says what a step does, and to what: the same step in another plan has the
// same. Of a head and of staging it counts which replica it is, and not the epoch,
// which is another after every interruption; that of a layer tells layers of one
// name apart.
func (s *Step) ID(c lineage.Cluster, undrawn Undrawn) string {
	id := identity{cluster: c, undrawn: undrawn}
	parts := s.Op.key()
	id.add(text(opName(s.Op)))
	id.add(text(s.Op.On()))
	for _, p := range parts {
		if _, follows := p.(derived); !follows {
			id.add(p)
		}
	}
	for _, p := range parts {
		if d, follows := p.(derived); follows && !id.pending {
			id.add(d.part)
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(id.parts, " ")))
	return hex.EncodeToString(sum[:8])
}

// identity is an ID that is made up.
type identity struct {
	cluster lineage.Cluster
	undrawn Undrawn
	parts   []string
	pending bool // it names a volume whose id is not drawn
}

func (id *identity) add(p part) { id.parts = append(id.parts, strconv.Quote(p.canonical(id))) }

// known is a volume as far as its name is known when it is planned.
func (id *identity) known(v lineage.Volume) lineage.Volume {
	if id.undrawn[v.Name] {
		v.ID = lineage.Pending
	}
	id.pending = id.pending || v.ID == lineage.Pending
	return v
}

func (t text) canonical(*identity) string   { return string(t) }
func (n number) canonical(*identity) string { return strconv.FormatInt(int64(n), 10) }
func (f flag) canonical(*identity) string   { return strconv.FormatBool(bool(f)) }

func (n lvolNamed) canonical(id *identity) string {
	name, ok := lineage.Parse(lineage.LvolName(n))
	if !ok {
		return string(n)
	}
	v := id.known(name.Of())
	switch name := name.(type) {
	case lineage.Head:
		return v.String() + "#"
	case lineage.Staging:
		if name.Forerunner() {
			return v.String() + "+~"
		}
		return v.String() + "+"
	case lineage.Layer:
		name.Volume = v
		return string(name.Lvol())
	case lineage.Scrubbed: // layers may be compared meanwhile
		return string(lineage.Scrubbed{Volume: v, Damaged: name.Damaged, Anew: name.Anew}.Lvol())
	}
	return string(n)
}

func (n bdevNamed) canonical(id *identity) string {
	if changes(lineage.UUID(n)) {
		return ""
	}
	if place, name, ok := Label(n).lvol(); ok {
		return place + "/" + lvolNamed(name).canonical(id)
	}
	if v, ok := id.cluster.ParseCipher(string(n)); ok {
		return strings.Replace(string(n), v.String(), id.known(v).String(), 1)
	}
	return raidNamed(n).canonical(id)
}

func (list bdevsNamed) canonical(id *identity) string {
	var all []string
	for _, l := range list {
		name := bdevNamed(l).canonical(id)
		if name == "" {
			return ""
		}
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func (n subsystemNamed) canonical(id *identity) string {
	if v, ok := n.volume(id.cluster); ok {
		return string(id.cluster.ExportNQN(id.known(v)))
	}
	return string(n)
}

func (v keyOf) canonical(id *identity) string { return id.known(lineage.Volume(v)).String() }

func (n raidNamed) canonical(id *identity) string {
	if v, ok := n.volume(id.cluster); ok {
		return id.cluster.Raid(id.known(v))
	}
	return string(n)
}

// changes reports whether a bdev has no name but a UUID or token: those change
// from one look to the next, as an lvol that one plan makes has a UUID in the next.
func changes(u lineage.UUID) bool {
	if IsToken(u) {
		return true
	}
	groups := strings.Split(string(u), "-")
	for i, digits := range []int{8, 4, 4, 4, 12} {
		if len(groups) != 5 || len(groups[i]) != digits || strings.Trim(groups[i], "0123456789abcdef") != "" {
			return false
		}
	}
	return true
}
