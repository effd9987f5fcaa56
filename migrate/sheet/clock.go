package sheet

import (
	"strings"
	"sync"
	"time"
)

// readClock reads what follows the day: a blank, a comma or T, a time, and AM, PM or a zone.
func (p *dateParts) readClock(s string) bool {
	switch {
	case s[0] == 'T' || s[0] == 't':
		s = s[1:]
	case s[0] == ' ' || s[0] == ',':
		s = strings.TrimLeft(s, " ,")
		if after, ok := strings.CutPrefix(s, "at "); ok {
			s = after
		}
	default:
		return false
	}
	var n int
	if p.hour, n = leadingDigits(s, 2); n == 0 || len(s) < n+3 || s[n] != ':' || !allDigits(s[n+1:n+3]) {
		return false
	}
	p.min, s = digitsValue(s[n+1:n+3]), s[n+3:]
	if len(s) >= 3 && s[0] == ':' && allDigits(s[1:3]) {
		p.sec, s = digitsValue(s[1:3]), s[3:]
		if len(s) > 1 && s[0] == '.' {
			var ok bool
			if s, ok = p.readFraction(s[1:]); !ok {
				return false
			}
		}
	}
	if p.min > 59 || p.sec > 59 {
		return false
	}
	if s == "" {
		return p.hour <= 23
	}
	if half, rest := cutHalf(strings.TrimLeft(s, " ")); half != 0 {
		if p.hour < 1 || p.hour > 12 {
			return false
		}
		p.hour %= 12
		if half == 'p' {
			p.hour += 12
		}
		if s = rest; s == "" {
			return true
		}
	}
	return p.hour <= 23 && p.readZone(s)
}

// cutHalf takes AM, a.m. or a. m. off the start of s, in any case: 'a', 'p', or 0 for neither.
func cutHalf(s string) (half byte, rest string) {
	if s == "" || s[0]|0x20 != 'a' && s[0]|0x20 != 'p' {
		return 0, s
	}
	rest = strings.TrimPrefix(s[1:], ".")
	if rest = strings.TrimLeft(rest, " "); rest == "" || rest[0]|0x20 != 'm' {
		return 0, s
	}
	if rest = strings.TrimPrefix(rest[1:], "."); rest != "" && rest[0] != ' ' {
		return 0, s
	}
	return s[0] | 0x20, rest
}

func (p *dateParts) readFraction(s string) (string, bool) {
	scale := 100_000_000
	i := 0
	for ; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		p.nanos += int(s[i]-'0') * scale
		scale /= 10
	}
	return s[i:], i >= 1 && i <= 9
}

// readZone reads Z, +hh:mm, +hhmm, or the name of a zone, which may have one of them behind it
// and its long name in parentheses behind that.
func (p *dateParts) readZone(s string) bool {
	if named := strings.TrimLeft(s, " "); named != s || isLetter(s[0]) {
		s = named
	}
	if inside, ok := strings.CutPrefix(s, "("); ok && strings.IndexByte(inside, ')') == len(inside)-1 {
		s = inside[:max(len(inside)-1, 0)]
	}
	n := 0
	for n < len(s) && (isLetter(s[n]) || n > 0 && (s[n] == '/' || s[n] == '_')) {
		n++
	}
	name, rest := s[:n], s[n:]
	if strings.Contains(name, "/") { // of a continent and a city, which may have any of - + 0 to 9
		name, rest = s, ""
	}
	switch {
	case strings.EqualFold(name, "Z") && rest == "":
		p.zoned = true
		return true
	case name != "" && rest == "":
		p.zone = strings.Clone(name) // or the whole text would have to be kept
		return true
	case name != "" && !strings.EqualFold(name, "GMT") && !strings.EqualFold(name, "UTC"):
		return false
	}
	if i := strings.Index(rest, " ("); i > 0 && strings.HasSuffix(rest, ")") {
		rest = rest[:i]
	}
	return p.readOffset(rest)
}

// readOffset reads +hh:mm, +hhmm or +hh.
func (p *dateParts) readOffset(s string) bool {
	p.zoned = true
	switch {
	case len(s) == 6 && s[3] == ':':
		s = s[:3] + s[4:]
	case len(s) == 3: // PostgreSQL's
		s += "00"
	}
	if len(s) != 5 || s[0] != '+' && s[0] != '-' || !allDigits(s[1:]) {
		return false
	}
	hours, minutes := digitsValue(s[1:3]), digitsValue(s[3:5])
	p.offset = hours*3600 + minutes*60
	if s[0] == '-' {
		p.offset = -p.offset
	}
	return hours <= 23 && minutes <= 59
}

// zoneOffsets are the abbreviations that mean one thing, in hours and minutes: those of RFC 5322
// (section 4.3, which settles EST to PDT), and others of the tz database that no two zones share.
// CST of China and IST, BST and AST of two continents each are not among them.
var zoneOffsets = map[string]int{
	"UTC": 0, "GMT": 0, "UT": 0, "WET": 0, "EST": -500, "EDT": -400, "CST": -600, "CDT": -500, "MST": -700, "MDT": -600,
	"PST": -800, "PDT": -700,
	"AKST": -900, "AKDT": -800, "HST": -1000, "NST": -330, "NDT": -230, "BRT": -300,
	"WEST": 100, "CET": 100, "CEST": 200, "EET": 200, "EEST": 300, "MSK": 300, "SAST": 200,
	"AWST": 800, "ACST": 930, "ACDT": 1030, "AEST": 1000, "AEDT": 1100, "NZST": 1200, "NZDT": 1300, "JST": 900, "KST": 900,
}

// location is the zone that the date names: the program's where that is called so on the day,
// else what the name means everywhere.
func (p *dateParts) location(month, day int, own *time.Location) (*time.Location, bool) {
	if strings.Contains(p.zone, "/") {
		return zoneByName(p.zone)
	}
	at := time.Date(p.year, time.Month(month), day, p.hour, p.min, p.sec, p.nanos, own)
	// In the hour that clocks are put back over, either name may be meant.
	for _, t := range [...]time.Time{at, at.Add(time.Hour), at.Add(-time.Hour)} {
		if name, offset := t.Zone(); strings.EqualFold(name, p.zone) {
			return time.FixedZone(name, offset), true
		}
	}
	offset, ok := zoneOffsets[strings.ToUpper(p.zone)]
	return time.FixedZone(p.zone, (offset/100*60+offset%100)*60), ok
}

// zones are those of the tz database that dates have named.
var zones sync.Map // name -> *time.Location

// zoneByName finds a zone of the tz database.
func zoneByName(name string) (*time.Location, bool) {
	if loc, ok := zones.Load(name); ok {
		return loc.(*time.Location), true
	}
	if len(name) > 40 {
		return nil, false
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	zones.Store(name, loc)
	return loc, true
}
