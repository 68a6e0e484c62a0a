package plan

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"strata/lineage"
)

// TestOpTypes: every type that embeds At is known by its name.
func TestOpTypes(t *testing.T) {
	var declared []string
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			s, ok := spec.Type.(*ast.StructType)
			if ok && slices.ContainsFunc(s.Fields.List, func(f *ast.Field) bool {
				id, ok := f.Type.(*ast.Ident)
				return ok && id.Name == "At" && f.Names == nil
			}) {
				declared = append(declared, spec.Name.Name)
			}
			return true
		})
	}
	slices.Sort(declared)
	if got := slices.Sorted(slices.Values(OpNames())); !slices.Equal(got, declared) {
		t.Errorf("known are\n%v\nof\n%v", got, declared)
	}
}

// TestFacts: what every type states makes sense.
func TestFacts(t *testing.T) {
	for _, zero := range opTypes {
		op := sample(zero)
		f := op.Facts()
		if op.Words() == "" || f.of == nil || !slices.Contains(Risks, f.Risk) {
			t.Errorf("%T lacks words, whose it is, or a risk", op)
		}
		if (f.Hosts.NQN == "") != (f.Hosts.Effect == NoEffect) || (f.Risk == RiskCopy) != (len(f.Copy.Nodes) > 0) || (f.Risk == RiskCopy) != (f.Copy.Bytes > 0) {
			t.Errorf("%T: %+v", op, f)
		}
		if holds := f.Hosts.Effect == IOHeld || f.Hosts.Effect == PathTaken; holds && f.Risk != RiskPause {
			t.Errorf("%T makes hosts wait at risk %s", op, f.Risk)
		}
		labels := 0
		v := reflect.ValueOf(WithLabels(zero, func(bdev string) Label { return "new" + Label(bdev) }))
		if v.FieldByName("Labels").IsValid() {
			v = reflect.ValueOf(WithLabels(op, func(bdev string) Label { return "new" + Label(bdev) }))
		}
		for i := range v.NumField() {
			switch l := v.Field(i).Interface().(type) {
			case Label:
				if labels++; l != "new" {
					t.Errorf("%T: %s is %q, and nobody said so", op, v.Type().Field(i).Name, l)
				}
			case []Label:
				if labels++; len(l) != 2 || l[0] == l[1] {
					t.Errorf("%T: %s are %q", op, v.Type().Field(i).Name, l)
				}
			}
		}
		if _, has := zero.(labelled); has != (labels > 0) {
			t.Errorf("%T has %d labels, and fills them in: %v", op, labels, has)
		}
	}
}

// notTold are the fields that do not tell a step from another: what is drawn when it
// is carried out, and how much there is to copy, and onto what. Nor do UUIDs, and bdevs that have a label.
var notTold = map[string]bool{
	"LvstoreCreate.OnTarget":      true,
	"DiskAttach.Lvstore":          true,
	"LvstoreRename.From":          true,
	"LvstoreRename.To":            true,
	"Remind.Member.Store":         true,
	"LvolDecouple.Bytes":          true,
	"ShallowCopy.Bytes":           true,
	"Backup.Bytes":                true,
	"Trim.Volume.Name":            true, // the label tells
	"Trim.Volume.ID":              true,
	"Trim.Unit":                   true,
	"Trim.Bytes":                  true,
	"Backup.Below":                true,
	"Backup.Check":                true,
	"KeyCheck.Cluster":            true,
	"Backup.Over":                 true,
	"Fill.Bytes":                  true,
	"Scrub.Bytes":                 true,
	"Compare.From":                true,
	"Compare.To":                  true,
	"LayOut.Parts":                true,
	"KeyCheck.Expect":             true,
	"KeyExpect.Check":             true,
	"CipherCreate.Base":           true,
	"CipherCreate.Check":          true,
	"CipherCreate.Cipher":         true,
	"CipherDelete.Cipher":         true,
	"MirrorApart.Bases":           true,
	"LegFill.Base":                true,
	"LegFill.Bytes":               true,
	"LegFill.Owner":               true,
	"ControllerAttach.Links.Keys": true, // they are in the names of its Keys
	"HostExchange.Former.Key":     true, // what it is let in with if it cannot be let in so
	"HostExchange.Former.CtrlKey": true,
	"HostExchange.Former.PSK":     true,
	"SubsystemCreate.IDs.First":   true,
	"SubsystemCreate.IDs.Last":    true,
}

