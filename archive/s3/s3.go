// Package s3 keeps an archive in a bucket, laid out as restic lays out one there.
package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"strata/archive"
)

// Options say where a bucket is. Bucket is needed, the rest has defaults.
type Options struct {
	// Endpoint is a URL, "https://host" or "https://host:port", http without encryption;
	// AWS's if empty.
	Endpoint string
	Region   string // asked for if empty
	Bucket   string // must exist
	Prefix   string // path within the bucket
	// PathStyle has the bucket in the path also where the endpoint takes it in the host
	// name: for servers with a name of their own.
	PathStyle bool
	// CAFile has certificates, in PEM, that are trusted beside those of the system.
	CAFile string
	// StorageClass is that of packs, which are nearly all there is; the server's if empty.
	// Classes from which objects must be fetched back first cannot be read.
	StorageClass string
	// AppendOnly has it refuse to delete anything but locks.
	AppendOnly  bool
	Credentials Credentials
}

// Store is a bucket, or a part of one. In a bucket with versions or object lock what is
// deleted stays as an older version for as long as the bucket says.
type Store struct {
	client  *minio.Core
	options Options
}

const (
	// partSize is from which size on an object is stored in parts, in bytes: packs seldom are.
	partSize = 64 << 20
	// patience bounds one request with its repetitions.
	patience = 10 * time.Minute
	// rereads is how often a download that breaks off is begun again.
	rereads = 4
)

// Open is the store of a bucket. It asks nothing of the server.
func Open(o Options) (*Store, error) {
	o.Prefix = strings.Trim(o.Prefix, "/")
	if o.Endpoint == "" {
		o.Endpoint = "https://s3.amazonaws.com"
	}
	s := &Store{options: o}
	client, err := connect(o)
	if err != nil {
		return nil, fmt.Errorf("archive %s: %w", s, err)
	}
	s.client = client
	return s, nil
}

// String is where it is, as restic's -r takes it.
func (s *Store) String() string {
	where := "s3:" + strings.TrimSuffix(s.options.Endpoint, "/") + "/" + s.options.Bucket
	if s.options.Prefix != "" {
		where += "/" + s.options.Prefix
	}
	return where
}

func (s *Store) key(name string) string { return path.Join(s.options.Prefix, name) }

// Put stores an object, in parts if it is long. The server compares it with its MD5, as
// buckets with object lock demand.
func (s *Store) Put(ctx context.Context, name string, content []byte) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	o := minio.PutObjectOptions{ContentType: "application/octet-stream", SendContentMd5: true, PartSize: partSize, NumThreads: 2}
	if strings.HasPrefix(name, "data/") {
		o.StorageClass = s.options.StorageClass
	}
	_, err := s.client.Client.PutObject(ctx, s.options.Bucket, s.key(name), bytes.NewReader(content), int64(len(content)), o)
	return s.explain("storing", name, err)
}

// Get reads a range of an object. A download that breaks off is begun again.
func (s *Store) Get(ctx context.Context, name string, off, n int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if n == 0 {
		return nil, nil
	}
	for try := 0; ; try++ {
		p, err := s.read(ctx, name, off, n)
		var answer minio.ErrorResponse
		if err == nil || errors.As(err, &answer) || errors.Is(err, errShort) || ctx.Err() != nil || try == rereads {
			return p, s.explain("reading", name, err)
		}
		select {
		case <-time.After(time.Second << try / 4):
		case <-ctx.Done():
		}
	}
}

// errShort is of an object that ends before a range.
var errShort = errors.New("there are fewer bytes")

func (s *Store) read(ctx context.Context, name string, off, n int64) ([]byte, error) {
	var o minio.GetObjectOptions
	switch {
	case n > 0:
		if err := o.SetRange(off, off+n-1); err != nil {
			return nil, err
		}
	case off > 0:
		if err := o.SetRange(off, 0); err != nil {
			return nil, err
		}
	}
	body, info, _, err := s.client.GetObject(ctx, s.options.Bucket, s.key(name), o)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	if n < 0 {
		n = info.Size
	} else if info.Size != n {
		return nil, fmt.Errorf("%w: %d from %d on were asked for, and the object has %d there", errShort, n, off, info.Size)
	}
	p := make([]byte, n)
	_, err = io.ReadFull(body, p)
	return p, err
}

// List lists objects, a thousand a request.
func (s *Store) List(ctx context.Context, dir string) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		o := minio.ListObjectsOptions{Prefix: s.key(dir) + "/", Recursive: true}
		for object := range s.client.ListObjectsIter(ctx, s.options.Bucket, o) {
			if object.Err != nil {
				yield(archive.Entry{}, s.explain("listing", dir, object.Err))
				return
			}
			if !yield(archive.Entry{Name: path.Base(object.Key), Size: object.Size}, nil) {
				return
			}
		}
		if ctx.Err() != nil {
			yield(archive.Entry{}, s.explain("listing", dir, ctx.Err()))
		}
	}
}

// Delete deletes an object. Where that is not permitted it is archive.ErrAppendOnly.
func (s *Store) Delete(ctx context.Context, name string) error {
	if s.options.AppendOnly && !strings.HasPrefix(name, "locks/") {
		return fmt.Errorf("archive %s: deleting %s: %w", s, name, archive.ErrAppendOnly)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := s.client.RemoveObject(ctx, s.options.Bucket, s.key(name), minio.RemoveObjectOptions{})
	if minio.ToErrorResponse(err).Code == minio.AccessDenied {
		err = errors.Join(archive.ErrAppendOnly, err)
	}
	if err = s.explain("deleting", name, err); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
