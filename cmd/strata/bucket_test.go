package main

import (
	"bytes"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// cmdBucket serves a bucket that has an empty repository, as cmdArchive's, and sets $S3 to
// the server's URL.
func (l *lab) cmdBucket(s *script, args []string) error {
	mem, files := s3mem.New(), os.DirFS(archiveDir)
	if err := mem.CreateBucket(args[0]); err != nil {
		return err
	}
	if err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, path)
		if err == nil {
			_, err = mem.PutObject(args[0], path, map[string]string{"Last-Modified": time.Now().UTC().Format(http.TimeFormat)}, bytes.NewReader(b), int64(len(b)), nil)
		}
		return err
	}); err != nil {
		return err
	}
	server := httptest.NewServer(gofakes3.New(mem).Server())
	l.closers = append(l.closers, server.Close)
	s.Setenv("S3", server.URL)
	return nil
}