// TestEveryFieldTells: a step with another value in any other field is another.
func TestEveryFieldTells(t *testing.T) {
	used := map[string]bool{}
	for _, zero := range opTypes {
		op := sample(zero)
		fields(reflect.TypeOf(op), nil, "", func(at []int, name string) {
			v := reflect.New(reflect.TypeOf(op)).Elem()
			v.Set(reflect.ValueOf(op))
			fill(v.FieldByIndex(at), true)
			other := v.Interface().(Op)
			name = opName(op) + name
			_, uuid := v.FieldByIndex(at).Interface().(lineage.UUID)
			_, uuids := v.FieldByIndex(at).Interface().([]lineage.UUID)
			_, labelled := zero.(labelled)
			silent := uuid || uuids || labelled && v.Type().FieldByIndex(at).Name == "Bdev" || notTold[name]
			used[name] = true
			if same := idOf(op) == idOf(other); same != silent {
				t.Errorf("%s: the same step as with another value: %v", name, same)
			}
		})
	}
	for name := range notTold {
		if !used[name] {
			t.Errorf("there is no field %s", name)
		}
	}
}

// TestID is about names that change while a step stays.
func TestID(t *testing.T) {
	at := At{"n1"}
	lvol := func(name lineage.LvolName) Op { return LvolDelete{at, "lab.fast", name} }
	shown := func(nqn lineage.NQN, nsid int, label Label) Op { return NamespaceAdd{at, nqn, nsid, "x", "", label} }
	mirror := func(labels ...Label) Op { return RaidCreate{at, "lab.db.k3f7", "", nil, labels} }
	const export, link = "nqn.2026-01.io.strata:lab:db.k3f7", "nqn.2026-01.io.strata:lab:n1:n2"
	drawn := Undrawn{"db": true}
	for _, c := range []struct {
		about string
		a, b  Op
		un    Undrawn
		same  bool
	}{
		{"epoch of a head", lvol("db.k3f7#2.1p"), lvol("db.k3f7#12.3.4"), nil, true},
		{"mark of a head", lvol("db.k3f7#2.1p"), lvol("db.k3f7#2x"), nil, true},
		{"epoch of staging", lvol("db.k3f7+2"), lvol("db.k3f7+3"), nil, true},
		{"head and staging", lvol("db.k3f7+2"), lvol("db.k3f7#2.1"), nil, false},
		{"epoch of a layer", lvol("db.k3f7@2.base"), lvol("db.k3f7@3.base"), nil, false},
		{"when layers were compared", lvol("db.k3f7!s44we8=3"), lvol("db.k3f7!s44tm8~s44we8.2=3?"), nil, true},
		{"which layer is damaged", lvol("db.k3f7!s44we8=3"), lvol("db.k3f7!s44we8=4"), nil, false},
		{"whether it is there still", lvol("db.k3f7!s44we8=3"), lvol("db.k3f7!s44we8-3"), nil, false},
		{"id", lvol("db.k3f7#2.1"), lvol("db.aaaa#2.1"), nil, false},
		{"id that is drawn", lvol("db.k3f7#2.1"), lvol("db.????#2.1"), drawn, true},
		{"id of a layer that is drawn", lvol("db.k3f7@2.base"), lvol("db.????@2.base"), drawn, true},
		{"id of another volume", lvol("logs.k3f7#2.1"), lvol("logs.????#2.1"), drawn, false},
		{"name of nobody's", lvol("old#1"), lvol("old#2"), nil, false},
		{"number of a namespace", shown(link, 7, "n1/lab.fast/db.k3f7+2"), shown(link, 8, "n1/lab.fast/db.k3f7+3"), nil, false},
		{"number of a namespace that follows from an id", shown(link, 7, "n1/lab.fast/db.k3f7+2"), shown(link, 8, "n1/lab.fast/db.????+3"), drawn, true},
		{"export whose id is drawn", shown(export, 1, "lab.db.k3f7"), shown("nqn.2026-01.io.strata:lab:db.????", 1, "lab.db.????"), drawn, true},
		{"bdev without a name", shown(link, 7, "01234567-89ab-cdef-0123-456789abcdef"), shown(link, 7, "new:n1/lab.fast/db.k3f7+2"), nil, true},
		{"bdev with one", shown(link, 7, "01234567-89ab-cdef-0123-456789abcdeg"), shown(link, 7, "new:n1/lab.fast/db.k3f7+2"), nil, false},
		{"order of legs", mirror("n1/lab.fast/db.k3f7#2.1", "n2/lab.fast/db.k3f7#2.1"), mirror("n2/lab.fast/db.k3f7#3.1", "n1/lab.fast/db.k3f7#3.1"), nil, true},
		{"nodes of legs", mirror("n1/lab.fast/db.k3f7#2.1", "n2/lab.fast/db.k3f7#2.1"), mirror("n1/lab.fast/db.k3f7#2.1", "n3/lab.fast/db.k3f7#2.1"), nil, false},
		{"type", lvol("db.k3f7#2.1"), ExpectEmpty{at, "lab.fast", "db.k3f7#2.1"}, nil, false},
	} {
		a, b := Step{Op: c.a}, Step{Op: c.b}
		if same := a.ID("lab", c.un) == b.ID("lab", c.un); same != c.same {
			t.Errorf("%s: the same step: %v", c.about, same)
		}
	}
	p := &Plan{Passes: []Pass{{Sections: []Section{{Stages: [][]Step{{{Op: lvol("xdb.????#1.1s")}, {Op: lvol("db.k3f7#2.1")}, {Op: shown(link, 7, "n1/lab.fast/logs.????+1")}}}}}}}}
	if got := p.Undrawn("lab"); !reflect.DeepEqual(got, Undrawn{"xdb": true, "logs": true}) {
		t.Errorf("drawn are the ids of %v", got)
	}
}

