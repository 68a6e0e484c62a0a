package retention

import (
	"maps"
	"slices"
	"testing"
	"time"

	"strata/schema"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC).Unix()

const hour = 60 * 60

func names(hoursAgo ...int64) (all []string) {
	for _, h := range hoursAgo {
		all = append(all, Name(noon-h*hour))
	}
	return all
}

// What is recorded, and what is forgotten: of each period the first, and by the policy.
func TestRecords(t *testing.T) {
	for _, c := range []struct {
		name           string
		backup         schema.Backup
		have, recorded []string
		want           []string
	}{
		{"all", schema.Backup{}, names(30, 2, 1), names(30), names(2, 1)},
		{"the first of each day", schema.Backup{Every: 24 * hour}, names(30, 29, 11, 1), nil, names(30, 11)},
		{"the day has one", schema.Backup{Every: 24 * hour}, names(11, 1), names(12), nil},
		{"days before the youngest had their turn", schema.Backup{Every: 24 * hour}, names(30, 1), names(12), nil},
		{"what goes at once is not recorded", schema.Backup{Keep: schema.Keep{Daily: 2}}, names(30, 3, 2, 1), nil, names(30, 1)},
		{"nor for a record that is younger", schema.Backup{Keep: schema.Keep{Daily: 1}}, names(3), names(2), nil},
		{"of what is due the policy keeps some", schema.Backup{Every: 24 * hour, Keep: schema.Keep{Daily: 1}}, names(60, 30, 11, 1), nil, names(11)},
		{"not before its time", schema.Backup{Every: 24 * hour}, names(1, -2), names(12), nil},
		{"no others", schema.Backup{}, []string{"base", "auto-1"}, nil, nil},
	} {
		got := slices.Sorted(maps.Keys(Records(&c.backup, c.have, c.recorded, noon)))
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if got := Records(&schema.Backup{Every: hour}, names(1), nil, 0); len(got) != 0 {
		t.Errorf("without a clock, %v", got)
	}
}

// What is recorded is not forgotten at once, whatever is there; what was let go is let go
// later, too; the youngest stays.
func TestRecordsStay(t *testing.T) {
	for i := range int64(300) {
		b := &schema.Backup{Keep: schema.Keep{Hourly: int(i % 4), Daily: 1 + int(i%3)}, Every: i % 5 * 7 * hour}
		var have, recorded []string
		for k := range int64(60) {
			if h := (k*k*31 + i*17) % 400; (k+i)%3 == 0 {
				recorded = append(recorded, names(h)...)
			} else {
				have = append(have, names(h)...)
			}
		}
		for s := range Records(b, have, recorded, noon) {
			recorded = append(recorded, s)
		}
		if more := Records(b, have, recorded, noon); len(more) != 0 {
			t.Fatalf("%+v: when all is recorded, %v is to be", b, more)
		}
		gone := Forgets(b, recorded, noon)
		if _, youngest := gone[slices.Max(recorded)]; youngest {
			t.Fatalf("%+v: the youngest goes", b)
		}
		for s := range Forgot(b, recorded, noon-50*hour) {
			if gone[s] == "" {
				t.Fatalf("%+v: %s was let go two days ago, and is kept", b, s)
			}
		}
		left := slices.DeleteFunc(slices.Clone(recorded), func(s string) bool { return gone[s] != "" })
		for s := range Records(b, have, left, noon) {
			t.Fatalf("%+v: %s is recorded again when others are forgotten", b, s)
		}
	}
	if Forgets(&schema.Backup{}, names(1, 2, 3), noon) != nil {
		t.Error("without a policy records go")
	}
}
