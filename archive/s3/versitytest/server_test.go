// Package versitytest has archives in the S3 server of Versity, over TLS, in buckets with
// and without object lock. It is a module of its own: what that server needs is no part of
// strata.
package versitytest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"strata/archive/s3"
)

// program is the server's, built once.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "versitytest-")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "versitygw")
	build := exec.Command("go", "build", "-o", program, "github.com/versity/versitygw/cmd/versitygw")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building the server:", err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

const access, secret, region = "strata", "strata-secret", "lab-1"

// server is one that runs for a test.
type server struct {
	endpoint, ca string
	admin        *minio.Client
	buckets      atomic.Int32
}

func start(t *testing.T) *server {
	dir := t.TempDir()
	for _, d := range []string{"objects", "versions"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s := &server{ca: filepath.Join(dir, "cert.pem")}
	key := filepath.Join(dir, "key.pem")
	certificate(t, s.ca, key)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	s.endpoint = "https://" + address
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--quiet", "--access", access, "--secret", secret, "--region", region, "--port", address, "--cert", s.ca, "--key", key,
		"posix", "--versioning-dir", filepath.Join(dir, "versions"), filepath.Join(dir, "objects"))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if out, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("the server says:\n%s", out)
		}
	})
	transport, err := minio.DefaultTransport(true)
	if err != nil {
		t.Fatal(err)
	}
	pem, _ := os.ReadFile(s.ca)
	transport.TLSClientConfig.RootCAs = x509.NewCertPool()
	transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem)
	s.admin, err = minio.New(address, &minio.Options{Creds: credentials.NewStaticV4(access, secret, ""), Secure: true, Region: region, Transport: transport, BucketLookup: minio.BucketLookupPath})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			return s
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// bucket makes one. With object lock nothing in it is really deleted for a day.
func (s *server) bucket(t *testing.T, locked bool) s3.Options {
	name := fmt.Sprintf("backups-%d", s.buckets.Add(1))
	if err := s.admin.MakeBucket(t.Context(), name, minio.MakeBucketOptions{ObjectLocking: locked}); err != nil {
		t.Fatal(err)
	}
	if locked {
		mode, days, unit := minio.Compliance, uint(1), minio.Days
		if err := s.admin.SetBucketObjectLockConfig(t.Context(), name, &mode, &days, &unit); err != nil {
			t.Fatal(err)
		}
	}
	return s3.Options{Endpoint: s.endpoint, Region: region, Bucket: name, Prefix: "lab", PathStyle: true, CAFile: s.ca, Credentials: s3.Credentials{AccessKey: access, SecretKey: secret}}
}

// versions counts what a bucket keeps, deleted or not.
func (s *server) versions(ctx context.Context, bucket string) (kept, deleted int, err error) {
	for o := range s.admin.ListObjectsIter(ctx, bucket, minio.ListObjectsOptions{Recursive: true, WithVersions: true}) {
		if o.Err != nil {
			return 0, 0, o.Err
		}
		if o.IsDeleteMarker {
			deleted++
		} else {
			kept++
		}
	}
	return kept, deleted, nil
}

func certificate(t *testing.T, certFile, keyFile string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "lab"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
