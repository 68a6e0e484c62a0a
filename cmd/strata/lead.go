package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"strata/lead"
	"strata/lineage"
	"strata/lock"
	"strata/schema"
	"strata/secret"
	"strata/spdk"
	"strata/watch"
)

// newWatchLock is the lock of a watch by this process, which others may wish for.
func newWatchLock() (*lock.Lock, error) {
	l, err := newLock()
	if err != nil {
		return nil, err
	}
	l.Note.Watch = true
	l.Wait = lockWait
	return l, nil
}

// leadPasswordEnv has the password for etcd where --lead-password does not say otherwise.
const leadPasswordEnv = "STRATA_LEAD_PASSWORD"

// leading says what elects the watch of this process.
type leading struct {
	at, ca, cert, key, password string
}

func (f *leading) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.at, "lead", "", "etcd that elects which of several watches works, instead of the nodes: `etcd://[USER@]HOST:PORT,HOST:PORT/PREFIX`, the same for all of them")
	flags.StringVar(&f.ca, "lead-ca", "", "`FILE` with the certificates that vouch for etcd, or system for those of this machine; then TLS is used")
	flags.StringVar(&f.cert, "lead-cert", "", "`FILE` with the certificate that etcd asks for; it is read whenever a connection is made")
	flags.StringVar(&f.key, "lead-key", "", "`FILE` with its key")
	flags.StringVar(&f.password, "lead-password", "", "where the password of USER is: `SOURCE` env:NAME or file:/path (default env:"+leadPasswordEnv+")")
}

// leader is what elects a watch that has that lock.
func (f *leading) leader(l *lock.Lock) (watch.Leader, error) {
	if f.at != "" {
		e, err := f.etcd()
		if err != nil {
			return nil, err
		}
		e.By = fmt.Sprintf("%s (process %d)", l.Note.By, l.Note.PID)
		return byEtcd{e, l}, nil
	}
	if *f != (leading{}) {
		return nil, errors.New("--lead is missing: the other flags that begin with --lead are for the etcd that it names")
	}
	id, err := randomUUID()
	if err != nil {
		return nil, err
	}
	return watch.OnNodes{Seat: &lock.Seat{Holder: id, Note: l.Note}, Lock: l}, nil
}

// etcd is the election that the flags name.
func (f *leading) etcd() (e lead.Etcd, err error) {
	if e.Place, err = lead.ParsePlace(f.at); err != nil {
		return e, fmt.Errorf("--lead: %w", err)
	}
	if e.TLS, err = f.tls(); err != nil {
		return e, err
	}
	switch {
	case e.User == "" && f.password != "":
		return e, errors.New("--lead-password is for a user: --lead etcd://USER@HOST:PORT/PREFIX")
	case e.User == "":
		return e, nil
	case e.TLS == nil && !e.Private():
		return e, fmt.Errorf("the password of %s would go to etcd in the clear; have TLS used with --lead-ca FILE, or --lead-ca system", e.User)
	}
	source, err := f.passwordSource()
	if err == nil {
		e.Password, err = secret.OfOperator(context.Background(), source)
	}
	if err != nil {
		return e, fmt.Errorf("the password of %s at etcd: %w", e.User, err)
	}
	return e, nil
}

func (f *leading) passwordSource() (s schema.Secret, err error) {
	switch kind, value, _ := strings.Cut(f.password, ":"); {
	case f.password == "":
		s.Env = leadPasswordEnv
	case kind == "env" && value != "":
		s.Env = value
	case kind == "file" && value != "":
		s.File = value
	default:
		err = errors.New("--lead-password is env:NAME or file:/path, and never the password itself")
	}
	return s, err
}

// tls is how etcd is reached; nil is in the clear.
func (f *leading) tls() (*tls.Config, error) {
	if (f.cert == "") != (f.key == "") {
		return nil, errors.New("--lead-cert and --lead-key go together: a certificate, and the key that it is for")
	}
	if f.ca == "" && f.cert == "" {
		return nil, nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.ca != "" && f.ca != "system" {
		pem, err := secret.ReadFile(secret.AtHome(f.ca), secret.Most)
		if err != nil {
			return nil, fmt.Errorf("--lead-ca: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--lead-ca: there is no certificate in %s", f.ca)
		}
	}
	if f.cert != "" {
		if _, err := f.certificate(nil); err != nil {
			return nil, err
		}
		conf.GetClientCertificate = f.certificate // they are renewed while a watch runs
	}
	return conf, nil
}

func (f *leading) certificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	c, err := secret.KeyPair(f.cert, f.key)
	if err != nil {
		return nil, fmt.Errorf("the certificate for etcd, in %s and %s: %w", f.cert, f.key, err)
	}
	return c, nil
}

// byEtcd is a Leader. Who holds locks on the nodes is learned while it stands by.
type byEtcd struct {
	lead.Etcd
	lock *lock.Lock
}

func (b byEtcd) Lead(ctx context.Context, cfg *schema.Config, targets map[lineage.Node]*spdk.Client, standsBy func(why string)) (watch.Term, error) {
	b.lock.Begin(cfg.Cluster, targets)
	b.Tell, b.StandingBy = standsBy, b.lock.LookOn
	t, err := b.Etcd.Lead(ctx, cfg.Cluster)
	if err != nil {
		return nil, err // and no term, which a nil *lead.Term would be
	}
	return t, nil
}
