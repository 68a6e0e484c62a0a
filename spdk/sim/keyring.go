package sim

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"strata/nvmetcp"
)

func init() {
	register(
		writes("keyring_file_add_key", (*process).addKey),
		writes("keyring_file_remove_key", (*process).removeKey),
		reads("keyring_get_keys", (*process).getKeys),
		writes("nvmf_subsystem_set_keys", (*process).setKeys).refusing(errInvalidParams),
		writes("bdev_nvme_set_keys", (*process).setControllerKeys),
	)
}

// keyFile is a key of the keyring: a file of the machine that the cluster is simulated on.
type keyFile struct {
	name, path string
	files      fs.FS
	removed    bool // and in use
	freed      bool // it is in no keyring any more, and nothing holds it
}

// keys are what a host has to prove that it has, and the target to it; by name, "" for none.
type keys struct {
	Host   string `json:"dhchap_key"`
	Target string `json:"dhchap_ctrlr_key"`
}

// offered are the keys that a host has; nil and "" for none.
type offered struct {
	host, target *nvmetcp.Key
	psk          string // as text
}

func (p *process) key(name string) *keyFile {
	for _, k := range p.keyring {
		if k.name == name && !k.removed {
			return k
		}
	}
	return nil
}

// addKey looks at the file, and not into it.
func (p *process) addKey(q *struct {
	Name string `json:"name"`
	Path string `json:"path"`
}) (any, error) {
	switch {
	case strings.Contains(q.Name, ":"):
		return nil, errno(einval)
	case p.key(q.Name) != nil:
		return nil, errno(eexist)
	case !filepath.IsAbs(q.Path):
		return nil, errno(eperm)
	}
	q.Path = filepath.Clean(q.Path)
	info, err := fs.Stat(p.files(), q.Path[1:])
	switch {
	case err != nil:
		return nil, errno(enoent)
	case info.Mode().Perm()&0o077 != 0:
		return nil, errno(eperm)
	}
	p.keyring = append(p.keyring, &keyFile{name: q.Name, path: q.Path, files: p.files()})
	return true, nil
}

// files are those of the machine.
func (p *process) files() fs.FS {
	if f := p.t.c.opts.Files; f != nil {
		return f
	}
	return os.DirFS("/")
}

// removeKey leaves one that is in use to who uses it.
func (p *process) removeKey(q *named) (any, error) {
	k := p.key(q.Name)
	if k == nil {
		return nil, errno(enokey)
	}
	k.removed = true
	p.forgetKeys()
	return true, nil
}

// forgetKeys forgets removed keys that nobody uses.
func (p *process) forgetKeys() {
	used := map[*keyFile]bool{}
	for _, s := range p.subsystems {
		for _, h := range s.keys {
			used[h.host], used[h.target] = true, true
		}
		for _, h := range s.psks {
			used[h.key] = true
		}
	}
	for _, ct := range p.nvme {
		used[ct.attachedWith.host], used[ct.attachedWith.target], used[ct.psk] = true, true, true
	}
	p.keyring = slices.DeleteFunc(p.keyring, func(k *keyFile) bool {
		k.freed = k.removed && !used[k]
		return k.freed
	})
}

func (p *process) getKeys(*struct{}) (any, error) {
	all := []any{}
	for _, k := range p.keyring {
		e := struct {
			Name    string `json:"name"`
			Module  string `json:"module"`
			Removed bool   `json:"removed"`
			Probed  bool   `json:"probed"`
			Count   int    `json:"refcnt"`
			Path    string `json:"path,omitempty"`
		}{k.name, "keyring_file", k.removed, false, 1, k.path}
		if k.removed {
			e.Path = ""
		}
		all = append(all, e)
	}
	return all, nil
}

// hostKeys are those of a host of a subsystem, as they were when they were set.
type hostKeys struct{ host, target *keyFile }

// keysOf finds keys by name; false if there is one that is not there.
func (p *process) keysOf(q keys) (found hostKeys, ok bool) {
	if q.Host != "" {
		found.host = p.key(q.Host)
	}
	if q.Target != "" {
		found.target = p.key(q.Target)
	}
	return found, (q.Host == "" || found.host != nil) && (q.Target == "" || found.target != nil)
}

// setKeys changes the keys of a host that is listed. Its connections stay.
func (p *process) setKeys(q *struct {
	hostQuery
	keys
}) (any, error) {
	s, err := p.subsystem(q.subsystemQuery)
	if err != nil {
		return nil, err
	}
	found, ok := p.keysOf(q.keys)
	switch {
	case !ok:
		return nil, errInvalidParams
	case !slices.Contains(s.hosts, q.hostQuery.Host), q.keys.Host == "" && q.Target != "":
		return nil, errno(einval)
	}
	s.keys[q.hostQuery.Host] = found
	p.forgetKeys()
	return true, nil
}

// setControllerKeys has a controller use other keys from now on: it authenticates with them
// at once, and a peer that has others ends the connection. One that is not connected does so when
// it is again, and the call is answered then.
func (p *process) setControllerKeys(q *struct {
	Name string `json:"name"`
	keys
}) (any, error) {
	ct := p.controller(q.Name)
	if ct == nil {
		return nil, errno(enodev)
	}
	found, ok := p.keysOf(q.keys)
	if !ok {
		return nil, errno(enokey)
	}
	ct.keys, ct.told = found, true
	switch {
	case found.host == nil:
		return true, nil
	case ct.sub == nil:
		return nil, &later{ready: func() bool { return ct.sub != nil || p.controller(q.Name) != ct }, done: func(bool) (any, error) {
			if p.controller(q.Name) != ct {
				return nil, errno(enodev)
			}
			return true, nil
		}}
	case ct.proves(ct.sub):
		return true, nil
	}
	ct.lost()
	return nil, errno(eacces)
}

// proves authenticates the controller, if it has keys. One that has failed once never succeeds
// again, with whatever keys: the target keeps the first failure. A key that was given by
// setControllerKeys is not held, and a target that reads one which is gone ends.
func (ct *controller) proves(s *subsystem) bool {
	has := ct.offers()
	if has.host == nil {
		return s.admits(ct.hostNQN, has)
	}
	if ct.told && (ct.keys.host.freed || ct.keys.target != nil && ct.keys.target.freed) {
		ct.p.die()
		return false
	}
	ct.unproven = ct.unproven || s.keys[ct.hostNQN].host == nil || !s.admits(ct.hostNQN, has)
	return !ct.unproven
}

// offers are the keys that a controller has, as their files are now.
func (ct *controller) offers() offered { return ct.keys.read() }

func (k hostKeys) read() (o offered) {
	if k.host != nil {
		o.host = k.host.read()
	}
	if k.target != nil {
		o.target = k.target.read()
	}
	return o
}

// read is what the file has now: it is read at every authentication. What is no key is one
// that nobody else has.
func (k *keyFile) read() *nvmetcp.Key {
	text, err := fs.ReadFile(k.files, k.path[1:])
	if err == nil {
		var found *nvmetcp.Key
		if found, err = nvmetcp.ParseKey(string(text)); err == nil {
			return found
		}
	}
	return nvmetcp.NewKey()
}

// admits reports whether a host with these keys and the target prove to one another what
// they are to.
func (s *subsystem) admits(host string, has offered) bool {
	is := s.keys[host].read()
	switch {
	case is.host == nil:
		return true // nobody asks it for anything
	case has.host == nil, has.host.Text() != is.host.Text():
		return false
	}
	return has.target == nil || is.target != nil && has.target.Text() == is.target.Text()
}