// TestHolds: hosts wait from the step that makes them until the one that lets them go.
func TestHolds(t *testing.T) {
	const export, link = "nqn.2026-01.io.strata:lab:db.k3f7", "nqn.2026-01.io.strata:lab:n1:n2"
	step := func(risk Risk, op Op) Step { return Step{Op: op, Risk: risk} }
	pause, resume := step(RiskPause, Pause{NQN: export}), step(RiskPause, Resume{NQN: export})
	away, gone := step(RiskPause, ListenerRemove{NQN: export}), step(RiskReduce, ListenerRemove{NQN: export})
	back, linked, other := step(RiskCreate, ListenerAdd{NQN: export}), step(RiskCreate, ListenerAdd{NQN: link}), step(RiskCreate, RaidDelete{})
	for _, c := range []struct {
		steps []Step
		want  string // h begins to hold, w waits, - neither
	}{
		{[]Step{other, pause, other, resume, other}, "-hww-"},
		{[]Step{away, other, linked, back, other}, "hwww-"},
		{[]Step{pause, away, resume, other}, "hww-"},
		{[]Step{gone, other, back}, "---"},
	} {
		p := &Plan{Passes: []Pass{{Sections: []Section{{}}}}}
		for _, s := range c.steps {
			p.Passes[0].Sections[0].Stages = append(p.Passes[0].Sections[0].Stages, []Step{s})
		}
		p.holds()
		got := ""
		for _, s := range p.Steps() {
			switch {
			case s.HoldBegins && s.HostsWait:
				got += "h"
			case s.HostsWait:
				got += "w"
			default:
				got += "-"
			}
		}
		if got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func idOf(op Op) string { return (&Step{Op: op}).ID("lab", nil) }

// sample is an op of the type with something in every field.
func sample(op Op) Op {
	v := reflect.New(reflect.TypeOf(op)).Elem()
	fields(v.Type(), nil, "", func(at []int, _ string) { fill(v.FieldByIndex(at), false) })
	return v.Interface().(Op)
}

// fields goes through the fields of a type that are no structs.
func fields(t reflect.Type, at []int, name string, f func(at []int, name string)) {
	for i := range t.NumField() {
		at, name := append(slices.Clone(at), i), name+"."+t.Field(i).Name
		if t.Field(i).Type.Kind() == reflect.Struct {
			fields(t.Field(i).Type, at, name, f)
			continue
		}
		f(at, name)
	}
}

// fill gives a field one of two values.
func fill(v reflect.Value, other bool) {
	text := map[bool]string{false: "one", true: "other"}[other]
	switch v.Interface().(type) {
	case lineage.LvolName:
		text = map[bool]string{false: "db.k3f7#2.1", true: "logs.k3f7#2.1"}[other]
	case Label:
		text = map[bool]string{false: "n1/lab.fast/db.k3f7#2.1", true: "n2/lab.fast/db.k3f7#2.1"}[other]
	case lineage.UUID:
		text = map[bool]string{false: "01234567-89ab-cdef-0123-456789abcdef", true: "11234567-89ab-cdef-0123-456789abcdef"}[other]
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(other)
	case reflect.Int, reflect.Int64:
		v.SetInt(map[bool]int64{false: 3, true: 4}[other])
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), other)
		}
	case reflect.Slice:
		list := reflect.MakeSlice(v.Type(), 2, 2)
		fill(list.Index(0), other)
		fill(list.Index(1), !other)
		if other && list.Index(1).Kind() == reflect.String {
			list.Index(1).SetString(text)
		}
		v.Set(list)
	default:
		panic("a field of kind " + v.Kind().String())
	}
}
