package recipe

import (
	"fmt"

	"strata/amount"
	"strata/plan"
)

// imageOf is the file that the volume is to be made of. It returns false, and has said why,
// when that is not read.
func (s *subject) imageOf() (of origin, ok bool) {
	from := s.v.Image
	b, about := s.b, "volume "+s.v.Name
	in := b.opt.Images[from.File]
	if in == nil || in.Unread != "" {
		why := "nobody has looked at it"
		if in != nil {
			why = in.Unread
		}
		b.block(about, s.v.At("from"), "", "image %s, which it is to be made of, is not read: %s", from.File, why)
		return of, false
	}
	rest := ""
	if in.Size < s.v.Size {
		rest = fmt.Sprintf(", the last %s of the volume read as zero", amount.Bytes(s.v.Size-in.Size))
	}
	return origin{
		what: "image " + from.File, size: in.Size,
		why:  because(s.v.At("from"), "volume %s is made of image %s, which has %s; it is served if all of it has the SHA-256 %s…%s", s.v.Name, from.File, amount.Bytes(in.Size), from.SHA256[:8], rest),
		fill: plan.Fill{File: from.File, SHA256: from.SHA256, Raw: from.Raw, Bytes: in.Data},
	}, true
}
