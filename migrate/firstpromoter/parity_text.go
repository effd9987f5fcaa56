package firstpromoter

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ratio is one event, or one sum, with other amounts in both books.
type ratio struct{ ours, theirs int64 }

// of is theirs as a share of ours; 0 when that says nothing.
func (r ratio) of() float64 {
	if r.ours == 0 || r.ours > 0 != (r.theirs > 0) {
		return 0
	}
	return float64(r.theirs) / float64(r.ours)
}

// ratioText names what theirs are of ours: one share when all events have it, to the cent
// that rounding makes, else the range.
func ratioText(list []ratio) string {
	var ours, theirs int64
	low, high := list[0].of(), list[0].of()
	for _, r := range list {
		ours, theirs = ours+r.ours, theirs+r.theirs
		low, high = min(low, r.of()), max(high, r.of())
	}
	whole := ratio{ours, theirs}.of()
	for _, r := range list {
		if d := float64(r.theirs) - float64(r.ours)*whole; d > 1 || d < -1 || whole == 0 {
			if low == 0 {
				return "by no one rate"
			}
			return fmt.Sprintf("theirs are from %.4g%% to %.4g%% of ours", low*100, high*100)
		}
	}
	return fmt.Sprintf("theirs are %.4g%% of ours", whole*100)
}

// text says a reason in words.
func (l *Line) text(r *Reason) string {
	n := "1 event"
	if r.Events != 1 {
		n = fmt.Sprintf("%d events", r.Events)
	}
	others := strings.Join(slices.Sorted(maps.Keys(l.others)), ", ")
	switch r.Why {
	case WhyOutbox:
		return n + " still in the outbox"
	case WhyNotReferred:
		return "not referred there: " + n
	case WhyRefused:
		return "refused there: " + n + "; \"carryover outbox --state refused\" says why"
	case WhyNotSent:
		return n + " never sent: forwarding was off"
	case WhyLost:
		return n + " sent, and missing there"
	case WhyDeniedThere:
		return "denied there: " + n
	case WhyDeniedHere:
		return "denied here: " + n
	case WhyAmount:
		if r.Events == 0 {
			return "another rate? " + ratioText(l.ratios)
		}
		return "rate differs in " + n + ": " + ratioText(l.ratios)
	case WhyRounding:
		return "rounding: a cent in " + n
	case WhyOther:
		return n + " credited to " + others + " in the other book"
	case WhyLevel:
		return "second level there: " + n + " of promoters below"
	case WhyUncredited:
		return n + " known here, and earning nothing"
	case WhyOnlyThere:
		if strings.HasSuffix(l.Token, "(nobody here)") {
			return "only there: nobody here has that ref token or address"
		}
		return "only there: " + n
	case WhyOnlyHere:
		return "only here: theirs have nothing of this promoter"
	case WhyNoEventID:
		return n + " there without an event id, such as one entered by hand"
	case WhyBoundary:
		if r.Amount != 0 {
			return "month boundary: counted by a clock in UTC, both agree"
		}
		return "month boundary: " + n + " of another month by their clock; each counts in the month in which it happened here"
	}
	return "unexplained: compare by event, over the API or with a file that has event ids"
}
