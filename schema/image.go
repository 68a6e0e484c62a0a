package schema

import "path"

// Image is a raw image of a disk in a file that a volume starts as.
type Image struct {
	File   string // an absolute path, on the machine that strata runs on
	SHA256 string // of all of it, in hexadecimal
	// Raw has it taken as it is, whatever it looks like.
	Raw bool `json:",omitempty"`
}

// ImageFiles are the files that volumes start as; true for those that are taken as they are.
func (c *Config) ImageFiles() map[string]bool {
	files := map[string]bool{}
	for _, v := range c.Volumes {
		if v.Image != nil {
			files[v.Image.File] = files[v.Image.File] || v.Image.Raw
		}
	}
	return files
}

// image reads the file that a volume starts as.
func (o object) image() *Image {
	o.only([]string{"image"})
	at := o.field("image")
	i := &Image{}
	in, ok := at.object(`a struct such as {file: "/images/debian.raw", sha256: "…"}`)
	if !ok {
		return i
	}
	in.only(imageFields)
	i.File, _ = in.required("file", `"/images/debian.raw"`).matching(`the absolute path of a file, such as "/images/debian.raw"`, func(t string) bool { return diskPath.MatchString(t) && !upwards.MatchString(t) })
	if i.File != "" {
		i.File = path.Clean(i.File)
	}
	i.SHA256, _ = in.required("sha256", `the 64 digits that sha256sum says of it`).matching(`the 64 hexadecimal digits that sha256sum says of the file`, sha256Sum.MatchString)
	if format := in.field("format"); format != nil {
		_, i.Raw = format.matching(`"raw"`, func(t string) bool { return t == "raw" })
	}
	return i
}
