package retention

import (
	"time"

	"strata/schema"
)

// stamp is how the name of a snapshot on schedule has its time, which is UTC.
const stamp = schema.AutoPrefix + "20060102-1504"

// Name is the name of a snapshot taken at a time: auto-20261120-1930, UTC.
func Name(t int64) string { return utc(t).Format(stamp) }

// Time is the inverse of Name, in Unix seconds; false for any other name.
func Time(name string) (int64, bool) {
	t, err := time.Parse(stamp, name)
	if err != nil {
		return 0, false
	}
	return t.Unix(), t.Format(stamp) == name
}

// Clock is a time in Unix seconds as it is shown.
func Clock(t int64) string { return utc(t).Format("2006-01-02 15:04 UTC") }

// utc is a time in Unix seconds. A plan is the same in every time zone.
func utc(t int64) time.Time { return time.Unix(t, 0).UTC() }
