package schema

import (
	"path/filepath"
	"slices"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/inject/embed"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/cue/token"
)

// Load reads a configuration from paths: a directory, whose CUE files count,
// or CUE, JSON and YAML files, all of which are unified. Tags are those of the
// cue command: "key=value" sets fields that have the attribute @tag(key).
// Imports of CUE's standard library, of packages of the module around the first file,
// and of modules that it depends on work.
//
// The error is of type Problems and holds everything that is wrong.
func Load(paths []string, tags []string) (*Config, error) {
	f, problems := gather(paths)
	if len(problems) > 0 {
		return nil, problems.tidy()
	}
	return f.load(tags)
}

func (f *files) load(tags []string) (*Config, error) {
	_, cfg, problems := f.judged(tags)
	if len(problems) > 0 {
		return nil, problems.tidy()
	}
	return cfg, nil
}

// judged evaluates the files and reads what they say. Of mistakes in a configuration that
// imports the schema CUE speaks in the schema's terms. So it is read once more, with a schema
// that has the same names and says nothing: then strata tells what is wrong with it.
func (f *files) judged(tags []string) (*document, *Config, Problems) {
	doc, cfg, problems := f.judge(tags)
	if len(problems) > 0 && f.served && !f.silent {
		again := &files{cue: f.cue, data: f.data, shown: f.shown, text: map[string][]byte{}, embedded: embedded{}, beside: f.beside, silent: true}
		if _, _, told := again.judge(tags); len(told) > 0 {
			return nil, nil, told
		}
	}
	return doc, cfg, problems
}

func (f *files) judge(tags []string) (*document, *Config, Problems) {
	doc, problems := f.evaluate(tags)
	if len(problems) > 0 {
		return nil, nil, problems
	}
	cfg := doc.config()
	return doc, cfg, doc.problems
}

// document is the value of a configuration's files, and what is wrong with it.
type document struct {
	value    cue.Value
	places   *place
	tags     map[token.Pos]string // tag by the position of the field's value
	unset    []string             // keys of tags whose field has no value of its own and was given none
	files    map[string]string    // what files that are embedded are shown as, by what CUE calls them
	named    []string             // labels of all fields, with those of helpers
	problems Problems
	// incomplete has the paths, joined by zero bytes, of values that have been
	// reported for not being known.
	incomplete map[string]bool
}

// evaluate parses and evaluates the files. It does not look at what they say.
func (f *files) evaluate(tags []string) (*document, Problems) {
	inst, problems := f.instance(tags)
	if inst == nil {
		return nil, problems
	}
	for _, path := range f.data {
		syntax, p := f.parseData(path)
		if p != nil {
			problems = append(problems, p)
		} else if err := inst.AddSyntax(syntax); err != nil {
			problems = append(problems, f.fromCUE(err)...)
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	doc := &document{places: &place{}, tags: map[token.Pos]string{}, files: f.names()}
	for _, file := range inst.Files {
		doc.places.add(file.Decls)
		tagsOf(file, doc.tags)
		doc.unset = append(doc.unset, unsetTags(file, tags)...)
		doc.named = append(doc.named, labelsOf(file)...)
		file.Decls = joinData(file.Decls)
	}
	doc.value = cuecontext.New(cuecontext.WithInjection(embed.New())).BuildInstance(inst)
	return doc, nil
}

// withVars among tags has variables of the system taken, too.
const withVars = "\x00vars"

// WithVars are tags with which a field that has an attribute such as @tag(when,var=now) takes
// what the variable has: now, os, arch, cwd, username, hostname, rand, as with cue -T. Each has
// one value as long as the program runs, so that all that is made of a configuration agrees.
func WithVars(tags []string) []string { return append(slices.Clone(tags), withVars) }

var systemVars = sync.OnceValue(func() map[string]load.TagVar {
	vars := load.DefaultTagVars()
	for name, v := range vars {
		v.Func = sync.OnceValues(v.Func)
		vars[name] = v
	}
	return vars
})

func parted(tags []string) ([]string, map[string]load.TagVar) {
	if !slices.Contains(tags, withVars) {
		return tags, nil
	}
	return slices.DeleteFunc(slices.Clone(tags), func(tag string) bool { return tag == withVars }), systemVars()
}

// instance loads the CUE files, if there are any.
func (f *files) instance(tags []string) (*build.Instance, Problems) {
	if len(f.cue) == 0 {
		if len(tags) > 0 {
			return nil, Problems{{Text: "tags need a CUE file that has fields with @tag"}}
		}
		inst := build.NewContext().NewInstance("", nil)
		return inst, nil
	}
	tags, vars := parted(tags)
	inst := load.Instances(f.cue, &load.Config{
		Tags:      tags,
		TagVars:   vars,
		ParseFile: f.parse,
		Registry:  &modules{served: f.own},
		Dir:       filepath.Dir(f.cue[0]), // whose module it is
		Overlay:   f.overlay(),
	})[0]
	if len(f.refused) > 0 {
		return inst, f.refused
	}
	if unread := f.unreadOf(inst); len(unread) > 0 {
		return inst, unread
	}
	rooted(inst, filepath.Dir(f.cue[0]))
	for _, file := range inst.Files {
		tags := map[token.Pos]string{}
		tagsOf(file, tags)
		for _, body := range tags {
			f.tags = append(f.tags, tagKey(body))
		}
	}
	slices.Sort(f.tags)
	f.tags = slices.Compact(f.tags)
	if inst.Err != nil {
		return inst, f.fromCUE(inst.Err)
	}
	return inst, nil
}

// TagKeys are the keys of the tags that the files of a configuration have, sorted; none
// of files that cannot be read.
func TagKeys(paths []string) []string {
	f, problems := gather(paths)
	if len(problems) > 0 {
		return nil
	}
	_, _ = f.instance(nil) // what is wrong with them is said where they are read
	return f.tags
}
