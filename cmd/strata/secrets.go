package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"strata/amount"
	"strata/schema"
)

// A configuration comes from whoever may propose a change, and says which
// secret goes to which host. So it only chooses from what the operator lets it
// have: the word is given where strata is run, and nowhere else.

// secretsEnv has the operator's word where --secrets does not.
const secretsEnv = "STRATA_SECRETS"

const secretsHelp = "which secrets a configuration may use, and for which hosts: `SOURCE=HOST,...`; may be repeated. A source is env:NAME, file:/path, file:/directory/ or ssh (the agent and the usual keys), a host [scheme://][user@]host[:port], *.domain or *, fence://NAME a fence agent and archive://NAME an archive. " +
	"Said once, nothing else is used; \"none\" is none at all. By default $" + secretsEnv + ", the same with spaces between"

// permit is what the operator has said of secrets.
type permit struct {
	said  bool
	rules []allowance
}

// allowance lets a source be used for some hosts.
type allowance struct {
	source string // env:NAME, file:/path, file:/directory/, or ssh
	hosts  []string
}

// readPermit takes the operator's word from the flag or, without it, the
// environment.
func readPermit(flags []string) (permit, error) {
	from, texts := "--secrets", flags
	if len(flags) == 0 {
		from, texts = secretsEnv, strings.Fields(os.Getenv(secretsEnv))
	}
	w := permit{said: len(texts) > 0}
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
			a.source = "file:" + directory(atHome(value), value)
		default:
			return w, fmt.Errorf("%s %s: a source is env:NAME, file:/path, file:/directory/ or ssh, not %q", from, text, a.source)
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

// purpose is what a secret is for.
type purpose string

const (
	forPassword   purpose = "password"   // is sent to the host
	forKey        purpose = "key"        // proves to it who asks
	forPassphrase purpose = "passphrase" // opens the key
	forTrust      purpose = "certificates or keys of hosts"
)

// allows says why a source may not be used for a target; nil when it may.
func (w permit) allows(p purpose, source string, rpc string) error {
	if !w.said {
		if unsaid(p, source) {
			return nil
		}
		return fmt.Errorf("a configuration may not use %s of its own accord; allow it with --secrets %s=%s, or %s", inWords(source), source, withoutPath(rpc), instead(p))
	}
	known := false
	for _, a := range w.rules {
		if !covers(a.source, source) {
			continue
		}
		known = true
		if slices.ContainsFunc(a.hosts, func(host string) bool { return reaches(host, rpc) }) {
			return nil
		}
	}
	what := inWords(source)
	if known {
		what += " for this host"
	}
	return fmt.Errorf("--secrets, or %s, does not allow %s; it would take %s=%s", secretsEnv, what, source, withoutPath(rpc))
}

// unsaid reports whether a source may be used although the operator has said
// nothing: it can only be there for strata.
func unsaid(p purpose, source string) bool {
	kind, value, _ := strings.Cut(source, ":")
	dirs := ownDirs()
	switch {
	case source == "ssh", p == forTrust:
		return true
	case kind == "env":
		return strings.HasPrefix(value, "STRATA_") && value != secretsEnv
	case p == forKey:
		dirs = append(dirs, atHome("~/.ssh/"))
	}
	return slices.ContainsFunc(dirs, func(dir string) bool { return covers("file:"+directory(dir, "/"), source) })
}

// ownDirs are the directories whose files are strata's.
func ownDirs() []string { return []string{"/etc/strata/", atHome("~/.config/strata/")} }

// instead is where a source would need no word.
func instead(p purpose) string {
	if p == forKey {
		return "keep it in ~/.ssh, ~/.config/strata or /etc/strata"
	}
	return "keep it in a variable that starts with STRATA_, or in a file below ~/.config/strata or /etc/strata"
}

// covers reports whether one source is another, or the directory it is in.
func covers(allowed, source string) bool {
	return allowed == source || strings.HasPrefix(allowed, "file:") && strings.HasSuffix(allowed, "/") && strings.HasPrefix(source, allowed)
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

// sourceOf names where a configuration says that a secret is.
func sourceOf(s schema.Secret) string {
	if s.Env != "" {
		return "env:" + s.Env
	}
	return fileSource(s.File)
}

func fileSource(path string) string { return "file:" + filepath.Clean(atHome(path)) }

func inWords(source string) string {
	kind, value, _ := strings.Cut(source, ":")
	switch kind {
	case "env":
		return "environment variable " + value
	case "file":
		return "file " + value
	}
	return "the ssh agent and the usual keys"
}

// maxSecret is more than any password, passphrase or bundle of certificates has.
const maxSecret = 1 << 20

// secret reads one from where it is.
func secret(s schema.Secret) (string, error) {
	if s.Env != "" {
		value := os.Getenv(s.Env)
		if value == "" {
			return "", fmt.Errorf("environment variable %s, which should have it, is not set", s.Env)
		}
		return value, oneLineSecret(value, "environment variable "+s.Env)
	}
	b, err := readFile(atHome(s.File), maxSecret)
	if err != nil {
		return "", err
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if value == "" {
		return "", fmt.Errorf("file %s, which should have it, is empty", s.File)
	}
	return value, oneLineSecret(value, "file "+s.File)
}

// oneLineSecret refuses what was not meant to be a password: keys, settings, an
// environment.
func oneLineSecret(value, where string) error {
	if strings.ContainsFunc(value, unicode.IsControl) {
		return fmt.Errorf("%s has more than one line, or characters that no password has", where)
	}
	return nil
}

// keyPair reads a certificate, with those that vouch for it, and its key.
func keyPair(cert, key string) (*tls.Certificate, error) {
	var pair [2][]byte
	for i, file := range []string{cert, key} {
		var err error
		if pair[i], err = readFile(atHome(file), maxSecret); err != nil {
			return nil, err
		}
	}
	c, err := tls.X509KeyPair(pair[0], pair[1])
	return &c, err
}

// readFile reads a regular file of at most so many bytes. What others name may
// be a pipe that nobody writes to, or a device without end.
func readFile(path string, limit int64) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if int64(len(b)) > limit {
		err = fmt.Errorf("%s is larger than %s", path, amount.Bytes(limit))
	}
	return b, errors.Join(err, f.Close())
}
