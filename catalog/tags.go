package catalog

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"strata/lineage"
)

// Mark is the tag of all records that strata makes.
const Mark = "strata"

// Tags say of a record what is not in the record itself, for the listing of an archive
// is to tell all that a plan rests on.
func (r *Record) Tags() []string {
	tags := []string{Mark, "layer=" + string(r.Layer), "size=" + strconv.FormatInt(r.Size, 10), "block=" + strconv.FormatInt(r.Block, 10), "copied=" + strconv.FormatInt(r.Bytes, 10)}
	if r.Over != "" {
		tags = append(tags, "over="+string(r.Over))
	}
	if r.Check != "" {
		tags = append(tags, "check="+string(r.Check))
	}
	if r.Verified != 0 {
		tags = append(tags, "verified="+time.Unix(r.Verified, 0).UTC().Format(time.RFC3339))
	}
	return tags
}

// Parse reads what Tags gives, in any order and among others. It reports false for a
// record that is not strata's.
func Parse(tags []string) (r Record, ok bool) {
	for _, tag := range tags {
		key, value, _ := strings.Cut(tag, "=")
		switch key {
		case "layer":
			r.Layer = lineage.LvolName(value)
		case "over":
			r.Over = lineage.LvolName(value)
		case "check":
			r.Check = lineage.Check(value)
		case "size":
			r.Size, _ = strconv.ParseInt(value, 10, 64)
		case "block":
			r.Block, _ = strconv.ParseInt(value, 10, 64)
		case "copied":
			r.Bytes, _ = strconv.ParseInt(value, 10, 64)
		case "verified":
			if t, err := time.Parse(time.RFC3339, value); err == nil {
				r.Verified = t.Unix()
			}
		}
	}
	_, is := lineage.ParseLayer(r.Layer)
	return r, is && slices.Contains(tags, Mark)
}
