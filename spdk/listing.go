package spdk

import (
	"fmt"
	"slices"
)

// entry is one element of a listing.
type entry[T any] interface {
	*T
	// lacks names what it has not, though no target lists a thing without it;
	// "" for nothing. A list that is not there is no empty list.
	lacks() string
}

// listing asks for all there is of a kind. An answer that leaves out what every
// target says is no listing, and tells nothing of what is there.
func listing[T any, E entry[T]](r *Req, out *[]T) *Req {
	r.Result = out
	r.whole = func() error {
		for i := range *out {
			if what := E(&(*out)[i]).lacks(); what != "" {
				return fmt.Errorf("element %d of %d has no %s", i+1, len(*out), what)
			}
		}
		return nil
	}
	return r
}

// part is something that an entry must have, and what it is called.
type part struct {
	name  string
	there bool
}

// maxName is more than any name has that a target lists, in bytes.
const maxName = 4096

func named(s string) bool { return s != "" && len(s) <= maxName }

func lacking(parts ...part) string {
	for _, p := range parts {
		if !p.there {
			return p.name
		}
	}
	return ""
}

func (b *Bdev) lacks() string {
	return lacking(part{"name", named(b.Name) && !slices.ContainsFunc(b.Aliases, func(s string) bool { return !named(s) })}, part{"product name", b.ProductName != ""})
}

func (l *Lvol) lacks() string {
	return lacking(part{"name", named(l.Name)}, part{"UUID", l.UUID != ""}, part{"lvstore", named(l.Lvs.Name)})
}

func (s *Lvstore) lacks() string {
	return lacking(part{"name", named(s.Name)}, part{"UUID", s.UUID != ""}, part{"base bdev", s.BaseBdev != ""},
		part{"cluster size", s.ClusterSize > 0})
}

func (r *Raid) lacks() string {
	return lacking(part{"name", named(r.Name)}, part{"state", r.State != ""}, part{"list of base bdevs", r.Bases != nil})
}

func (s *Subsystem) lacks() string {
	what := lacking(part{"NQN", named(s.NQN)}, part{"subtype", s.Subtype != ""}, part{"list of hosts", s.Hosts != nil},
		part{"list of addresses", s.ListenAddresses != nil}, part{"list of namespaces", s.Namespaces != nil || s.Subtype == "Discovery"})
	for _, h := range s.Hosts {
		what = lacking(part{what, what == ""}, part{"NQN for a host", h.NQN != ""})
	}
	for _, a := range s.ListenAddresses {
		what = lacking(part{what, what == ""}, part{"transport for an address", a.TrType != ""})
	}
	for _, n := range s.Namespaces {
		what = lacking(part{what, what == ""}, part{"number for a namespace", n.NSID > 0}, part{"bdev for a namespace", n.BdevName != ""})
	}
	return what
}

func (t *Transport) lacks() string { return lacking(part{"type", t.TrType != ""}) }

func (c *Controller) lacks() string {
	what := lacking(part{"name", named(c.Name)}, part{"list of paths", c.Paths != nil})
	for _, p := range c.Paths {
		what = lacking(part{what, what == ""}, part{"state for a path", p.State != ""})
	}
	return what
}

func (d *UblkDisk) lacks() string { return lacking(part{"bdev", d.BdevName != ""}) }

func (d *NbdDisk) lacks() string {
	return lacking(part{"device", d.Device != ""}, part{"bdev", d.BdevName != ""})
}

func (l *Listener) lacks() string {
	return lacking(part{"transport", l.Address.TrType != ""})
}
