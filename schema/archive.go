package schema

import (
	"cmp"
	"path"
	"slices"

	"strata/lineage"
)

// Archive is a restic repository: where it is, and where its password is found.
type Archive struct {
	Name string
	Dir  string `json:",omitempty"` // on the machine that strata runs on; "": S3 says where
	S3   *S3    `json:",omitempty"`
	// Password is that of the repository.
	Password Secret
	// AppendOnly has strata delete nothing there but locks.
	AppendOnly bool `json:",omitempty"`
	// Prune is how often what keep lets go is forgotten, and its space freed, in seconds;
	// 0: the space is left to others.
	Prune int64
	Pos   Pos
}

// S3 is a bucket, or a part of one.
type S3 struct {
	Endpoint     string `json:",omitempty"` // a URL; "": AWS's
	Region       string `json:",omitempty"`
	Bucket       string
	Prefix       string `json:",omitempty"`
	PathStyle    bool   `json:",omitempty"`
	CA           string `json:",omitempty"` // file of certificates that are trusted beside the system's
	StorageClass string `json:",omitempty"`
	// AccessKey and SecretKey are set together; without them the environment, a file of
	// AWS's programs, or the role of the machine says who asks.
	AccessKey string `json:",omitempty"`
	SecretKey Secret `json:",omitzero"`
}

// Host is where an archive is, as those know it who allow secrets to be used for it.
func (a *Archive) Host() string { return "archive://" + a.Name }

// Backup says which snapshots of a volume are kept in an archive.
type Backup struct {
	To string // an archive
	// Snapshots are the ones; nil: all, also those on schedule.
	Snapshots []string `json:",omitempty"`
	// Every has of the snapshots on schedule only the first of each so many seconds
	// recorded; 0: all.
	Every int64 `json:",omitempty"`
	// Keep says for how long records of snapshots on schedule stay; zero: for good.
	Keep Keep `json:",omitzero"`
	Pos  Pos
}

// Restore is the image in an archive that a volume starts as.
type Restore struct {
	Archive  string
	Cluster  string `json:",omitempty"` // whose it is; "": this one
	Volume   string
	Snapshot string // Latest is the youngest that is recorded
	// Alone is set when none of the snapshots is restored that the archive has beside it.
	Alone bool `json:",omitempty"`
	// Follow is set when the volume is served by nobody, and has every snapshot written to it
	// as it is recorded.
	Follow bool `json:",omitempty"`
	// Instant is set when hosts use the volume while what it starts as is still being written.
	Instant bool `json:",omitempty"`
}

// Latest is the youngest snapshot that is recorded.
const Latest = "latest"

// Named is the snapshot that is named; "" for the youngest.
func (r *Restore) Named() string {
	if r.Snapshot == Latest {
		return ""
	}
	return r.Snapshot
}

// From is the cluster whose volume it is, in a configuration of that cluster.
func (r *Restore) From(own lineage.Cluster) lineage.Cluster {
	if r.Cluster == "" {
		return own
	}
	return lineage.Cluster(r.Cluster)
}

func (r *Restore) String() string { return r.Volume + "@" + r.Snapshot }

// Wants reports whether a snapshot is to be in the archive.
func (b *Backup) Wants(snapshot string) bool {
	return b.Snapshots == nil || slices.Contains(b.Snapshots, snapshot)
}

// Archive returns the archive of that name, or nil.
func (c *Config) Archive(name string) *Archive {
	if i, ok := slices.BinarySearchFunc(c.Archives, name, func(a *Archive, name string) int { return cmp.Compare(a.Name, name) }); ok {
		return c.Archives[i]
	}
	return nil
}

