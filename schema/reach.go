package schema

import "strings"

// http reads what an http:// or https:// rpc needs besides.
func (s *spot) http(rpc string) *HTTP {
	if s == nil {
		return nil
	}
	h := &HTTP{}
	o, ok := s.object(`a struct such as {password: env: "STRATA_RPC_PASSWORD"}`)
	if !ok {
		return h
	}
	o.only(httpFields)
	h.Password = o.field("password").secret()
	h.CA = o.field("ca").file()
	switch {
	case rpc == "": // is wrong itself
	case !strings.HasPrefix(rpc, "http"):
		s.wrong("leave it out", "is for an rpc that starts with http:// or https://, not for %s", rpc)
	case o.field("password") != nil && !strings.Contains(rpc, "@"):
		o.field("password").wrong("write "+strings.Replace(rpc, "://", "://USER@", 1), "is of no use, because rpc names no user")
	case o.field("ca") != nil && strings.HasPrefix(rpc, "http:"):
		o.field("ca").wrong("an http:// proxy shows no certificate; write https:// if it does", "is of no use with %s", rpc)
	}
	return h
}

// ssh reads what an ssh:// rpc needs besides.
func (s *spot) ssh(rpc string) *SSH {
	if s == nil {
		return nil
	}
	h := &SSH{}
	o, ok := s.object(`a struct such as {key: "~/.ssh/id_ed25519"}`)
	if !ok {
		return h
	}
	o.only(sshFields)
	h.Key = o.field("key").file()
	h.Passphrase = o.field("passphrase").secret()
	h.KnownHosts = o.field("knownHosts").file()
	if rpc != "" && !strings.HasPrefix(rpc, "ssh:") {
		s.wrong("leave it out", "is for an rpc that starts with ssh://, not for %s", rpc)
	}
	return h
}

const wantSecret = `{env: "NAME"}, an environment variable, {file: "/path"}, or {command: ["program", "argument"]}`

// secret reads where a secret is found. It never repeats what stands there:
// that may be the secret.
func (s *spot) secret() (found Secret) {
	if s == nil {
		return found
	}
	o, ok := s.object(wantSecret)
	if !ok {
		return found
	}
	return s.secretOf(o, wantSecret, secretFields)
}

// secretOf reads the fields of one, which may be one of several forms.
func (s *spot) secretOf(o object, want string, fields []string) (found Secret) {
	o.only(fields)
	env, file, command := o.field("env"), o.field("file"), o.field("command")
	said := 0
	for _, f := range []*spot{env, file, command} {
		if f != nil {
			said++
		}
	}
	if said != 1 {
		s.wrong("", "must be one of %s", want)
	}
	const wantEnv = "the name of an environment variable, such as STRATA_RPC_PASSWORD"
	if t, ok := env.text(wantEnv); ok {
		if found.Env = t; !envName.MatchString(t) {
			env.wrong("", "must be %s", wantEnv)
		}
	}
	found.File = file.file()
	if command != nil {
		found.Command = command.secretCommand()
	}
	return found
}

// secretCommand reads a program that prints a secret. Unlike a fence agent's, its arguments
// may speak of secrets: they say which is wanted.
func (s *spot) secretCommand() (all []string) {
	list, ok := s.list(`a list of a program and its arguments, such as ["vault", "kv", "get", "-field=key", "kv/db"]`)
	if ok && len(list) == 0 {
		s.wrong("", "must be a list of a program and its arguments, and not empty")
	}
	for i, e := range list {
		is, want := fenceValue.MatchString, "an argument without line breaks"
		if i == 0 {
			is, want = fenceProgram.MatchString, `the name of a program, or its absolute path, such as "vault"`
		}
		t, ok := e.text(want)
		if ok && !is(t) {
			e.wrong("", "must be %s", want)
		}
		all = append(all, t)
	}
	return all
}

// file reads the path of a file on the machine where strata runs.
func (s *spot) file() string {
	t, _ := s.matching(`an absolute path such as "/etc/strata/key", or one such as "~/.ssh/id_ed25519"`, userFile.MatchString)
	return t
}
