package schema

import (
	"fmt"
	"strings"

	"cuelang.org/go/cue/literal"
)

// SizeText writes a number of bytes in the largest binary unit that divides it.
func SizeText(n int64) string {
	units := []string{"", "Ki", "Mi", "Gi", "Ti", "Pi"}
	u := 0
	for n != 0 && n%1024 == 0 && u < len(units)-1 {
		n /= 1024
		u++
	}
	return fmt.Sprintf("%d%s", n, units[u])
}

// quotedSize says how to write a size that was written as text in file.
func quotedSize(file, text string) string {
	var num literal.NumInfo
	unit := strings.TrimSpace(strings.TrimSuffix(text, "B"))
	if literal.ParseNum(unit, &num) != nil || !num.IsInt() {
		return ""
	}
	if !strings.HasSuffix(file, ".cue") {
		return fmt.Sprintf("write %s", num.String())
	}
	return fmt.Sprintf("write %s without quotes", unit)
}