// ArchivesInUse are the names of the archives that volumes are backed up to or come from,
// sorted.
func (c *Config) ArchivesInUse() []string {
	var names []string
	for _, v := range c.Volumes {
		if v.Backup != nil {
			names = append(names, v.Backup.To)
		}
		if v.Restore != nil {
			names = append(names, v.Restore.Archive)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// archives reads the archives into cfg.
func (s *spot) archives(cfg *Config) {
	for _, f := range s.each("archive", `{main: {dir: "/backup", password: file: "/etc/strata/archive"}}`) {
		cfg.Archives = append(cfg.Archives, f.archive())
	}
}

func (s *spot) archive() *Archive {
	a := &Archive{Name: s.name, Pos: s.pos()}
	o, ok := s.object(`a struct such as {dir: "/backup", password: file: "/etc/strata/archive"}`)
	if !ok {
		return a
	}
	o.only(archiveFields)
	a.Dir, _ = o.field("dir").matching(`the absolute path of a directory, such as "/backup"`, func(t string) bool { return diskPath.MatchString(t) && !upwards.MatchString(t) })
	if a.Dir != "" {
		a.Dir = path.Clean(a.Dir)
	}
	a.S3 = o.field("s3").s3()
	switch dir, s3 := o.field("dir"), o.field("s3"); {
	case dir == nil && s3 == nil:
		o.required("dir", `"/backup", or s3: {endpoint: "https://s3.example.com", bucket: "backup"}`)
	case dir != nil && s3 != nil:
		s3.wrong("leave one of them out", "is one place, and dir another")
	}
	if p := o.required("password", `{env: "STRATA_ARCHIVE_PASSWORD"}`); p != nil {
		a.Password = p.secret()
	}
	a.AppendOnly = o.field("appendOnly").boolean()
	a.Prune = o.field("prune").pruned()
	return a
}

// pruned reads how often space is freed.
func (s *spot) pruned() int64 {
	const daily = 24 * 60 * 60
	if s == nil {
		return daily
	}
	if t, err := s.value.String(); err == nil && t == "never" {
		return 0
	}
	n, _ := s.interval()
	return n
}

// s3 reads where a bucket is; nil where nothing is said.
func (s *spot) s3() *S3 {
	if s == nil {
		return nil
	}
	b := &S3{}
	o, ok := s.object(`a struct such as {endpoint: "https://s3.example.com", bucket: "backup"}`)
	if !ok {
		return nil
	}
	o.only(s3Fields)
	b.Endpoint, _ = o.field("endpoint").matching(`a URL such as "https://s3.example.com"`, s3Endpoint.MatchString)
	b.Region, _ = o.field("region").matching(`a region such as "eu-central-1"`, s3Word.MatchString)
	b.Bucket, _ = o.required("bucket", `"backup"`).matching(`the name of a bucket`, s3Bucket.MatchString)
	b.Prefix, _ = o.field("prefix").matching(`a path within the bucket, such as "strata/lab"`, s3Prefix.MatchString)
	b.PathStyle = o.field("pathStyle").boolean()
	b.CA, _ = o.field("ca").matching(`the path of a file, from "/" or "~/" on`, userFile.MatchString)
	b.StorageClass, _ = o.field("storageClass").matching(`a storage class such as "STANDARD_IA"`, s3Word.MatchString)
	key, secret := o.field("accessKey"), o.field("secretKey")
	b.AccessKey, _ = key.matching("an access key", s3Word.MatchString)
	if secret != nil {
		b.SecretKey = secret.secret()
	}
	switch {
	case key != nil && secret == nil:
		key.wrong(`add, for example, secretKey: {env: "STRATA_S3_SECRET_KEY"}`, "is there, and secretKey is not")
	case key == nil && secret != nil:
		secret.wrong("", "is there, and accessKey is not")
	}
	return b
}

// backup reads which snapshots of a volume go into an archive; nil where nothing is said.
func (s *spot) backup() *Backup {
	if s == nil {
		return nil
	}
	b := &Backup{Pos: s.pos()}
	o, ok := s.object(`a struct such as {to: "main"}`)
	if !ok {
		return nil
	}
	o.only(backupFields)
	b.To, _ = o.required("to", `"main"`).ownName("archive")
	o.field("snapshots").backedUp(b)
	b.Every, _ = o.field("every").interval()
	o.field("keep").keep(&b.Keep)
	return b
}

// backedUp reads which snapshots are backed up.
func (s *spot) backedUp(b *Backup) {
	const want = `"all", or a list of snapshots such as ["base"]`
	if s == nil || !s.resolve() {
		return
	}
	if t, err := s.value.String(); err == nil {
		if t != "all" {
			s.wrong("", "must be %s, not %q", want, t)
		}
		return
	}
	list := &Volume{Name: s.up.up.name}
	if s.snapshotNamesAs(want, list); list.Snapshots == nil {
		list.Snapshots = []string{}
	}
	b.Snapshots = list.Snapshots
}

// restore reads what of an archive a volume starts as.
func (o object) restore() *Restore {
	r := &Restore{Snapshot: Latest}
	o.only(restoreFields)
	r.Archive, _ = o.required("archive", `"main"`).ownName("archive")
	r.Cluster, _ = o.field("cluster").ownName("cluster")
	r.Volume, _ = o.required("volume", `"db"`).ownName("volume")
	if name, ok := o.field("snapshot").ownName("snapshot"); ok {
		r.Snapshot = name
	}
	which, _ := o.field("snapshots").matching(`"all" or "none"`, func(t string) bool { return t == "all" || t == "none" })
	r.Alone = which == "none"
	r.Instant = o.field("instant").boolean()
	if r.Follow = o.field("follow").boolean(); r.Follow {
		for _, name := range []string{"snapshot", "snapshots", "instant"} {
			if at := o.field(name); at != nil {
				at.wrong("leave it out", "does not go together with follow: every snapshot is restored as it is recorded")
			}
		}
	}
	return r
}

// restore checks where a volume is to come from.
func (r *relations) restore(v *Volume, o object) {
	if v.Restore != nil && v.Restore.Archive != "" && r.cfg.Archive(v.Restore.Archive) == nil {
		at, _ := o.field("from").object("")
		at.field("archive").wrong(Hint(v.Restore.Archive, "archives", r.archiveNames()), "%q: there is no archive of that name", v.Restore.Archive)
	}
	if v.Restore == nil || !v.Restore.Instant {
		return
	}
	at, _ := o.field("from").object("")
	switch {
	case v.Export.Kind == ExportUblk || v.Export.Kind == ExportNBD:
		at.field("instant").wrong("export it by nvmf, or leave instant out", "does not go together with a device of the kernel, whose I/O cannot be held when all is written")
	case v.Encryption != nil:
		at.field("instant").wrong("leave instant out", "does not go together with encryption yet")
	case v.Restore.From(r.cfg.Cluster) != r.cfg.Cluster:
		at.field("instant").wrong("leave instant out: nobody is let in then before all is written", "is for records of this cluster: %s may have its own forgotten while hosts still read them here", v.Restore.Cluster)
	}
}

func (r *relations) archiveNames() (names []string) {
	for _, a := range r.cfg.Archives {
		names = append(names, a.Name)
	}
	return names
}

// backup checks what a volume says of its backup against the rest.
func (r *relations) backup(v *Volume, o object) {
	if v.Backup == nil {
		return
	}
	at, _ := o.field("backup").object("")
	if v.Backup.To != "" && r.cfg.Archive(v.Backup.To) == nil {
		at.field("to").wrong(Hint(v.Backup.To, "archives", r.archiveNames()), "%q: there is no archive of that name", v.Backup.To)
	}
	switch every := at.field("every"); {
	case v.Backup.Every == 0:
	case v.Every == 0:
		every.wrong(`add, for example, every: "1h" and keep: {hourly: 24} to the volume`, "says how often a snapshot on schedule is recorded, and the volume takes none")
	case v.Backup.Every < v.Every:
		every.wrong("", "is less than the volume's every: a snapshot that is not taken cannot be recorded")
	}
	list, _ := at.field("snapshots").elements()
	for i, name := range v.Backup.Snapshots {
		if !slices.Contains(v.Snapshots, name) && i < len(list) {
			list[i].noSnapshot(name, v)
		}
	}
}

// elements are those of a list, or none.
func (s *spot) elements() ([]*spot, bool) {
	if s == nil {
		return nil, false
	}
	if _, err := s.value.List(); err != nil {
		return nil, false
	}
	return s.list("")
}
