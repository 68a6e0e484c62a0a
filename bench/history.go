package bench

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// entry is a line of the history: when and of which commit a figure was
// measured, and the ratio. Times are not kept, for they are of one machine.
type entry struct {
	date, commit, figure string
	ratio                float64
}

// latest reads the last entry of each figure from a file of lines with four
// columns, separated by tabs; none when there is no such file.
func latest(file string) (map[string]entry, error) {
	last := map[string]entry{}
	f, err := os.Open(file)
	if os.IsNotExist(err) {
		return last, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		col := strings.Split(lines.Text(), "\t")
		if len(col) != 4 {
			return nil, fmt.Errorf("%s:%d: %d columns, want date, commit, figure and ratio", file, n, len(col))
		}
		ratio, err := strconv.ParseFloat(col[3], 64)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: the ratio: %w", file, n, err)
		}
		last[col[2]] = entry{col[0], col[1], col[2], ratio}
	}
	return last, lines.Err()
}

// add appends an entry, with a head line where the file is new.
func (e entry) add(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s\t%s\t%s\t%.3f\n", e.date, e.commit, e.figure, e.ratio)
	if info, err := f.Stat(); err == nil && info.Size() == 0 {
		text = "# date\tcommit\tfigure\tratio\n" + text
	}
	_, err = f.WriteString(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// since says how the figure compares with an earlier one; "" for none.
func (e entry) since(old entry) string {
	if old.figure == "" || old.ratio == 0 {
		return "not measured before"
	}
	return fmt.Sprintf("%.2f times the %.2f of %s, %s", e.ratio/old.ratio, old.ratio, old.date, old.commit)
}
