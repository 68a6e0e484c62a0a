package schema

import (
	"slices"
	"strings"

	"cuelang.org/go/cue"

	"strata/amount"
	"strata/lineage"
)

const wantExport = `"none", {nvmf: hosts: ["nqn.…"]}, {nvmf: hosts: "any"}, {ublk: 1} or {nbd: "/dev/nbd0"}`

func (s *spot) export(e *Export) {
	if s == nil || !s.resolve() && s.value.Err() == nil {
		return
	}
	if s.value.Kind() == cue.StringKind {
		s.matching(wantExport, func(t string) bool { return t == string(ExportNone) })
		return
	}
	o, ok := s.object(wantExport)
	if !ok {
		return
	}
	o.only(exportFields)
	var given []string
	for _, name := range exportFields {
		if o.field(name) != nil {
			given = append(given, name)
			e.Kind = ExportKind(name)
		}
	}
	switch {
	case len(given) > 1:
		s.wrong("", "names several ways, %s: a volume is exported in one", strings.Join(given, " and "))
	case len(given) == 0 && len(o.fields) == 0:
		s.wrong("", "must be %s", wantExport)
	}
	o.field("nvmf").nvmf(e)
	if id, ok := o.field("ublk").integer("the number of a ublk device, from 0 to 1048575", 0, maxUblkID); ok {
		e.UblkID = int(id)
	}
	e.NBD, _ = o.field("nbd").matching(`a device such as "/dev/nbd0"`, nbdPath.MatchString)
}

func (s *spot) nvmf(e *Export) {
	if s == nil {
		return
	}
	const want = `a list of host NQNs or "any"`
	o, ok := s.object(`{hosts: ["nqn.…"]} or {hosts: "any"}`)
	if !ok {
		return
	}
	o.only(nvmfFields)
	if n, ok := o.field("standby").integer("a number of nodes from 0 to 15", 0, maxStandby); ok {
		e.Standby = int(n)
	}
	e.RDMA = o.field("transport").rdma()
	e.VIP = o.field("vip").vip()
	hosts := o.required("hosts", `["nqn.2014-08.org.nvmexpress:uuid:…"] or hosts: "any"`)
	if hosts == nil || !hosts.resolve() {
		return
	}
	if hosts.value.Kind() == cue.StringKind {
		_, e.AnyHost = hosts.matching(want, func(t string) bool { return t == "any" })
		return
	}
	elems, _ := hosts.list(want)
	seen := make(map[lineage.NQN]bool, len(elems))
	for _, h := range elems {
		t, keys, ok := h.host()
		if !ok {
			continue
		}
		if seen[t] {
			h.wrong("", "names %q again", t)
		}
		seen[t] = true
		e.Hosts = append(e.Hosts, t)
		if keys.IsZero() {
			continue
		}
		if e.Keys == nil {
			e.Keys = map[lineage.NQN]HostKeys{}
		}
		e.Keys[t] = keys
	}
	slices.Sort(e.Hosts)
}

// standby checks that there are nodes for the standby paths of a volume.
func (r *relations) standby(v *Volume, o object) {
	if others := max(0, len(r.nodes)-1); v.Export.Standby > others && !r.broken {
		nvmf := o.field("export").placement().field("nvmf").placement()
		nvmf.field("standby").wrong("each is on a node of its own, which is not the engine", "is %d, and beside the engine there can be %s", v.Export.Standby, amount.Of(others, "node"))
	}
}
