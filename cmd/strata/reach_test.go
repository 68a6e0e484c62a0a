package main

import (
	"crypto/tls"
	"os"

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
