package main

import (
	"context"
	"fmt"
	"reflect"

	"github.com/spf13/cobra"

	"strata/archive"
	"strata/archive/dir"
	"strata/archive/s3"
	"strata/backup"
	"strata/schema"
	"strata/secret"
)

// archives are what archives of a configuration are opened by.
type archives struct {
	listen string
	all    *backup.Archives
	of     []*schema.Archive // that all is of
}

const listenHelp = "`ADDRESS` of this machine, or ADDRESS:PORT, at which nodes reach strata to send backups; by default the one from which packets go to them"

func (s *source) archiveFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.archives.listen, "backup-listen", "", listenHelp)
}

// archivesOf are the archives of a configuration. Those that were opened for one that has
// the same archives stay open.
func (s *source) archivesOf(cfg *schema.Config) *backup.Archives {
	a := &s.archives
	if a.all == nil || !reflect.DeepEqual(a.of, cfg.Archives) {
		s.closeArchives()
		if len(cfg.Archives) > 0 {
			dataPasses()
		}
		a.of = cfg.Archives
		a.all = &backup.Archives{Listen: a.listen, Open: func(ctx context.Context, name string) (archive.Store, string, error) {
			return s.openArchive(ctx, cfg.Archive(name), name)
		}}
	}
	return a.all
}

func (s *source) closeArchives() { s.archives.all.Close() }

// openArchive is the store of an archive, and its password, as far as the operator's word
// goes.
func (s *source) openArchive(ctx context.Context, a *schema.Archive, name string) (archive.Store, string, error) {
	if a == nil {
		return nil, "", fmt.Errorf("there is no archive %s in the configuration", name)
	}
	allowed, err := secret.Read(s.secrets)
	if err != nil {
		return nil, "", err
	}
	password, err := allowed.Of(ctx, secret.Password, a.Password, a.Host())
	if err != nil {
		return nil, "", fmt.Errorf("the password of archive %s: %w", name, err)
	}
	st, err := storeOf(ctx, a, allowed)
	return st, password, err
}

func storeOf(ctx context.Context, a *schema.Archive, allowed secret.Permit) (archive.Store, error) {
	if a.S3 == nil {
		st, err := dir.Open(a.Dir)
		if err == nil {
			st.AppendOnly = a.AppendOnly
		}
		return st, err
	}
	o := s3.Options{
		Endpoint: a.S3.Endpoint, Region: a.S3.Region, Bucket: a.S3.Bucket, Prefix: a.S3.Prefix, PathStyle: a.S3.PathStyle,
		StorageClass: a.S3.StorageClass, AppendOnly: a.AppendOnly,
	}
	if a.S3.CA != "" {
		if err := allowed.Allows(secret.Trust, secret.FileSource(a.S3.CA), a.Host()); err != nil {
			return nil, fmt.Errorf("ca of archive %s: %w", a.Name, err)
		}
		o.CAFile = secret.AtHome(a.S3.CA)
	}
	if a.S3.AccessKey != "" {
		key, err := allowed.Of(ctx, secret.Password, a.S3.SecretKey, a.Host())
		if err != nil {
			return nil, fmt.Errorf("secretKey of archive %s: %w", a.Name, err)
		}
		o.Credentials = s3.Credentials{AccessKey: a.S3.AccessKey, SecretKey: key}
	}
	return s3.Open(o)
}
