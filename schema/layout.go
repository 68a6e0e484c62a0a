package schema

import (
	"cmp"
	"fmt"
	"slices"

	"strata/lineage"
)

// Whole is a volume that is laid out over several, its parts. Hosts are shown the
// whole, and each part is replicated, rebuilt and snapshotted as a volume of its own.
type Whole struct {
	// Volume is what is configured of the whole; its Size is that of all parts together.
	Volume
	Layout lineage.Layout
}

// Part says what a volume is a part of.
type Part struct {
	Whole string
	Index int // from 0
	// Last is set in the part that nothing of the whole lies behind; in all of a striped
	// one, which grow together.
	Last bool
}

// linearStripKiB is the strip of a whole whose parts follow one another: I/O is split at
// its bounds, and parts have whole ones.
const linearStripKiB = lineage.MaxStripKiB

// StripKiB is what a target is told to be the strip of a whole.
func (w *Whole) StripKiB() int { return cmp.Or(w.Layout.StripKiB, linearStripKiB) }

// Whole returns the whole of that name, or nil.
func (c *Config) Whole(name string) *Whole {
	for _, w := range c.Wholes {
		if w.Name == name {
			return w
		}
	}
	return nil
}

// WholeOf returns the whole that a volume is a part of, or nil.
func (c *Config) WholeOf(v *Volume) *Whole {
	if v == nil || v.Part == nil {
		return nil
	}
	return c.Whole(v.Part.Whole)
}

// Parts are the parts of a whole in their order.
func (c *Config) Parts(w *Whole) (parts []*Volume) {
	for i := range w.Layout.Parts {
		parts = append(parts, c.Volume(lineage.PartName(w.Name, i)))
	}
	return parts
}

// Shown returns what hosts see of a configured name: the volume, or the whole of parts;
// nil for neither.
func (c *Config) Shown(name string) *Volume {
	if w := c.Whole(name); w != nil {
		return &w.Volume
	}
	return c.Volume(name)
}

const wantLayout = `{linear: [{size: 64Gi}, {size: 32Gi}]} or {stripe: {parts: 4, stripSize: 64Ki}}`

// layout reads how a volume is laid out over parts; nil if it is not.
func (o object) layout(v *Volume) (*Whole, []laidPart) {
	at := o.field("layout")
	if at == nil {
		v.Size, _ = o.required("size", "64Gi").bytes()
		return nil, nil
	}
	w := &Whole{}
	l, ok := at.object(wantLayout)
	if !ok {
		return w, nil
	}
	l.only(layoutFields)
	linear, stripe := l.field("linear"), l.field("stripe")
	if len(v.Name) > lineage.MaxWhole {
		at.wrong("", "needs a shorter name of the volume: at most %d bytes, for its parts are called %s and so on", lineage.MaxWhole, lineage.PartName("db", 0))
	}
	var parts []laidPart
	switch {
	case linear != nil && stripe != nil:
		at.wrong("leave out one of the two", "names two ways, linear and stripe")
	case linear != nil:
		if f := o.field("size"); f != nil {
			f.wrong("leave it out", "does not go together with layout: linear, whose parts say their sizes")
		}
		parts = linear.linear(w, v)
	case stripe != nil:
		parts = o.stripe(stripe, w, v)
	case len(l.fields) == 0:
		at.wrong("", "must be %s", wantLayout)
	}
	o.laidAlone(v)
	return w, parts
}

// laidPart is what is configured of a part.
type laidPart struct {
	at       object
	size     int64
	replicas Replicas
}

// linear reads parts that follow one another.
func (s *spot) linear(w *Whole, v *Volume) (parts []laidPart) {
	elems, ok := s.list("a list of parts such as [{size: 64Gi}, {size: 32Gi, replicas: 3}]")
	if ok && (len(elems) == 0 || len(elems) > lineage.MaxParts) {
		s.wrong("", "must have from 1 to %d parts, not %d", lineage.MaxParts, len(elems))
	}
	for _, e := range elems {
		o, ok := e.object("a struct such as {size: 64Gi, replicas: 3}")
		if !ok {
			continue
		}
		o.only(partFields)
		p := laidPart{at: o, replicas: v.Replicas}
		p.size, _ = o.required("size", "64Gi").bytes()
		if f := o.field("replicas"); f != nil {
			p.replicas = Replicas{Count: defaultReplicas}
			f.replicas(&p.replicas)
		}
		v.Size += p.size
		parts = append(parts, p)
	}
	w.Layout = lineage.Layout{Parts: len(elems)}
	return parts
}

