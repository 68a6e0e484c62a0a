package spdk

import (
	"bytes"
	"io"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Removed stands in place of a secret.
const Removed = "[removed]"

// Redact returns a JSON value, on one line, without the secrets that SPDK's
// calls may carry: members that are called like keys and passwords, however
// deep, and texts that are secrets by their form. What is not JSON is removed
// as a whole.
func Redact(value []byte) []byte {
	var out bytes.Buffer
	dec := jsontext.NewDecoder(bytes.NewReader(value), decoding)
	enc := jsontext.NewEncoder(&out, decoding)
	for {
		err := redactNext(dec, enc)
		if err == io.EOF && out.Len() > 0 {
			return bytes.TrimSpace(out.Bytes())
		}
		if err != nil {
			return []byte(`"` + Removed + `"`)
		}
	}
}

// redactNext copies a token. The value of a secret goes with its name.
func redactNext(dec *jsontext.Decoder, enc *jsontext.Encoder) error {
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	if token.Kind() != '"' {
		return enc.WriteToken(token)
	}
	text := token.String()
	if in, n := dec.StackIndex(dec.StackDepth()); in != '{' || n%2 == 0 {
		return enc.WriteToken(jsontext.String(RedactText(text)))
	}
	if err := enc.WriteToken(token); err != nil || !secretName(text) {
		return err
	}
	if err := dec.SkipValue(); err != nil {
		return err
	}
	return enc.WriteToken(jsontext.String(Removed))
}

// secretName tells by a member's name whether its value may be a secret: psk,
// dhchap_key and dhchap_ctrlr_key of NVMe, key and key2 of crypto bdevs, secret
// and msecret of iSCSI, and whatever else is called so.
func secretName(name string) bool {
	name = strings.ToLower(name)
	for _, part := range []string{"psk", "dhchap", "secret", "passw", "passphrase", "token", "credential"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	name = strings.TrimRight(name, "0123456789")
	return strings.HasSuffix(name, "key") || strings.HasSuffix(name, "keys")
}

// secretForms are texts that are secrets wherever they stand: a password in an
// address, which may have any character in it (one that follows a second user
// ends where the path begins), and keys as NVMe writes them.
var secretForms = regexp.MustCompile(`(://[^\s/:@"]*:)[^\s"]*@|(://[^\s/"]*?:)[^\s/"]*@|((?:NVMeTLSkey-1|DHHC-1):)[^\s"]+`)

// RedactText returns a text without what is a secret by its form.
func RedactText(text string) string {
	return secretForms.ReplaceAllStringFunc(text, func(s string) string {
		m := secretForms.FindStringSubmatch(s)
		if m[3] != "" {
			return m[3] + Removed
		}
		return m[1] + m[2] + Removed + "@"
	})
}
