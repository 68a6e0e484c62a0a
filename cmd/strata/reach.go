package main

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"strata/schema"
	"strata/spdk"
)

// passwordEnv has the password of proxies for which none is configured.
const passwordEnv = "STRATA_RPC_PASSWORD"

// client makes a node's, with the secrets that its address asks for from where
// the configuration says they are.
func client(n *schema.Node, opt spdk.Options) (*spdk.Client, error) {
	scheme, rest, _ := strings.Cut(n.RPC, "://")
	var err error
	switch scheme {
	case "http", "https":
		err = throughProxy(n, strings.Contains(rest, "@"), &opt)
	}
	if err != nil {
		return nil, err
	}
	return spdk.New(n.RPC, opt)
}

func throughProxy(n *schema.Node, user bool, opt *spdk.Options) error {
	h := schema.HTTP{}
	if n.HTTP != nil {
		h = *n.HTTP
	}
	if user {
		if h.Password == (schema.Secret{}) {
			h.Password.Env = passwordEnv
		}
		var err error
		if opt.Password, err = secret(h.Password); err != nil {
			return fmt.Errorf("the password for %s: %w", n.RPC, err)
		}
	}
	if h.CA != "" {
		pem, err := os.ReadFile(atHome(h.CA))
		if err != nil {
			return fmt.Errorf("certificates: %w", err)
		}
		opt.RootCAs = x509.NewCertPool()
		if !opt.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("certificates: there is none in %s", h.CA)
		}
	}
	return nil
}

// secret reads one from where it is.
func secret(s schema.Secret) (string, error) {
	if s.Env != "" {
		value := os.Getenv(s.Env)
		if value == "" {
			return "", fmt.Errorf("environment variable %s, which should have it, is not set", s.Env)
		}
		return value, nil
	}
	b, err := os.ReadFile(atHome(s.File))
	if err != nil {
		return "", err
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if value == "" {
		return "", fmt.Errorf("file %s, which should have it, is empty", s.File)
	}
	return value, nil
}

// atHome resolves a path that starts in the home directory.
func atHome(path string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return path // opening it names the file
	}
	return filepath.Join(home, rest)
}
