package console

import (
	"fmt"
	"time"
)

// withoutZone are the ways to write a moment on the program's own clock.
var withoutZone = []string{"2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime, "2006-01-02 15:04", time.DateOnly}

// ParseTime reads a moment; without a zone it is one of the program's, and a date is
// its beginning.
func ParseTime(s string, zone *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, nil
	}
	for _, layout := range withoutZone {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, nil
		}
	}
	const format = "%q is no time: write it like 2023-03-31T23:59:59-07:00, without the zone for the time in %s, or a date"
	return time.Time{}, fmt.Errorf(format, s, zone)
}

// ClockFrom is the clock of a rehearsal: it begins at start and runs on.
func ClockFrom(start time.Time) func() time.Time {
	began := time.Now()
	return func() time.Time { return start.Add(time.Since(began)) }
}
