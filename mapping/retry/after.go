package retry

import (
	"strconv"
	"time"
)

// dateLayouts are the forms of a date in HTTP (RFC 9110, 5.6.7). The last two are obsolete and
// have to be understood all the same.
var dateLayouts = [...]string{"Mon, 02 Jan 2006 15:04:05 GMT", time.RFC850, time.ANSIC}

// ParseAfter reads the value of a Retry-After header: seconds, or a date, which is compared with
// now. It is 0 for an empty value, for a moment that has passed and for what is neither.
func ParseAfter(value string, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(value, 10, 32); err == nil {
		return max(time.Duration(n)*time.Second, 0)
	}
	for _, layout := range dateLayouts {
		if at, err := time.Parse(layout, value); err == nil {
			return max(at.Sub(now), 0)
		}
	}
	return 0
}
