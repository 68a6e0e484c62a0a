package retention

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"strata/schema"
)

func TestRetain(t *testing.T) {
	hourly := []string{"auto-20261120-1700", "auto-20261120-1800", "auto-20261120-1900"}
	tests := []struct {
		name      string
		snapshots []string
		keep      schema.Keep
		want      []string // kept
	}{
		{"none", nil, schema.Keep{Hourly: 3}, nil},
		{"a user's snapshots are not counted", []string{"base", "auto-base", "auto-20261120-2460"}, schema.Keep{Hourly: 1}, nil},
		{"the youngest always stays", hourly, schema.Keep{}, hourly[2:]},
		{"as many hours as have any", []string{"auto-20261119-0300", "auto-20261120-1700", "auto-20261120-1900"}, schema.Keep{Hourly: 3},
			[]string{"auto-20261119-0300", "auto-20261120-1700", "auto-20261120-1900"}},
		{"the last of each hour", []string{"auto-20261120-1800", "auto-20261120-1830", "auto-20261120-1859", "auto-20261120-1900"}, schema.Keep{Hourly: 2},
			[]string{"auto-20261120-1859", "auto-20261120-1900"}},
		{"days end at midnight UTC", []string{"auto-20261119-2359", "auto-20261120-0000", "auto-20261120-2359", "auto-20261121-0000"}, schema.Keep{Daily: 3},
			[]string{"auto-20261119-2359", "auto-20261120-2359", "auto-20261121-0000"}},
		{"weeks begin on Monday", []string{"auto-20261115-2359", "auto-20261116-0000", "auto-20261122-2359", "auto-20261123-0000"}, schema.Keep{Weekly: 3},
			[]string{"auto-20261115-2359", "auto-20261122-2359", "auto-20261123-0000"}},
		{"a week across New Year is one", []string{"auto-20261228-1200", "auto-20261231-1200", "auto-20270101-1200", "auto-20270103-2359", "auto-20270104-0000"}, schema.Keep{Weekly: 2},
			[]string{"auto-20270103-2359", "auto-20270104-0000"}},
		{"months have their length", []string{"auto-20280131-2359", "auto-20280201-0000", "auto-20280229-2359", "auto-20280301-0000"}, schema.Keep{Monthly: 3},
			[]string{"auto-20280131-2359", "auto-20280229-2359", "auto-20280301-0000"}},
		{"the same month of another year is another", []string{"auto-20251120-0000", "auto-20261120-0000"}, schema.Keep{Monthly: 2},
			[]string{"auto-20251120-0000", "auto-20261120-0000"}},
		{"clocks that are put forward make no hour short", []string{"auto-20260329-0059", "auto-20260329-0100", "auto-20260329-0200", "auto-20260329-0300"}, schema.Keep{Hourly: 4},
			[]string{"auto-20260329-0059", "auto-20260329-0100", "auto-20260329-0200", "auto-20260329-0300"}},
		{"the rules are independent", []string{"auto-20261001-0000", "auto-20261118-0000", "auto-20261119-0000", "auto-20261120-0000", "auto-20261120-0100"}, schema.Keep{Hourly: 1, Daily: 2, Monthly: 2},
			[]string{"auto-20261001-0000", "auto-20261119-0000", "auto-20261120-0100"}},
		{"the order given does not matter", []string{hourly[2], hourly[0], hourly[1]}, schema.Keep{Hourly: 2}, hourly[1:]},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var kept []string
			for _, r := range Retain(test.snapshots, test.keep) {
				if r.Keep {
					kept = append(kept, r.Snapshot)
				}
				if r.Reason == "" {
					t.Errorf("%s has no reason", r.Snapshot)
				}
			}
			if !slices.Equal(kept, test.want) {
				t.Errorf("kept %v, want %v", kept, test.want)
			}
		})
	}
}

func TestRetainReasons(t *testing.T) {
	var got strings.Builder
	for _, r := range Retain([]string{"auto-20261101-0000", "auto-20261119-2300", "auto-20261120-0000"}, schema.Keep{Hourly: 1, Daily: 2}) {
		fmt.Fprintf(&got, "%s %v: %s\n", r.Snapshot, r.Keep, r.Reason)
	}
	want := `auto-20261101-0000 false: no rule of keep holds it
auto-20261119-2300 true: daily 2 of 2
auto-20261120-0000 true: hourly 1 of 1, daily 1 of 2, the youngest
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

// What is kept once is kept when the others are gone: pruning twice is pruning once.
func TestRetainTwice(t *testing.T) {
	var all []string
	at := time.Date(2025, 12, 20, 0, 7, 0, 0, time.UTC)
	for i := range 400 {
		all = append(all, Name(at.Add(time.Duration(i*i%997)*7*time.Hour).Unix()))
	}
	keep := schema.Keep{Hourly: 5, Daily: 7, Weekly: 4, Monthly: 12}
	kept := func(names []string) (out []string) {
		for _, r := range Retain(names, keep) {
			if r.Keep {
				out = append(out, r.Snapshot)
			}
		}
		return out
	}
	once := kept(all)
	if twice := kept(once); !slices.Equal(once, twice) {
		t.Errorf("kept %v, and then only %v", once, twice)
	}
}

// TestName is at home in a zone that is no whole hours from UTC.
func TestName(t *testing.T) {
	defer func(was *time.Location) { time.Local = was }(time.Local)
	time.Local = time.FixedZone("here", 5*60*60+30*60)
	for _, at := range []string{"1970-01-01T00:00:00Z", "2026-11-20T19:30:00Z", "2028-02-29T23:59:00Z", "2099-12-31T00:01:00Z"} {
		want, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		name := Name(want.Unix())
		if got, ok := Time(name); !ok || got != want.Unix() {
			t.Errorf("%s is called %s, and that is %d, %v", at, name, got, ok)
		}
		if got := Clock(want.Unix()); got != want.Format("2006-01-02 15:04 UTC") {
			t.Errorf("%s is shown as %s", at, got)
		}
	}
	for _, name := range []string{"", "base", "auto-", "auto-20261320-1930", "auto-20260230-0000", "auto-20261120-2400", "auto-20261120-1960", "auto-20261120-193", "auto-20261120-1930x", "20261120-1930"} {
		if at, ok := Time(name); ok {
			t.Errorf("%q is taken for %d", name, at)
		}
	}
}

// What is let go does not depend on what of it is gone already: a check that looks
// after every step says of each what the plan said of all.
func TestLetGoIsTheSameHalfway(t *testing.T) {
	v := &schema.Volume{Every: 3600, Keep: schema.Keep{Hourly: 3, Daily: 3, Weekly: 2}}
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	have := []string{Name(now.Add(time.Hour).Unix()), "base"}
	for i := range 60 {
		have = append(have, Name(now.Add(-time.Duration(i)*5*time.Hour).Unix()))
	}
	all, ahead := LetGo(v, have, now.Unix())
	if len(all) < 40 || !slices.Equal(ahead, have[:1]) {
		t.Fatalf("%d go, ahead are %v", len(all), ahead)
	}
	for name := range all {
		have = slices.DeleteFunc(have, func(s string) bool { return s == name })
		delete(all, name)
		if left, _ := LetGo(v, have, now.Unix()); !maps.Equal(left, all) {
			t.Fatalf("without %s, %v go, and not %v", name, left, all)
		}
	}
	if gone, _ := LetGo(&schema.Volume{Keep: v.Keep}, have, now.Unix()); gone != nil {
		t.Errorf("without a schedule %v go", gone)
	}
	if gone, _ := LetGo(v, have, 0); gone != nil {
		t.Errorf("without a clock %v go", gone)
	}
}
