package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// rpcForms are the forms of an rpc, by scheme.
var rpcForms = map[string]string{
	"unix":  "unix:///path",
	"tcp":   "tcp://host:port",
	"http":  "http://user@host:port",
	"https": "https://user@host:port",
	"ssh":   "ssh://user@host/path",
}

const anyRPC = `"unix:///path", "tcp://host:port", "ssh://user@host/path", "https://user@host:port" or "http://user@host:port"`

// rpc reads where a target is reached.
func (s *spot) rpc() string {
	t, ok := s.text(anyRPC)
	if !ok {
		return ""
	}
	scheme, rest, _ := strings.Cut(t, "://")
	rpc, ok := map[string]pattern{"unix": unixRPC, "tcp": tcpRPC, "http": httpRPC, "https": httpRPC, "ssh": sshRPC}[scheme]
	if ok && rpc.MatchString(t) {
		return t
	}
	form, known := rpcForms[scheme]
	want, hint := anyRPC, rpcHint(t)
	if known {
		want, hint = fmt.Sprintf("%q", form), formHint(scheme, rest)
	}
	if u := withoutPasswords(t); u != t {
		s.wrong(passwordHint(scheme), "has a password in it, which must not stand in a configuration")
	} else {
		s.wrong(hint, "must be %s, not %q", want, t)
	}
	return ""
}

// rpcHint guesses what is meant by a text that has no scheme, or an unknown one.
func rpcHint(t string) string {
	switch scheme, rest, ok := strings.Cut(t, "://"); {
	case strings.HasPrefix(t, "/"), strings.HasPrefix(t, "unix:"):
		return fmt.Sprintf("did you mean %q?", "unix:///"+strings.TrimLeft(strings.TrimPrefix(t, "unix:"), "/"))
	case ok:
		if near, ok := nearest(scheme, []string{"unix", "tcp", "ssh", "https", "http"}); ok {
			return fmt.Sprintf("did you mean %q?", near+"://"+rest)
		}
	case tcpRPC.MatchString("tcp://" + t):
		return fmt.Sprintf("did you mean %q?", "tcp://"+t)
	case sshRPC.MatchString("ssh://" + strings.Replace(t, ":/", "/", 1)):
		return fmt.Sprintf("did you mean %q?", "ssh://"+strings.Replace(t, ":/", "/", 1))
	}
	return ""
}

// formHint says what is missing in an address with a known scheme.
func formHint(scheme, rest string) string {
	host, path, _ := strings.Cut(rest, "/")
	switch {
	case scheme == "unix" && rest != "":
		return fmt.Sprintf("did you mean %q?", "unix:///"+strings.TrimLeft(rest, "/"))
	case scheme == "ssh" && !strings.Contains(host, "@"):
		return "name the user there, as in ssh://root@" + rest
	case scheme == "ssh" && path == "":
		return "name the target's socket there, as in ssh://" + host + "/var/tmp/spdk.sock"
	case strings.ContainsAny(rest, "?#"):
		return `what follows "?" or "#" has no meaning here; leave it out`
	}
	return ""
}

func passwordHint(scheme string) string {
	if scheme == "ssh" {
		return "strata uses keys with ssh; leave the password out"
	}
	return `leave it out and say where it is found: http: password: {env: "NAME"} or {file: "/path"}`
}

// sameRPC is the same for two addresses of one target, where that can be seen.
func sameRPC(rpc string) string {
	scheme, rest, _ := strings.Cut(rpc, "://")
	if scheme == "unix" {
		return rpc
	}
	host, path, _ := strings.Cut(rest, "/")
	host = strings.ToLower(host[strings.LastIndexByte(host, '@')+1:])
	switch scheme {
	case "http":
		host = withPort(host, "80")
	case "https":
		scheme, host = "http", withPort(host, "443")
	case "ssh":
		return "ssh://" + withPort(host, "22") + "/" + path
	}
	return scheme + "://" + host + "/" + strings.Trim(path, "/")
}

func withPort(host, port string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		return host
	}
	return host + ":" + port
}

// inURL is the password in a URL, which may have any character in it; one that
// follows a second user ends where the path begins.
var inURL = regexp.MustCompile(`(://[^\s/:@"]*:)[^\s"]*@|(://[^\s/"]*?:)[^\s/"]*@`)

// withoutPasswords takes the passwords out of the URLs in a text.
func withoutPasswords(text string) string { return inURL.ReplaceAllString(text, "${1}${2}…@") }

// holdsSecret reports whether the field at that path is a secret, or was taken
// for one by whoever wrote it.
func holdsSecret(names []string) bool {
	return slices.Contains(names, "password") || slices.Contains(names, "passphrase") || slices.Contains(names, "secretKey") || fenceSecret(names) || holdsKey(names)
}
