package secret

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"strata/schema"
)

// Env has the operator's word where Flag does not.
const (
	Env  = "STRATA_SECRETS"
	Flag = "--secrets"
)

// Permit is what the operator has said of secrets. A configuration comes from whoever may
// propose a change, and says which secret goes to which host. So it only chooses from what
// the operator lets it have: the word is given where strata is run, and nowhere else.
type Permit struct {
	said  bool
	rules []allowance
}

// allowance lets a source be used for some hosts.
type allowance struct {
	source string // env:NAME, file:/path, file:/directory/, command:PROGRAM, command:/directory/, or ssh
	hosts  []string
}

// Read takes the operator's word from the values of Flag or, without them, from Env.
func Read(flags []string) (Permit, error) {
	from, texts := Flag, flags
	if len(flags) == 0 {
		from, texts = Env, strings.Fields(os.Getenv(Env))
	}
	w := Permit{said: len(texts) > 0}
	for _, text := range texts {
		if text == "none" {
			continue
		}
		i := strings.LastIndexByte(text, '=')
		if i < 0 {
			return w, fmt.Errorf("%s %s: want SOURCE=HOST, such as env:STRATA_RPC_PASSWORD=https://n1.example.com:8000, or none", from, text)
		}
		a := allowance{text[:i], strings.Split(text[i+1:], ",")}
		kind, value, _ := strings.Cut(a.source, ":")
		switch {
		case a.source == "ssh", kind == "env" && value != "":
		case kind == "file" && (strings.HasPrefix(value, "/") || strings.HasPrefix(value, "~/")):
			a.source = "file:" + directory(AtHome(value), value)
		case kind == "command" && strings.HasPrefix(value, "/"):
			a.source = "command:" + directory(value, value)
		case kind == "command" && value != "" && !strings.Contains(value, "/"):
		default:
			return w, fmt.Errorf("%s %s: a source is env:NAME, file:/path, file:/directory/, command:PROGRAM, command:/directory/ or ssh, not %q", from, text, a.source)
		}
		if slices.Contains(a.hosts, "") {
			return w, fmt.Errorf("%s %s: it names no host; * is all of them", from, text)
		}
		w.rules = append(w.rules, a)
	}
	return w, nil
}

// directory is a path without detours, and with the slash at its end, if any.
func directory(path, written string) string {
	path = filepath.Clean(path)
	if strings.HasSuffix(written, "/") && path != "/" {
		path += "/"
	}
	return path
}

// Purpose is what a secret is for.
type Purpose string

// What a secret is for, as far as it matters where it may come from.
const (
	Password Purpose = "password" // is sent to the host, as are keys of volumes and of their hosts
	Key      Purpose = "key"      // proves to it who asks
	Trust    Purpose = "trust"    // certificates or keys of hosts
)

// Allows says why a source may not be used for a host; nil when it may.
func (w Permit) Allows(p Purpose, source string, host string) error {
	if !w.said {
		if unsaid(p, source) {
			return nil
		}
		return fmt.Errorf("a configuration may not use %s of its own accord; allow it with %s %s=%s, or %s", inWords(source), Flag, source, withoutPath(host), instead(p))
	}
	known := false
	for _, a := range w.rules {
		if !covers(a.source, source) {
			continue
		}
		known = true
		if slices.ContainsFunc(a.hosts, func(allowed string) bool { return reaches(allowed, host) }) {
			return nil
		}
	}
	what := inWords(source)
	if known {
		what += " for this host"
	}
	return fmt.Errorf("%s, or %s, does not allow %s; it would take %s=%s", Flag, Env, what, source, withoutPath(host))
}

// unsaid reports whether a source may be used although the operator has said
// nothing: it can only be there for strata.
func unsaid(p Purpose, source string) bool {
	kind, value, _ := strings.Cut(source, ":")
	dirs := ownDirs()
	switch {
	case source == "ssh", p == Trust:
		return true
	case kind == "env":
		return strings.HasPrefix(value, "STRATA_") && value != Env
	case p == Key:
		dirs = append(dirs, AtHome("~/.ssh/"))
	}
	return slices.ContainsFunc(dirs, func(dir string) bool { return covers("file:"+directory(dir, "/"), source) })
}

// ownDirs are the directories whose files are strata's.
func ownDirs() []string { return []string{"/etc/strata/", AtHome("~/.config/strata/")} }

// instead is where a source would need no word.
func instead(p Purpose) string {
	if p == Key {
		return "keep it in ~/.ssh, ~/.config/strata or /etc/strata"
	}
	return "keep it in a variable that starts with STRATA_, or in a file below ~/.config/strata or /etc/strata"
}

// Covers reports whether a path is a file that was named, or below a directory, whose name
// ends with a slash.
func Covers(named, path string) bool {
	return covers("file:"+directory(named, named), "file:"+path)
}

// covers reports whether one source is another, or the directory it is in.
func covers(allowed, source string) bool {
	return allowed == source || strings.HasSuffix(allowed, "/") && !strings.HasPrefix(allowed, "env:") && strings.HasPrefix(source, allowed)
}

// reaches reports whether a host that was allowed is that of a target. Without
// a scheme it stands for those that nobody can overhear.
func reaches(allowed, rpc string) bool {
	scheme, _, _ := strings.Cut(rpc, "://")
	wantScheme, rest, given := strings.Cut(allowed, "://")
	switch {
	case given && wantScheme != scheme:
		return false
	case !given && scheme == "http":
		return false
	case !given:
		rest = allowed
	}
	user, host, port := parties(strings.TrimSuffix(rest, "/"))
	u, h, p := parties(authority(rpc))
	if p == "" {
		p = map[string]string{"ssh": "22", "https": "443", "http": "80"}[scheme]
	}
	domain, wild := strings.CutPrefix(host, "*")
	return (user == "" || user == u) && (port == "" || port == p) && (host == h || wild && (domain == "" || strings.HasPrefix(domain, ".") && strings.HasSuffix(h, domain)))
}

// authority is user, host and port of an address.
func authority(rpc string) string {
	_, rest, _ := strings.Cut(rpc, "://")
	at, _, _ := strings.Cut(rest, "/")
	return at
}

func withoutPath(rpc string) string {
	scheme, _, _ := strings.Cut(rpc, "://")
	return scheme + "://" + authority(rpc)
}

func parties(at string) (user, host, port string) {
	if i := strings.LastIndexByte(at, '@'); i >= 0 {
		user, at = at[:i], at[i+1:]
	}
	host = at
	if h, p, err := net.SplitHostPort(at); err == nil {
		host, port = h, p
	}
	return user, strings.ToLower(strings.Trim(host, "[]")), port
}

// Source names where a configuration says that a secret is, as a Permit does.
func Source(s schema.Secret) string {
	switch {
	case s.Env != "":
		return "env:" + s.Env
	case len(s.Command) > 0:
		program := s.Command[0]
		if filepath.IsAbs(program) {
			program = filepath.Clean(program)
		}
		return "command:" + program
	}
	return FileSource(s.File)
}

// FileSource is that of a file.
func FileSource(path string) string { return "file:" + filepath.Clean(AtHome(path)) }

func inWords(source string) string {
	kind, value, _ := strings.Cut(source, ":")
	switch kind {
	case "env":
		return "environment variable " + value
	case "file":
		return "file " + value
	case "command":
		return "command " + value
	}
	return "the ssh agent and the usual keys"
}
