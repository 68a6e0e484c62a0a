package schema

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/mod/modfile"
	"cuelang.org/go/mod/module"
)

// ModulePath is what configurations import the schema by.
const ModulePath = "strata.io/schema"

// moduleText is the cue.mod/module.cue of the schema.
const moduleText = `module: "` + ModulePath + `@v0"
language: version: "v0.9.0"
source: kind: "self"
`

// Vendored is where a module has the schema if it has a copy of its own.
const Vendored = "cue.mod/pkg/" + ModulePath + "/schema.cue"

// Module are the files of the schema as a CUE module, by their paths.
func Module() map[string]string {
	return map[string]string{"cue.mod/module.cue": moduleText, "schema.cue": Importable()}
}

// own is a module with a schema as a registry has it, whatever its version.
func own(schema string) module.SourceLoc {
	return module.SourceLoc{Dir: ".", FS: memory{fstest.MapFS{
		"cue.mod/module.cue": {Data: []byte(moduleText), Mode: 0o444},
		"schema.cue":         {Data: []byte(schema), Mode: 0o444},
	}}}
}

// inMemory is the directory that the module would be in if it were in any: the loader, which
// finds a module by what is said of it here, reads it from there.
const inMemory = "/" + ModulePath

type memory struct{ fstest.MapFS }

func (memory) OSRoot() string { return inMemory }

// ours reports whether a module is that of the schema.
func ours(v module.Version) bool { return v.BasePath() == ModulePath }

// own is the schema that is imported.
func (f *files) own() string {
	if f.silent {
		return silent()
	}
	return Importable()
}

// overlay are the files that are taken to be there, by their absolute paths. An import of the
// schema finds that of this program: in place of a copy that the module has, and also where
// there is no module. Where a dependency of the module names it, it comes as any other, from
// modules.
func (f *files) overlay() map[string]load.Source {
	files := maps.Clone(f.beside)
	dir := filepath.Dir(f.cue[0])
	root := moduleRoot(dir)
	f.served = root != "" || slices.ContainsFunc(f.cue, importsSchema)
	if !f.served {
		return files
	}
	if files == nil {
		files = map[string]load.Source{}
	}
	if root != "" && dependsOnSchema(moduleFile(root)) {
		files[inMemory+"/schema.cue"] = load.FromString(f.own())
		return files
	}
	if root == "" {
		root = dir
	}
	if _, err := os.Stat(moduleFile(root)); err != nil {
		files[moduleFile(root)] = load.FromString("module: \"strata.io/configuration@v0\"\nlanguage: version: \"" + cue.LanguageVersion() + "\"\n")
	}
	files[filepath.Join(root, filepath.FromSlash(Vendored))] = load.FromString(f.own())
	return files
}

func importsSchema(name string) bool {
	file, err := parser.ParseFile(name, nil, parser.ImportsOnly)
	if err != nil {
		return false // it is said when it is loaded
	}
	for spec := range file.ImportSpecs() {
		if path, _, _ := strings.Cut(strings.Trim(spec.Path.Value, `"`), "@"); path == ModulePath {
			return true
		}
	}
	return false
}

func dependsOnSchema(name string) bool {
	text, err := os.ReadFile(name)
	if err != nil {
		return false
	}
	mod, err := modfile.ParseNonStrict(text, name)
	return err == nil && slices.ContainsFunc(mod.DepVersions(), ours)
}
