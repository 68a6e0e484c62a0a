package schema

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"

	"cuelang.org/go/mod/modconfig"
	"cuelang.org/go/mod/modfile"
	"cuelang.org/go/mod/module"
)

// modules are those that a configuration's module depends on, as the cue command finds
// them: in its cache (CUE_CACHE_DIR), else in the registries that CUE_REGISTRY names. Where
// that is not set nothing is fetched: whoever runs strata says where it asks. The module of the
// schema is this program's own.
type modules struct {
	served func() string // the schema
	once   sync.Once
	all    modconfig.CachedRegistry
	err    error
}

var errNoRegistry = errors.New("it is not in the cache of modules, and CUE_REGISTRY names no registry to fetch it from")

// unnamed is a network that nobody has asked for.
type unnamed struct{}

func (unnamed) RoundTrip(*http.Request) (*http.Response, error) { return nil, errNoRegistry }

func (m *modules) registry() (modconfig.CachedRegistry, error) {
	m.once.Do(func() {
		conf := &modconfig.Config{ClientType: "strata"}
		if os.Getenv("CUE_REGISTRY") == "" {
			conf.Transport = unnamed{}
		}
		m.all, m.err = modconfig.NewRegistry(conf)
	})
	return m.all, m.err
}

func (m *modules) ModFile(ctx context.Context, v module.Version) (*modfile.File, error) {
	if ours(v) {
		return modfile.Parse([]byte(moduleText), ModulePath)
	}
	all, err := m.registry()
	if err != nil {
		return nil, err
	}
	f, err := all.ModFile(ctx, v)
	return f, missing(v, err)
}

func (m *modules) Fetch(ctx context.Context, v module.Version) (module.SourceLoc, error) {
	if ours(v) {
		return own(m.served()), nil
	}
	all, err := m.registry()
	if err != nil {
		return module.SourceLoc{}, err
	}
	at, err := all.Fetch(ctx, v)
	return at, missing(v, err)
}

func (m *modules) FetchFromCache(v module.Version) (module.SourceLoc, error) {
	if ours(v) {
		return own(m.served()), nil
	}
	all, err := m.registry()
	if err != nil {
		return module.SourceLoc{}, err
	}
	return all.FetchFromCache(v) // the loader tells errors of this apart
}

func (m *modules) ModuleVersions(ctx context.Context, path string) ([]string, error) {
	all, err := m.registry()
	if err != nil {
		return nil, err
	}
	return all.ModuleVersions(ctx, path)
}

// missing says of a module that cannot be had which it is.
func missing(v module.Version, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("module %s: %w", v, err)
}
