package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"strings"

	"strata/schema"
	"strata/secret"
	"strata/spdk"
)

// passwordEnv has the password of proxies for which none is configured.
const passwordEnv = "STRATA_RPC_PASSWORD"

// reacher makes clients, with the secrets that the nodes' addresses ask for
// from where the configuration says they are, as far as the operator's word goes.
type reacher struct {
	permit secret.Permit
	ssh    map[string]*spdk.SSH // nodes that are reached alike share one
}

func (r *reacher) client(n *schema.Node, opt spdk.Options) (*spdk.Client, error) {
	scheme, rest, _ := strings.Cut(n.RPC, "://")
	var err error
	switch scheme {
	case "http", "https":
		err = r.throughProxy(n, strings.Contains(rest, "@"), &opt)
	case "ssh":
		opt.SSH, err = r.throughSSH(n)
		opt.KeyDir = n.KeyDir()
	}
	if err != nil {
		return nil, err
	}
	return spdk.New(n.RPC, opt)
}

// throughSSH says how a node's host is reached. Keys are those of whoever runs
// strata: the environment wins over the configuration.
func (r *reacher) throughSSH(n *schema.Node) (*spdk.SSH, error) {
	conf := schema.SSH{}
	if n.SSH != nil {
		conf = *n.SSH
	}
	if key := os.Getenv("STRATA_SSH_KEY"); key != "" {
		conf.Key, conf.Passphrase = key, schema.Secret{}
	}
	if file := os.Getenv("STRATA_SSH_KNOWN_HOSTS"); file != "" {
		conf.KnownHosts = file
	}
	if err := r.mayUse(conf, n.RPC); err != nil {
		return nil, err
	}
	alike := fmt.Sprintf("%q", conf)
	if s := r.ssh[alike]; s != nil {
		return s, nil
	}
	s := &spdk.SSH{
		Agent:      os.Getenv("SSH_AUTH_SOCK"),
		Keys:       []string{secret.AtHome("~/.ssh/id_ed25519"), secret.AtHome("~/.ssh/id_ecdsa"), secret.AtHome("~/.ssh/id_rsa")},
		KnownHosts: []string{secret.AtHome("~/.ssh/known_hosts"), "/etc/ssh/ssh_known_hosts"},
	}
	if conf.Key != "" {
		s.Key = secret.AtHome(conf.Key)
	}
	if conf.KnownHosts != "" {
		s.KnownHosts = []string{secret.AtHome(conf.KnownHosts)}
	}
	if !conf.Passphrase.IsZero() {
		var err error
		if s.Passphrase, err = r.permit.Of(context.Background(), secret.Password, conf.Passphrase, n.RPC); err != nil {
			return nil, fmt.Errorf("the passphrase of the key for %s: %w", n.RPC, err)
		}
	}
	r.ssh[alike] = s
	return s, nil
}

// mayUse holds what is used with ssh to the operator's word. What the
// environment names is the operator's.
func (r *reacher) mayUse(conf schema.SSH, rpc string) error {
	key := "ssh"
	if conf.Key != "" && conf.Key != os.Getenv("STRATA_SSH_KEY") {
		key = secret.FileSource(conf.Key)
	}
	if err := r.permit.Allows(secret.Key, key, rpc); err != nil {
		return fmt.Errorf("the key for %s: %w", rpc, err)
	}
	if conf.KnownHosts != "" && conf.KnownHosts != os.Getenv("STRATA_SSH_KNOWN_HOSTS") {
		if err := r.permit.Allows(secret.Trust, secret.FileSource(conf.KnownHosts), rpc); err != nil {
			return fmt.Errorf("knownHosts for %s: %w", rpc, err)
		}
	}
	return nil
}

func (r *reacher) throughProxy(n *schema.Node, user bool, opt *spdk.Options) error {
	h := schema.HTTP{}
	if n.HTTP != nil {
		h = *n.HTTP
	}
	if user {
		if h.Password.IsZero() {
			h.Password.Env = passwordEnv
		}
		var err error
		if opt.Password, err = r.permit.Of(context.Background(), secret.Password, h.Password, n.RPC); err != nil {
			return fmt.Errorf("the password for %s: %w", n.RPC, err)
		}
	}
	if h.CA != "" {
		if err := r.permit.Allows(secret.Trust, secret.FileSource(h.CA), n.RPC); err != nil {
			return fmt.Errorf("ca for %s: %w", n.RPC, err)
		}
		pem, err := secret.ReadFile(secret.AtHome(h.CA), secret.Most)
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
