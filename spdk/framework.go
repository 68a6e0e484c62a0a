package spdk

import "context"

// Version is what spdk_get_version answers.
type Version struct {
	Version string `json:"version"` // "SPDK v26.05 git sha1 d519b163cb"
	Fields  struct {
		Major  int    `json:"major"`
		Minor  int    `json:"minor"`
		Patch  int    `json:"patch"`
		Suffix string `json:"suffix"`
		Commit string `json:"commit"`
	} `json:"fields"`
}

// GetVersion reads the target's version (spdk_get_version).
func GetVersion(out *Version) *Req { return &Req{Method: "spdk_get_version", Result: out} }

// GetVersion reads the target's version (spdk_get_version).
func (c *Client) GetVersion(ctx context.Context) (Version, error) {
	var out Version
	err := c.do(ctx, GetVersion(&out))
	return out, err
}
