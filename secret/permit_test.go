package secret

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strata/schema"
)

func TestSecretsSaid(t *testing.T) {
	t.Setenv("HOME", "/home/op")
	const proxy = "https://admin@n1.example.com:8000"
	for _, c := range []struct {
		say, source, rpc string
		may              bool
	}{
		{"env:PW=https://n1.example.com:8000", "env:PW", proxy, true},
		{"env:PW=n1.example.com", "env:PW", proxy, true},
		{"env:PW=N1.Example.com:8000", "env:PW", proxy, true},
		{"env:PW=admin@n1.example.com", "env:PW", proxy, true},
		{"env:PW=*", "env:PW", proxy, true},
		{"env:PW=*.example.com", "env:PW", proxy, true},
		{"env:PW=other,n1.example.com", "env:PW", proxy, true},
		{"env:PW=n2.example.com", "env:PW", proxy, false},
		{"env:PW=n1.example.com:8001", "env:PW", proxy, false},
		{"env:PW=root@n1.example.com", "env:PW", proxy, false},
		{"env:PW=*example.com", "env:PW", "https://admin@evilexample.com", false},
		{"env:PW=*.example.com", "env:PW", "https://admin@n1.example.com.evil.org", false},
		{"env:PW=n1.example.com", "env:PW", "https://n1.example.com@evil.org", false},
		{"env:PW=n1.example.com", "env:PW", "http://admin@n1.example.com:8000", false},
		{"env:PW=*", "env:PW", "http://admin@n1", false},
		{"env:PW=http://n1", "env:PW", "http://admin@n1:80", true},
		{"env:PW=https://n1", "env:PW", "ssh://root@n1/s", false},
		{"env:PW=*", "env:PW2", proxy, false},
		{"env:PW=*", "file:/etc/strata/pw", proxy, false},
		{"none", "env:STRATA_RPC_PASSWORD", proxy, false},
		{"none", "ssh", "ssh://root@n1/s", false},
		{"ssh=n1", "ssh", "ssh://root@n1/s", true},
		{"ssh=ssh://root@n1:22", "ssh", "ssh://root@n1/s", true},
		{"ssh=n1", "ssh", "ssh://root@n2/s", false},
		{"ssh=fd00::1", "ssh", "ssh://root@[fd00::1]/s", true},
		{"file:/s/=*", "file:/s/pw", proxy, true},
		{"file:/s=*", "file:/s/pw", proxy, false},
		{"file:/s/=*", "file:/secret", proxy, false},
		{"file:~/s/=*", "file:/home/op/s/pw", proxy, true},
		{"file:/a=b/pw=*", "file:/a=b/pw", proxy, true},
	} {
		w, err := Read([]string{c.say})
		if err != nil {
			t.Fatalf("%s: %v", c.say, err)
		}
		if err := w.Allows(Password, c.source, c.rpc); (err == nil) != c.may {
			t.Errorf("--secrets %s, %s for %s: %v", c.say, c.source, c.rpc, err)
		}
	}
	for _, say := range []string{"", "env:PW", "env:=*", "PW=*", "file:relative=*", "env:PW=", "env:PW=a,,b", "key=*"} {
		if _, err := Read([]string{say}); err == nil {
			t.Errorf("--secrets %q is accepted", say)
		}
	}
}

// TestSecretsUnsaid: without a word of the operator's only what is there for
// strata is used.
func TestSecretsUnsaid(t *testing.T) {
	t.Setenv("HOME", "/home/op")
	t.Setenv(Env, "")
	for _, c := range []struct {
		p   Purpose
		s   schema.Secret
		may bool
	}{
		{Password, schema.Secret{Env: "STRATA_RPC_PASSWORD"}, true},
		{Password, schema.Secret{Env: "STRATA_N1"}, true},
		{Password, schema.Secret{Env: "AWS_SECRET_ACCESS_KEY"}, false},
		{Password, schema.Secret{Env: "HOME"}, false},
		{Password, schema.Secret{File: "~/.config/strata/n1"}, true},
		{Password, schema.Secret{File: "/etc/strata/n1"}, true},
		{Password, schema.Secret{File: "/etc/strata/../shadow"}, false},
		{Password, schema.Secret{File: "/etc/stratagem"}, false},
		{Password, schema.Secret{File: "/proc/self/environ"}, false},
		{Password, schema.Secret{File: "~/.ssh/id_rsa"}, false},
		{Password, schema.Secret{File: "~/.config/strata/../../.netrc"}, false},
		{Password, schema.Secret{Env: "CI_TOKEN"}, false},
		{Key, schema.Secret{File: "~/.ssh/id_lab"}, true},
		{Key, schema.Secret{File: "/etc/ssh/ssh_host_ed25519_key"}, false},
		{Trust, schema.Secret{File: "/srv/ca.pem"}, true},
	} {
		w, err := Read(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Allows(c.p, Source(c.s), "https://admin@n1"); (err == nil) != c.may {
			t.Errorf("%s from %v: %v", c.p, c.s, err)
		}
	}
}

func TestSecretsFromEnvironment(t *testing.T) {
	t.Setenv(Env, " env:A=n1  ssh=* ")
	w, err := Read(nil)
	if err != nil || len(w.rules) != 2 {
		t.Fatal(w, err)
	}
	if w.Allows(Password, "env:A", "https://u@n2") == nil {
		t.Error("the environment is not heard")
	}
	// The flag stands in its place.
	if w, err = Read([]string{"env:A=n2"}); err != nil || w.Allows(Password, "env:A", "https://u@n1") == nil {
		t.Error("the flag does not win", err)
	}
}

// TestSecretIsOneLine: what is no password is not sent as one.
func TestSecretIsOneLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s")
	for text, ok := range map[string]bool{
		"s3cret\n": true, "s3cret\r\n": true, "-----BEGIN KEY-----\nx\n": false, "A=1\x00B=2": false, "": false, strings.Repeat("x", Most+1): false,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := OfOperator(t.Context(), schema.Secret{File: file}); (err == nil) != ok || ok && got != "s3cret" {
			t.Errorf("%.20q: %q, %v", text, got, err)
		}
	}
	if _, err := OfOperator(t.Context(), schema.Secret{File: "/dev/zero"}); err == nil {
		t.Error("a device is read")
	}
}
