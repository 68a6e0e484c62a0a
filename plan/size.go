package plan

import (
	"fmt"
	"strings"
)

// Human formats bytes for reading: exactly when a unit divides them, else with
// one decimal.
func Human(bytes int64) string {
	exact := Size(bytes)
	if len(strings.TrimRight(exact, "BKMGTPi ")) <= 4 {
		return exact
	}
	units := []string{"B", "Ki", "Mi", "Gi", "Ti", "Pi"}
	f, i := float64(bytes), 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	return fmt.Sprintf("%.1f%s", f, units[i])
}
