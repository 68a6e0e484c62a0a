package versitytest

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"strata/archive"
	"strata/archive/s3"
	"strata/archive/storetest"
)

func open(t *testing.T, o s3.Options) *s3.Store {
	st, err := s3.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestStore(t *testing.T) {
	s := start(t)
	for _, locked := range []bool{false, true} {
		name := "bucket"
		if locked {
			name = "bucket with object lock"
		}
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T, appendOnly bool) archive.Store {
				o := s.bucket(t, locked)
				o.AppendOnly = appendOnly
				return open(t, o)
			}, 70<<20, 1005)
		})
	}
}

const password = "of a repository that lives for a test"

// TestArchive: an image goes into a bucket and comes back, the stock restic reads, checks
// and prunes it, backs up something of its own meanwhile, and backups go on after that.
func TestArchive(t *testing.T) {
	s := start(t)
	for _, locked := range []bool{false, true} {
		name := "bucket"
		if locked {
			name = "bucket with object lock"
		}
		t.Run(name, func(t *testing.T) { archiveIn(t, s, s.bucket(t, locked), locked) })
	}
}

func archiveIn(t *testing.T, s *server, o s3.Options, locked bool) {
	st := open(t, o)
	if err := archive.Init(t.Context(), st, password); err != nil {
		t.Fatal(err)
	}
	r, err := archive.Open(t.Context(), st, archive.Options{Password: password})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	image := make([]byte, 64<<20)
	chance := rand.NewChaCha8([32]byte{7})
	back := func(base *archive.Record, meanwhile func(), blocks ...int) archive.Record {
		const block = 1 << 20
		b, err := r.Backup(t.Context(), archive.BackupOptions{Volume: "db", Size: int64(len(image)), BlockSize: block, Base: base})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		for _, n := range blocks {
			p := image[n*block : (n+1)*block]
			chance.Read(p)
			if _, err := b.WriteAt(p, int64(n*block)); err != nil {
				t.Fatal(err)
			}
		}
		meanwhile()
		rec, err := b.Commit(t.Context(), archive.Commit{Host: "lab"})
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	first := back(nil, func() {
		restic(t, st.String(), o, "backup", "--tag", "others", "archive_test.go")
	}, rand.Perm(64)[:40]...)
	second := back(&first, func() {}, 3, 9, 60)
	same(t, r, second, image)
	restic(t, st.String(), o, "check", "--read-data")
	if err := r.Forget(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	restic(t, st.String(), o, "prune")
	third := back(&second, func() {}, 1, 2, 3)
	same(t, r, third, image)
	restic(t, st.String(), o, "check", "--read-data")
	if out := restic(t, st.String(), o, "dump", third.ID.String(), "/db/image/0000/0000/data"); out != string(image) {
		t.Error("restic dumps something else")
	}
	if out := restic(t, st.String(), o, "snapshots"); !strings.Contains(out, "others") || !strings.Contains(out, third.ID.Short()) || strings.Contains(out, first.ID.Short()) {
		t.Errorf("restic lists\n%s", out)
	}
	kept, deleted, err := s.versions(t.Context(), o.Bucket)
	if err != nil {
		t.Fatal(err)
	}
	if locked != (deleted > 0) {
		t.Errorf("%d objects and %d that are deleted and kept", kept, deleted)
	}
}

func same(t *testing.T, r *archive.Repository, rec archive.Record, want []byte) {
	t.Helper()
	i, err := r.Image(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	got := make([]byte, len(want))
	if _, err := i.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
		t.Errorf("record %s is read back as something else: %v", rec.ID.Short(), err)
	}
}

func restic(t *testing.T, repository string, o s3.Options, args ...string) string {
	t.Helper()
	cmd := exec.Command("restic", append([]string{"--no-cache", "--cacert", o.CAFile, "-r", repository}, args...)...)
	cmd.Env = append(os.Environ(), "RESTIC_PASSWORD="+password, "AWS_ACCESS_KEY_ID="+access, "AWS_SECRET_ACCESS_KEY="+secret, "AWS_DEFAULT_REGION="+region)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("restic %s: %v\n%s%s", strings.Join(args, " "), err, problems.String(), out.String()[:min(out.Len(), 2000)])
	}
	return out.String()
}