// stripe reads parts that are striped over.
func (o object) stripe(s *spot, w *Whole, v *Volume) (parts []laidPart) {
	v.Size, _ = o.required("size", "64Gi").bytes()
	f, ok := s.object("a struct such as {parts: 4, stripSize: 64Ki}")
	if !ok {
		return nil
	}
	f.only(stripeFields)
	n, ok := f.required("parts", "4").integer(fmt.Sprintf("a number of parts from 1 to %d", lineage.MaxParts), 1, lineage.MaxParts)
	strip, is := f.required("stripSize", "64Ki").number("a number of bytes such as 64Ki", lineage.MinStripKiB<<10, lineage.MaxStripKiB<<10)
	if is && (strip%1024 != 0 || !lineage.ValidStrip(int(strip/1024))) {
		f.field("stripSize").wrong("", "must be a power of two from %dKi to 1Mi, not %d bytes", lineage.MinStripKiB, strip)
		is = false
	}
	if !ok || !is {
		return nil
	}
	w.Layout = lineage.Layout{Parts: int(n), StripKiB: int(strip / 1024)}
	if each := n * sizeUnit; v.Size%each != 0 {
		up := (v.Size/each + 1) * each
		o.field("size").wrong("the next such size is "+SizeText(up), "must be a multiple of %s, 1Mi for each of its %d parts", SizeText(each), n)
		return nil
	}
	for range n {
		parts = append(parts, laidPart{at: o, size: v.Size / n, replicas: v.Replicas})
	}
	return parts
}

// laidAlone refuses what a volume that is laid out cannot have.
func (o object) laidAlone(v *Volume) {
	for _, name := range []string{"head", "from", "adopt", "backup", "encryption"} {
		if f := o.field(name); f != nil {
			f.wrong("leave out one of the two", "does not go together with layout: parts cannot be reverted, cloned, adopted, restored, backed up or encrypted together yet")
		}
	}
	if v.Consistency == ConsistencyNone {
		o.field("consistency").wrong("leave it out", `is "none", and the parts of a volume that is laid out are snapshotted at one instant, for which hosts are held`)
	}
	export := o.field("export").placement()
	for _, kind := range []string{"ublk", "nbd"} {
		if f := export.field(kind); f != nil {
			f.wrong("export it through nvmf", "is a device of one node's kernel, whose I/O cannot be held, and a volume that is laid out is not shown so yet")
		}
	}
	if f := export.field("nvmf").placement().field("vip"); f != nil {
		f.wrong("leave out one of the two; standby works", "does not go together with layout yet")
	}
}

// lay takes a volume that is laid out apart into volumes, one for each part.
func (w *Whole) lay(v *Volume, parts []laidPart) (all []*Volume) {
	w.Volume = *v
	for i, p := range parts {
		part := *v
		part.Name = lineage.PartName(v.Name, i)
		part.Part = &Part{Whole: v.Name, Index: i, Last: w.Layout.StripKiB > 0 || i == len(parts)-1}
		part.Size, part.Replicas, part.Limits = p.size, p.replicas, Limits{}
		part.Group = cmp.Or(v.Group, v.Name+".*")
		part.Field = map[string]Pos{}
		for name, pos := range v.Field {
			part.Field[name] = pos
		}
		for _, f := range p.at.fields {
			part.Field[f.name] = f.pos()
		}
		all = append(all, &part)
	}
	return all
}

// whole checks a volume that is laid out against the nodes and the volumes before it.
func (r *relations) whole(w *Whole, o object, parts []*Volume, laid []laidPart, good bool) {
	if r == nil {
		return
	}
	if !good {
		r.unread[w.Name] = true
		return
	}
	if w.Engine != "" && r.nodes[w.Engine] == nil {
		o.field("engine").noNode(w.Engine, r)
	}
	r.standby(&w.Volume, o)
	var seats []*Node
	for i, v := range parts {
		if i > 0 && w.Layout.StripKiB > 0 {
			break // all are alike
		}
		at := laid[i].at
		if at.field("replicas") == nil && i > 0 && w.Layout.StripKiB == 0 {
			at = object{spot: at.spot, fields: append(slices.Clone(at.fields), o.field("replicas"))}
			at.fields = slices.DeleteFunc(at.fields, func(s *spot) bool { return s == nil })
		}
		if r.known(v, at.field("replicas").placement()) && !r.broken {
			r.fit(v, at)
			r.failover(v, o)
			part := *v
			part.Export = w.Export
			seats = append(seats, r.served(&part)...)
		}
	}
	r.sent(&w.Volume, seats, o)
	r.tls(&w.Volume, o)
	r.overRDMA(&w.Volume, o)
}
