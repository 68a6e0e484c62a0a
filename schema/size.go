package schema

import (
	"fmt"
	"strings"

	"cuelang.org/go/cue/literal"

	"strata/amount"
)

// SizeText writes a number of bytes exactly and as a configuration has it.
func SizeText(n int64) string { return strings.TrimSuffix(amount.Bytes(n), " B") }

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
