package archive

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// TestOpen: what cannot be opened, and why.
func TestOpen(t *testing.T) {
	t.Parallel()
	m, r := inMemory(t)
	defer r.Close()
	if err := Init(t.Context(), m, "p"); !errors.Is(err, ErrExists) {
		t.Errorf("made again: %v", err)
	}
	open := func(password string) error {
		_, err := Open(t.Context(), m, Options{Password: password})
		return err
	}
	if err := open("another"); !errors.Is(err, ErrPassword) {
		t.Errorf("another password: %v", err)
	}
	config := m.files[configFile]
	for _, c := range []struct {
		name, says string
		change     func()
	}{
		{"version 1", "migrate upgrade_repo_v2", func() {
			text, err := json.Marshal(map[string]any{"version": 1, "id": ID{}, "chunker_polynomial": "1"})
			if err != nil {
				t.Fatal(err)
			}
			m.files[configFile] = r.seal.seal(nil, text)
		}},
		{"a config that was changed", "authentication code", func() { m.files[configFile][20] ^= 1 }},
		{"a config that is empty", "authentication code", func() { m.files[configFile] = nil }},
		{"no keys", "no keys", func() {
			m.files[configFile] = config
			for e := range m.List(t.Context(), keysDir) {
				m.Delete(t.Context(), keysDir+"/"+e.Name)
			}
		}},
		{"nothing", ErrNone.Error(), func() { clear(m.files) }},
	} {
		c.change()
		if err := open("p"); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := Init(t.Context(), m, ""); err == nil {
		t.Error("a repository without a password is made")
	}
}
