package secret

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strata/schema"
)

// TestCommand: what a program prints is the secret, and is shown in no message.
func TestCommand(t *testing.T) {
	t.Setenv("STRATA_RPC_PASSWORD", "s3cret")
	for script, want := range map[string]string{
		"echo s3cret":                      "s3cret",
		"printf s3cret":                    "s3cret",
		"echo $0 $1":                       "sh two words",
		"echo s3cret; exit 3":              "!sh ended with 3",
		"echo s3cret; echo no >&2; exit 3": "!sh ended with 3: no",
		"echo s3cret; echo s3cret":         "!command sh has more than one line, or characters that no password has",
		"true":                             "!command sh, which should have it, has nothing in it",
		"kill -9 $$":                       "!sh: signal: killed",
		"echo ${STRATA_RPC_PASSWORD-none}": "none",
	} {
		got, err := OfOperator(t.Context(), schema.Secret{Command: []string{"sh", "-c", script, "sh", "two words"}})
		if err != nil {
			got = "!" + err.Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", script, got, want)
		}
	}
}

// TestCommandIsAllowed: a configuration has no program run of its own accord.
func TestCommandIsAllowed(t *testing.T) {
	t.Setenv(Env, "")
	program := filepath.Join(t.TempDir(), "say")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho s3cret\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := schema.Secret{Command: []string{program, "x"}}
	for say, want := range map[string]bool{
		"":                          false,
		"none":                      false,
		"command:" + program + "=*": true,
		"command:" + program + "=a": false,
		"command:say=*":             false,
		"file:" + program + "=*":    false,
		"command:" + filepath.Dir(program) + "/=archive://main": true,
		"file:" + filepath.Dir(program) + "/=*":                 false,
	} {
		w, err := Read(strings.Fields(say))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := w.Of(t.Context(), Password, s, "archive://main"); (err == nil) != want || want && got != "s3cret" {
			t.Errorf("%q: %q, %v", say, got, err)
		}
	}
}
