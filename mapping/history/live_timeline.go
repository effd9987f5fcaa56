package history

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// clickLabel says when a click was and which one.
func (x *Explainer) clickLabel(k terms.Candidate) string {
	text := x.minute(k.At)
	if k.Click != "" {
		text += ", click " + k.Click
	}
	return text
}

// clickEntry is a click on the timeline; which says the first or the last one.
func (x *Explainer) clickEntry(k terms.Candidate, which string) TimelineEntry {
	m := x.timelineEntry(k.At, "click", book.Earner{PromoterID: k.Promoter})
	m.EventID, m.Details = k.Click, which+" that is known, "+cmp.Or(k.Click, "not recorded")
	return m
}

// eventEntry is an event on the timeline.
func (x *Explainer) eventEntry(ctx context.Context, e *book.Event, v *book.Evidence) TimelineEntry {
	m := x.timelineEntry(e.At, e.Kind, book.Earner{PromoterID: e.PromoterID})
	m.EventID = e.ExternalID
	if e.Amount != 0 {
		amount := e.Amount
		if e.Kind == book.EventRefund {
			amount = -amount
		}
		m.Amount, m.Currency, m.Product = &amount, e.Currency, e.Plan
	}
	if v.By != "" && e.Kind != book.EventRefund {
		m.Outcome = "by " + v.By
	}
	var more []string
	if e.SaleEventID != 0 {
		if sale, err := x.Book.EventByID(ctx, e.SaleEventID); err == nil {
			more = append(more, "of sale "+eventLabel(&sale))
		}
	}
	for _, text := range []string{e.Plan, e.ExternalID, losingCandidates(v), v.Rate, v.Taken, v.Note} {
		if text != "" {
			more = append(more, text)
		}
	}
	m.Details = strings.Join(more, ", ")
	return m
}

// losingCandidates lists the candidates that did not win, and why.
func losingCandidates(v *book.Evidence) string {
	var texts []string
	for _, k := range v.Candidates {
		if k.Outcome == terms.OutcomeNotAsked && k.Promoter != 0 && k.Promoter != v.Promoter {
			texts = append(texts, fmt.Sprintf("%s of %s: changes nothing", k.By, k.Named))
		}
		if k.Outcome != terms.OutcomeWon && k.Outcome != terms.OutcomeNotAsked {
			texts = append(texts, strings.TrimSpace(fmt.Sprintf("%s %s: %s", k.By, cmp.Or(k.Named, k.Click), k.Outcome)))
		}
	}
	return strings.Join(texts, ", ")
}

// lineEntry is what an event did to a balance, on the timeline, with what a person decided of it.
func (x *Explainer) lineEntry(l *book.EventLine, review *book.Review) TimelineEntry {
	m := x.timelineEntry(l.At, l.Kind, book.Earner{PromoterID: l.PromoterID})
	m.Amount, m.Currency, m.Product, m.EventID = &l.Amount, l.Currency, l.Product, fmt.Sprintf("t-%d", l.ID)
	more := []string{fmt.Sprintf("%s of %s", l.Percent, x.amount(max(l.SaleAmount, -l.SaleAmount), l.Currency))}
	if l.Kind == book.KindDenied {
		more = []string{"a person has denied it"}
	}
	if l.Kind == book.KindRefund && l.Amount > 0 {
		more = []string{"given back, because what it was of was told since"}
	}
	if l.Product != "" {
		more = append(more, l.Product)
	}
	if l.Kind != book.KindCommission {
		more = append(more, "of "+terms.Month(l.Month).String())
	}
	if review != nil {
		var why []string
		for _, r := range review.Reasons {
			why = append(why, r.Reason)
		}
		m.Outcome = "to review"
		if d := review.Decision; d.Decision != "" {
			m.Outcome = map[string]string{book.ReviewAccept: "accepted", book.ReviewTrust: "accepted, customer trusted", book.ReviewDeny: "denied"}[d.Decision]
			why = append(why, "decided by "+d.DecidedBy)
		}
		more = append(more, strings.Join(why, ", "))
	}
	m.Details = strings.Join(append(more, m.EventID), ", ")
	return m
}

// eventLabel names an event: by the billing system's id where it gave one.
func eventLabel(e *book.Event) string {
	if e.ExternalID != "" {
		return e.ExternalID
	}
	return fmt.Sprintf("#%d", e.ID)
}
