package firstpromoter

import (
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// sums is what is known of one promoter when theirs name no events.
type sums struct {
	ours, theirs int64
	rows         int   // of theirs
	utc          int64 // ours, of the month as a clock in UTC has it
	missing      map[string]*Reason
}

// bySums compares what everything comes to.
func (c *comparison) bySums() {
	all := map[string]*sums{}
	of := func(who string) *sums {
		if all[who] == nil {
			all[who] = &sums{missing: map[string]*Reason{}}
		}
		return all[who]
	}
	for i := range c.Ours {
		e := &c.Ours[i]
		s := of(c.here(e.PromoterID))
		at := time.Unix(e.At, 0)
		if terms.MonthOf(at, time.UTC) == c.Month {
			s.utc += e.Amount
		}
		if !c.inMonth(at) {
			continue
		}
		s.ours += e.Amount
		switch e.State {
		case book.ForwardWaiting, book.ForwardNotReferred, book.ForwardRefused:
			why := missingBecause(e.State)
			if s.missing[why] == nil {
				s.missing[why] = &Reason{Why: why}
			}
			s.missing[why].Events++
			s.missing[why].Amount -= e.Amount
		}
	}
	for i := range c.Theirs {
		if k := &c.Theirs[i]; c.inMonth(k.CreatedAt) && k.Status != StatusDenied {
			s := of(c.there(k))
			s.theirs += k.Amount
			s.rows++
		}
	}
	for who, s := range all {
		s.explain(c.lines[who])
	}
}

// explain finds the likely reasons of a difference between sums.
func (s *sums) explain(l *Line) {
	l.Ours, l.Theirs = s.ours, s.theirs
	rest := s.theirs - s.ours
	switch {
	case rest == 0:
		return
	case s.theirs == s.utc:
		l.tally[WhyBoundary] = &Reason{Why: WhyBoundary, Amount: rest}
		return
	}
	for why, r := range s.missing {
		l.tally[why] = r
		rest -= r.Amount
	}
	left := s.theirs - rest // of ours, what should be there
	switch {
	case rest == 0:
	case s.rows == 0:
		l.tally[WhyOnlyHere] = &Reason{Why: WhyOnlyHere, Amount: rest}
	case left == 0:
		l.tally[WhyOnlyThere] = &Reason{Why: WhyOnlyThere, Events: s.rows, Amount: rest}
	case left > 0 && s.theirs > 0:
		l.tally[WhyAmount] = &Reason{Why: WhyAmount, Amount: rest}
		l.ratios = append(l.ratios, ratio{left, s.theirs})
	default:
		l.tally[WhyUnknown] = &Reason{Why: WhyUnknown, Amount: rest}
	}
}
