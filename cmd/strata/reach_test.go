package main

import (
	"crypto/tls"
	"fmt"
	"os"
	"strconv"

	"strata/spdk/reachtest"
)

func (l *lab) cmdProxy(s *script, args []string) error {
	var cert *tls.Certificate
	if args[0] == "-tls" {
		args = args[1:]
		var pem []byte
		var err error
		if cert, pem, err = reachtest.Certificate(); err != nil {
			return err
		}
		if err := os.WriteFile(s.MkAbs("proxy.pem"), pem, 0o644); err != nil {
			return err
		}
	}
	p, err := reachtest.StartProxy(l.socket(args[0]), args[1], args[2], cert)
	if err != nil {
		return err
	}
	l.closers = append(l.closers, p.Close)
	s.Setenv(args[0], p.Addr)
	return nil
}

// condition knows [sshd]: there is one on this machine, or there has to be.
func condition(name string) (bool, error) {
	if name != "sshd" {
		return false, fmt.Errorf("unknown condition %s", name)
	}
	return reachtest.HasSSHD() || os.Getenv(reachtest.NeedSSHD) != "", nil
}

func (l *lab) cmdSSHD(s *script, args []string) error {
	dir := s.MkAbs(args[0])
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	d, err := reachtest.StartSSHD(dir)
	if err != nil {
		return err
	}
	l.sshd, l.closers = d, append(l.closers, d.Close)
	s.Setenv("SSHD", d.User+"@"+d.Addr)
	return nil
}

func (l *lab) cmdLogins(_ *script, args []string) error {
	now := l.sshd.Logins()
	got := now - l.logins
	l.logins = now
	if len(args) > 0 && args[0] != strconv.Itoa(got) {
		return fmt.Errorf("%d logins, not %s", got, args[0])
	}
	return nil
}
