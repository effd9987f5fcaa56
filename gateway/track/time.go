package track

import (
	"strconv"
	"strings"
	"time"
)

// clock is the time at which a call is read, and the program's zone, in which days are counted.
type clock struct {
	now  time.Time
	zone *time.Location
}

// Bounds of the times of events.
const (
	maxClockAhead = 5 * time.Minute // by which the clock of a billing system may be ahead
	earliest      = 631_152_000     // Unix seconds: 1990, before which no time is believed
)

// timeLayouts are the ways to write an instant in which nothing is to be guessed. One without a
// zone is UTC. Fractions of a second may follow the seconds.
var timeLayouts = []string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04:05",
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700", "2006-01-02T15:04",
	"20060102T150405Z07:00", "20060102T150405Z0700", "20060102T150405",
	"Mon, 2 Jan 2006 15:04:05 Z0700", "2 Jan 2006 15:04:05 Z0700", "Mon, 2 Jan 2006 15:04:05", "2 Jan 2006 15:04:05",
	"2 Jan 2006 15:04 Z0700", "2 Jan 2006 15:04", // RFC 5322
	"Monday, 02-Jan-06 15:04:05 Z0700", "Monday, 02-Jan-06 15:04:05", // RFC 850
	"Mon Jan 2 15:04:05 2006", "Mon Jan 2 15:04:05 Z0700 2006", // ANSI C, date, Ruby
	"Mon Jan 2 2006 15:04:05 Z0700", // JavaScript
	"Jan 2, 2006 15:04:05 Z0700", "Jan 2, 2006 15:04:05", "Jan 2, 2006 3:04:05 PM", "Jan 2, 2006 3:04 PM", "January 2, 2006 3:04 PM",
}

// dayLayouts are the ways to write a day.
var dayLayouts = []string{
	"2006-01-02", "20060102", "2006-1-2", "2 Jan 2006", "2-Jan-2006", "Jan 2, 2006", "January 2, 2006", "2 January 2006", "Mon, 2 Jan 2006",
	"Mon Jan 2 2006",
}

// timestamp reads when an event happened: an instant in any unambiguous form, Unix time in
// seconds, or in the smaller units that are this long, or a day alone. Of a day it gives noon in
// the program's zone, or now if that is earlier, and onDay: the event may have come at any time
// of it.
func (r *reader) timestamp(name string) (at int64, onDay bool) {
	v, ok := r.lookup(name)
	if !ok {
		return 0, false
	}
	t, onDay, ok := parseTime(v.text, r.clock.zone)
	switch {
	case !ok || v.typ > numberValue:
		r.fail(name, "must be a time such as 2023-03-04T10:00:00Z, in which no day and month can be taken for each other")
		return 0, false
	case t.Unix() < earliest:
		r.fail(name, "must not be before 1990")
		return 0, false
	case onDay && t.After(r.clock.now) && t.Add(-12*time.Hour).Before(r.clock.now.Add(maxClockAhead)): // today
		t = r.clock.now
	case t.After(r.clock.now.Add(maxClockAhead)):
		r.fail(name, "must not be in the future")
		return 0, false
	}
	return t.Unix(), onDay
}

// parseTime reads an instant or a day, of which it gives noon.
func parseTime(text string, zone *time.Location) (t time.Time, onDay, ok bool) {
	if t, ok := parseUnix(text); ok {
		return t, false, true
	}
	text = normalizeTime(text)
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, false, true
		}
	}
	for _, layout := range dayLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return noonOf(t.Year(), t.Month(), t.Day(), zone), true, true
		}
	}
	if t, ok := parseSlashes(text, zone); ok {
		return t, true, true
	}
	return time.Time{}, false, false
}

func noonOf(year int, month time.Month, day int, zone *time.Location) time.Time {
	return time.Date(year, month, day, 12, 0, 0, 0, zone)
}

// parseUnix reads Unix time. Seconds have at most eleven digits until the year 5138; more are
// milliseconds, microseconds or nanoseconds. Eight digits that begin with the year are a day.
func parseUnix(text string) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || !isWhole(whole) || !isWhole("0"+fraction) || n >= 1990_01_01 && n <= 2199_12_31 {
		return time.Time{}, false
	}
	for _, perSecond := range []int64{1, 1e3, 1e6, 1e9} {
		if n/perSecond < 1e11 {
			return time.Unix(n/perSecond, 0).UTC(), true
		}
	}
	return time.Time{}, false
}

// normalizeTime brings the forms of an instant nearer to each other: a T between day and time, no
// blanks before the zone, and UTC by number.
func normalizeTime(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == '\u00a0' || c == '\u202f' }), " ")
	if open := strings.Index(text, " ("); open > 0 && strings.HasSuffix(text, ")") { // JavaScript names the zone behind its offset
		text = text[:open]
	}
	for _, utc := range []string{" GMT+", " GMT-", " UTC+", " UTC-"} {
		text = strings.Replace(text, utc, " "+utc[len(utc)-1:], 1)
	}
	if day, rest, ok := strings.Cut(text, " +0000 UTC"); ok && (rest == "" || strings.HasPrefix(rest, " m=")) { // Go
		text = day + " UTC"
	}
	for _, utc := range []string{" UTC", " GMT", " UT", " Z", " utc", " gmt"} {
		if head, ok := strings.CutSuffix(text, utc); ok {
			text = head + " +0000"
		} else if before, after, ok := strings.Cut(text, utc+" "); ok { // date: Sat Mar 4 10:00:00 UTC 2023
			text = before + " +0000 " + after
		}
	}
	day, clock, ok := strings.Cut(text, " ")
	if !ok || !startsWithYear(day) {
		if startsWithYear(text) {
			text = strings.ReplaceAll(strings.ToUpper(text), "/", "-")
		}
		return text
	}
	return strings.ReplaceAll(day, "/", "-") + "T" + strings.ReplaceAll(clock, " ", "")
}

// startsWithYear reports whether text begins with four digits and a separator of dates.
func startsWithYear(text string) bool {
	return len(text) > 4 && isWhole("0"+text[:4]) && (text[4] == '-' || text[4] == '/')
}

// parseSlashes reads a day such as 12/25/2022, of which only one reading is a day, or 25.12.2022:
// who writes dots writes the day first.
func parseSlashes(text string, zone *time.Location) (time.Time, bool) {
	parts := strings.FieldsFunc(text, func(c rune) bool { return c == '/' || c == '.' || c == '-' })
	if len(parts) != 3 || len(parts[2]) != 4 {
		return time.Time{}, false
	}
	var n [3]int
	for i, part := range parts {
		var err error
		if n[i], err = strconv.Atoi(part); err != nil {
			return time.Time{}, false
		}
	}
	month, day := n[0], n[1]
	dots := strings.Contains(text, ".")
	if month > 12 || dots {
		month, day = day, month
	}
	t := noonOf(n[2], time.Month(month), day, zone)
	if t.Day() != day || int(t.Month()) != month || day <= 12 && day != month && !dots {
		return time.Time{}, false
	}
	return t, true
}
