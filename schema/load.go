package schema

import (
	"path/filepath"
	"slices"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
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
	doc, problems := f.evaluate(tags)
	if len(problems) > 0 {
		return nil, problems.tidy()
	}
	cfg := doc.config()
	if len(doc.problems) > 0 {
		return nil, doc.problems.tidy()
	}
	return cfg, nil
}

// document is the value of a configuration's files, and what is wrong with it.
type document struct {
	value    cue.Value
	places   *place
	tags     map[token.Pos]string // tag by the position of the field's value
	unset    []string             // keys of tags whose field has no value of its own and was given none
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
	doc := &document{places: &place{}, tags: map[token.Pos]string{}}
	for _, file := range inst.Files {
		doc.places.add(file.Decls)
		tagsOf(file, doc.tags)
		doc.unset = append(doc.unset, unsetTags(file, tags)...)
		doc.named = append(doc.named, labelsOf(file)...)
		file.Decls = joinData(file.Decls)
	}
	doc.value = cuecontext.New().BuildInstance(inst)
	return doc, nil
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
	inst := load.Instances(f.cue, &load.Config{
		Tags:      tags,
		ParseFile: f.parse,
		Registry:  &modules{},
		Dir:       filepath.Dir(f.cue[0]), // whose module it is
		Overlay:   f.overlay,
	})[0]
	if len(f.refused) > 0 {
		return inst, f.refused
	}
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
