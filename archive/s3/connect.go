package s3

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Credentials say as whom. AccessKey and SecretKey, if set; else what the environment has
// (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN); else a profile of a file
// as AWS's programs have it (AWS_SHARED_CREDENTIALS_FILE, ~/.aws/credentials); else the
// role of the machine, the container or the pod. They are looked up when first needed,
// and again before they run out.
type Credentials struct {
	AccessKey, SecretKey, SessionToken string
	File, Profile                      string // those of the environment if empty
}

// errNone says where credentials were looked for.
var errNone = errors.New("no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a file that has them; where the machine should have a role, it has none")

// provider looks in one place after the other. Nobody is asked to let us in without.
type provider struct{ chain credentials.Chain }

func (p *provider) found(v credentials.Value, err error) (credentials.Value, error) {
	if err == nil && v.AccessKeyID == "" {
		err = errNone
	}
	return v, err
}

func (p *provider) RetrieveWithCredContext(c *credentials.CredContext) (credentials.Value, error) {
	return p.found(p.chain.RetrieveWithCredContext(c))
}

func (p *provider) Retrieve() (credentials.Value, error) { return p.found(p.chain.Retrieve()) }

func (p *provider) IsExpired() bool { return p.chain.IsExpired() }

func (c Credentials) provider() *credentials.Credentials {
	if c.AccessKey != "" || c.SecretKey != "" {
		return credentials.NewStaticV4(c.AccessKey, c.SecretKey, c.SessionToken)
	}
	file := &credentials.FileAWSCredentials{Filename: c.File, Profile: c.Profile}
	if c.File != "" || c.Profile != "" {
		// What was named is meant, whatever the environment has.
		return credentials.New(&provider{credentials.Chain{Providers: []credentials.Provider{file}}})
	}
	role := &credentials.IAM{Client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: 2 * time.Second}).DialContext}}}
	return credentials.New(&provider{credentials.Chain{Providers: []credentials.Provider{&credentials.EnvAWS{}, file, role}}})
}

func connect(o Options) (*minio.Core, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Path != "" && u.Path != "/" {
		return nil, fmt.Errorf("the endpoint %q is no URL such as https://s3.example.com:9000", o.Endpoint)
	}
	if o.Bucket == "" {
		return nil, errors.New("it needs the name of a bucket")
	}
	transport, err := transport(o.CAFile)
	if err != nil {
		return nil, err
	}
	lookup := minio.BucketLookupAuto
	if o.PathStyle {
		lookup = minio.BucketLookupPath
	}
	return minio.NewCore(u.Host, &minio.Options{
		Creds: o.Credentials.provider(), Secure: u.Scheme == "https", Region: o.Region,
		BucketLookup: lookup, Transport: distrust{transport}, MaxRetries: 8,
	})
}

// distrust has an unknown authority be told apart from what passes: the client tries
// again what is wrapped.
type distrust struct{ http.RoundTripper }

func (d distrust) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := d.RoundTripper.RoundTrip(r)
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		err = unknown
	}
	return resp, err
}

// transport notices a server that is gone, and trusts more certificates if asked to.
func transport(caFile string) (*http.Transport, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 10 * time.Second, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 10 * time.Second, Count: 3}}).DialContext
	t.MaxIdleConnsPerHost = 16
	t.ResponseHeaderTimeout = 2 * time.Minute
	// Ranges are compared by length: nothing on the way may compress.
	t.DisableCompression = true
	if caFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate in PEM", caFile)
	}
	t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return t, nil
}
