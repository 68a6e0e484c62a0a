package s3_test

import (
	"encoding/pem"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"strata/archive"
	"strata/archive/s3"
	"strata/archive/storetest"
)

var known = s3.Credentials{AccessKey: "key", SecretKey: "secret"}

// fake is a server in this process that has the bucket "backups". around wraps it.
func fake(t *testing.T, around func(http.Handler) http.Handler) string {
	mem := s3mem.New()
	if err := mem.CreateBucket("backups"); err != nil {
		t.Fatal(err)
	}
	h := gofakes3.New(mem).Server()
	if around != nil {
		h = around(h)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func open(t *testing.T, o s3.Options) *s3.Store {
	st, err := s3.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestStore(t *testing.T) {
	for _, prefix := range []string{"", "lab/volumes"} {
		t.Run("prefix "+prefix, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T, appendOnly bool) archive.Store {
				return open(t, s3.Options{Endpoint: fake(t, nil), Region: "r", Bucket: "backups", Prefix: prefix, PathStyle: true, AppendOnly: appendOnly, Credentials: known})
			}, 1<<20, 1005)
		})
	}
}

// TestRetries: what passes is tried again, downloads that break off too.
func TestRetries(t *testing.T) {
	var puts, gets atomic.Int32
	endpoint := fake(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPut && puts.Add(1) == 1:
				http.Error(w, "busy", http.StatusServiceUnavailable)
			case r.Method == http.MethodGet && gets.Add(1) == 1:
				http.Error(w, "busy", http.StatusServiceUnavailable)
			case r.Method == http.MethodGet && gets.Load() == 2:
				w.Header().Set("Content-Length", "5")
				w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
				w.Write([]byte("wh"))
			default:
				h.ServeHTTP(w, r)
			}
		})
	})
	st := open(t, s3.Options{Endpoint: endpoint, Region: "r", Bucket: "backups", PathStyle: true, Credentials: known})
	if err := st.Put(t.Context(), "config", []byte("whole")); err != nil {
		t.Fatal(err)
	}
	got, err := st.Get(t.Context(), "config", 0, -1)
	if string(got) != "whole" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if puts.Load() != 2 || gets.Load() != 3 {
		t.Errorf("%d times stored, %d times read: not what was broken", puts.Load(), gets.Load())
	}
}

// TestRefused: errors say what, where, and what to do.
func TestRefused(t *testing.T) {
	refuse := func(status int, code string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(status)
			w.Write([]byte("<Error><Code>" + code + "</Code><Message>" + code + " it is.</Message></Error>"))
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	for _, c := range []struct {
		status int
		code   string
		says   string
	}{
		{403, "AccessDenied", "policy does not permit"},
		{403, "InvalidAccessKeyId", "secret is wrong"},
		{403, "SignatureDoesNotMatch", "secret is wrong"},
		{403, "RequestTimeTooSkewed", "clock"},
		{403, "InvalidObjectState", "storage class"},
		{404, "NoSuchBucket", "make the bucket backups"},
	} {
		st := open(t, s3.Options{Endpoint: refuse(c.status, c.code), Region: "r", Bucket: "backups", PathStyle: true, Credentials: known})
		_, read := st.Get(t.Context(), "config", 0, -1)
		for _, err := range []error{read, st.Put(t.Context(), "config", []byte("x"))} {
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "/backups") || !strings.Contains(err.Error(), "config") || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v", c.code, err)
			}
		}
	}
	st := open(t, s3.Options{Endpoint: refuse(403, "AccessDenied"), Region: "r", Bucket: "backups", PathStyle: true, Credentials: known})
	if err := st.Delete(t.Context(), "snapshots/x"); !errors.Is(err, archive.ErrAppendOnly) {
		t.Errorf("deleting is denied: %v", err)
	}
}

