package nvmetcp

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
)

// secretText writes a secret as the tools of NVMe do: what it is for, its hash, and base64 of it with its
// checksum behind.
func secretText(prefix string, secret []byte, hash uint8) string {
	b := binary.LittleEndian.AppendUint32(append([]byte(nil), secret...), crc32.ChecksumIEEE(secret))
	return fmt.Sprintf("%s:%02d:%s:", prefix, hash, base64.StdEncoding.EncodeToString(b))
}

// parseSecret is the inverse; false where it is no such text. Which hash and how long a secret
// may be is the caller's to check.
func parseSecret(prefix, text string, form *base64.Encoding) (secret []byte, hash uint8, ok bool) {
	part := strings.Split(text, ":")
	if len(part) != 4 || part[0] != prefix || part[3] != "" || len(part[1]) != 2 || part[1][0] != '0' {
		return nil, 0, false
	}
	b, err := form.DecodeString(part[2])
	if err != nil || len(b) < 4 {
		return nil, 0, false
	}
	secret = b[:len(b)-4]
	return secret, part[1][1] - '0', crc32.ChecksumIEEE(secret) == binary.LittleEndian.Uint32(b[len(secret):])
}
