// Package secret reads secrets from where a configuration says that they are, as far as the
// operator lets it: from environment variables, files and programs. It keeps none, and no
// message of its has one in it. What a secret is for, others know.
package secret

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"strata/amount"
	"strata/program"
	"strata/schema"
)

// Most is more than any secret, or bundle of certificates, has, in bytes.
const Most = 1 << 20

// Timeout is how long a program may take to say a secret.
const Timeout = 30 * time.Second

// Of is a secret for a host, if the operator allows that.
func (w Permit) Of(ctx context.Context, p Purpose, s schema.Secret, host string) (string, error) {
	if err := w.Allows(p, Source(s), host); err != nil {
		return "", err
	}
	return OfOperator(ctx, s)
}

// OfOperator is a secret that whoever runs strata has named, and not the configuration. It
// is one line.
func OfOperator(ctx context.Context, s schema.Secret) (string, error) {
	where := inWords(Source(s))
	if s.File != "" {
		where = "file " + s.File // as it is written
	}
	value, err := read(ctx, s)
	switch {
	case err != nil:
		return "", err
	case value == "":
		return "", fmt.Errorf("%s, which should have it, has nothing in it", where)
	case strings.ContainsFunc(value, unicode.IsControl): // keys, settings, an environment
		return "", fmt.Errorf("%s has more than one line, or characters that no password has", where)
	}
	return value, nil
}

// read is what there is, without a line break at the end.
func read(ctx context.Context, s schema.Secret) (string, error) {
	switch {
	case s.Env != "":
		value := os.Getenv(s.Env)
		if value == "" {
			return "", fmt.Errorf("environment variable %s, which should have it, is not set", s.Env)
		}
		return value, nil
	case len(s.Command) > 0:
		return said(ctx, s.Command)
	}
	b, err := ReadFile(AtHome(s.File), Most)
	return withoutBreak(b), err
}

// said is what a program prints. Of that nothing is ever shown, only of what it says of
// errors.
func said(ctx context.Context, command []string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, Timeout, program.ErrTimeout)
	defer cancel()
	is, err := program.Call{Command: command, Hushed: true}.Run(ctx)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", command[0], err)
	case is.Code != 0:
		return "", fmt.Errorf("%s ended with %d%s", command[0], is.Code, is.Said)
	}
	return withoutBreak(is.Out), nil
}

func withoutBreak(b []byte) string {
	return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
}

// KeyPair reads a certificate, with those that vouch for it, and its key.
func KeyPair(cert, key string) (*tls.Certificate, error) {
	var pair [2][]byte
	for i, file := range []string{cert, key} {
		var err error
		if pair[i], err = ReadFile(AtHome(file), Most); err != nil {
			return nil, err
		}
	}
	c, err := tls.X509KeyPair(pair[0], pair[1])
	return &c, err
}

// ReadFile reads a regular file of at most so many bytes. What others name may
// be a pipe that nobody writes to, or a device without end.
func ReadFile(path string, limit int64) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if int64(len(b)) > limit {
		err = fmt.Errorf("%s is larger than %s", path, amount.Bytes(limit))
	}
	return b, errors.Join(err, f.Close())
}

// AtHome resolves a path that starts in the home directory.
func AtHome(path string) string {
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