// TestCA: a certificate of an authority of one's own is trusted if it is named.
func TestCA(t *testing.T) {
	mem := s3mem.New()
	if err := mem.CreateBucket("backups"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(gofakes3.New(mem).Server())
	t.Cleanup(server.Close)
	o := s3.Options{Endpoint: server.URL, Region: "r", Bucket: "backups", PathStyle: true, Credentials: known}
	if err := open(t, o).Put(t.Context(), "config", []byte("x")); err == nil || !strings.Contains(err.Error(), "caFile") {
		t.Errorf("an unknown authority: %v", err)
	}
	o.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(o.CAFile, block, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(t, o).Put(t.Context(), "config", []byte("x")); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(o.CAFile, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s3.Open(o); err == nil || !strings.Contains(err.Error(), "ca.pem") {
		t.Errorf("a file without a certificate: %v", err)
	}
}

// TestCredentials: they come from where they are, and a request without any is not made.
func TestCredentials(t *testing.T) {
	var as atomic.Value
	endpoint := fake(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, who, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
			who, _, _ = strings.Cut(who, "/")
			as.Store(who)
			h.ServeHTTP(w, r)
		})
	})
	file := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(file, []byte("[default]\naws_access_key_id = filed\naws_secret_access_key = s\n[other]\naws_access_key_id = other\naws_secret_access_key = s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	role := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(`{"AccessKeyId":"role","SecretAccessKey":"s","Token":"t","Expiration":"2100-01-01T00:00:00Z"}`))
	}))
	t.Cleanup(role.Close)
	nobody := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(nobody.Close)
	for _, c := range []struct {
		name string
		env  map[string]string
		c    s3.Credentials
		want string
	}{
		{"given", map[string]string{"AWS_ACCESS_KEY_ID": "env", "AWS_SECRET_ACCESS_KEY": "s"}, known, "key"},
		{"environment", map[string]string{"AWS_ACCESS_KEY_ID": "env", "AWS_SECRET_ACCESS_KEY": "s"}, s3.Credentials{}, "env"},
		{"file", nil, s3.Credentials{File: file}, "filed"},
		{"profile", map[string]string{"AWS_ACCESS_KEY_ID": "env", "AWS_SECRET_ACCESS_KEY": "s"}, s3.Credentials{File: file, Profile: "other"}, "other"},
		{"file of the environment", map[string]string{"AWS_SHARED_CREDENTIALS_FILE": file}, s3.Credentials{}, "filed"},
		{"role", map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": role.URL}, s3.Credentials{}, "role"},
		{"none", map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": nobody.URL}, s3.Credentials{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, k := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
				t.Setenv(k, c.env[k])
			}
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
			if f := c.env["AWS_SHARED_CREDENTIALS_FILE"]; f != "" {
				t.Setenv("AWS_SHARED_CREDENTIALS_FILE", f)
			}
			as.Store("")
			st := open(t, s3.Options{Endpoint: endpoint, Region: "r", Bucket: "backups", PathStyle: true, Credentials: c.c})
			err := st.Put(t.Context(), "config", []byte("x"))
			if as.Load() != c.want || (err == nil) != (c.want != "") {
				t.Errorf("as %q, want %q: %v", as.Load(), c.want, err)
			}
			if c.want == "" && !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") {
				t.Error(err)
			}
		})
	}
}

// TestStorageClass: packs have the one that is asked for, what is read often has not.
func TestStorageClass(t *testing.T) {
	var classes atomic.Value
	classes.Store("")
	endpoint := fake(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				classes.Store(classes.Load().(string) + r.Header.Get("X-Amz-Storage-Class") + ";")
				if r.Header.Get("Content-Md5") == "" {
					t.Error("an object is stored without its MD5, which buckets with object lock demand")
				}
			}
			h.ServeHTTP(w, r)
		})
	})
	st := open(t, s3.Options{Endpoint: endpoint, Region: "r", Bucket: "backups", PathStyle: true, StorageClass: "STANDARD_IA", Credentials: known})
	for _, name := range []string{"data/00/" + archive.ID{}.String(), "index/" + archive.ID{}.String()} {
		if err := st.Put(t.Context(), name, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if got := classes.Load(); got != "STANDARD_IA;;" {
		t.Errorf("classes: %q", got)
	}
}

func TestEndpoints(t *testing.T) {
	for _, endpoint := range []string{"s3.example.com", "ftp://h", "https://h/path", "https://"} {
		if _, err := s3.Open(s3.Options{Endpoint: endpoint, Bucket: "b"}); err == nil {
			t.Errorf("%q is taken", endpoint)
		}
	}
	if _, err := s3.Open(s3.Options{Endpoint: "https://h"}); err == nil {
		t.Error("no bucket is taken")
	}
	if got := open(t, s3.Options{Endpoint: "https://h:9000/", Bucket: "b", Prefix: "/p/q/"}).String(); got != "s3:https://h:9000/b/p/q" {
		t.Errorf("it calls itself %s", got)
	}
}
