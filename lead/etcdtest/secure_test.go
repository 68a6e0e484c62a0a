package etcdtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// TestSecure has etcd ask for certificates and passwords: with them a watch leads, without
// either it does not.
func TestSecure(t *testing.T) {
	c, secure, _ := startSecure(t)
	pool := secure.RootCAs
	stranger, _ := authority(t, "another's")
	strangers := x509.NewCertPool()
	strangers.AddCert(stranger)
	for name, x := range map[string]struct {
		tls            *tls.Config
		user, password string
		leads          bool
	}{
		"all that is asked for":      {secure, "strata", "right", true},
		"a wrong password":           {secure, "strata", "wrong", false},
		"no password":                {secure, "", "", false},
		"no certificate":             {&tls.Config{RootCAs: pool}, "strata", "right", false},
		"etcd's certificate unknown": {&tls.Config{RootCAs: strangers, Certificates: secure.Certificates}, "strata", "right", false},
		"no TLS":                     {nil, "strata", "right", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := c.watch(t, 1)
			w.etcd.TLS, w.etcd.User, w.etcd.Password = x.tls, x.user, x.password
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			term, err := w.etcd.Lead(ctx, "lab")
			if (err == nil) != x.leads {
				t.Fatalf("it leads: %v", err)
			}
			if err != nil {
				t.Log(err)
				return
			}
			defer term.Resign()
			if err := term.Check(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// startSecure starts an etcd that asks for certificates and passwords, and says what
// satisfies it. Directory dir has that in ca.pem, client.pem and client.key.
func startSecure(t *testing.T) (c *etcd, secure *tls.Config, dir string) {
	t.Helper()
	dir = t.TempDir()
	ca, key := authority(t, "etcd's")
	issue(t, ca, key, filepath.Join(dir, "server"))
	cert := issue(t, ca, key, filepath.Join(dir, "client"))
	write(t, filepath.Join(dir, "ca.pem"), "CERTIFICATE", ca.Raw)
	c = start(t, &transport.TLSInfo{
		CertFile: filepath.Join(dir, "server.pem"), KeyFile: filepath.Join(dir, "server.key"),
		TrustedCAFile: filepath.Join(dir, "ca.pem"), ClientCertAuth: true,
	})
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	secure = &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{cert}}
	users(t, c, secure)
	return c, secure, dir
}

// users has etcd ask for passwords.
func users(t *testing.T, c *etcd, secure *tls.Config) {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"https://" + c.members[0].client}, TLS: secure, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx := t.Context()
	for _, do := range []func() error{
		func() error { _, err := client.RoleAdd(ctx, "watch"); return err },
		func() error {
			_, err := client.RoleGrantPermission(ctx, "watch", "/strata/", clientv3.GetPrefixRangeEnd("/strata/"), clientv3.PermissionType(clientv3.PermReadWrite))
			return err
		},
		func() error { _, err := client.UserAdd(ctx, "root", "root's"); return err },
		func() error { _, err := client.UserGrantRole(ctx, "root", "root"); return err },
		func() error { _, err := client.UserAdd(ctx, "strata", "right"); return err },
		func() error { _, err := client.UserGrantRole(ctx, "strata", "watch"); return err },
		func() error { _, err := client.AuthEnable(ctx); return err },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
}

func authority(t *testing.T, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// issue makes a certificate for 127.0.0.1, in files, too.
func issue(t *testing.T, ca *x509.Certificate, caKey *ecdsa.PrivateKey, file string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca, &key.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file+".pem", "CERTIFICATE", der)
	write(t, file+".key", "EC PRIVATE KEY", private)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func write(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
