package history

import (
	"context"
	"fmt"
	"strings"

	"carryover/mapping/book"
)

// event explains the events that the billing system reported under an id of its own.
func (x *Explainer) event(ctx context.Context, id string) (*Explanation, error) {
	events, err := x.Book.EventsByExternalID(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, fmt.Errorf("the billing system has told of no event %q that was booked", id)
	}
	ids := make([]int64, len(events))
	for i := range events {
		ids[i] = events[i].ID
	}
	lines, err := x.Book.LinesOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	var entries []book.Entry
	for _, l := range lines {
		e, err := x.Book.Entry(ctx, fmt.Sprintf("t-%d", l.ID))
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	made := &Explanation{About: "event"}
	if len(entries) > 0 {
		if made, err = x.explainEntries(ctx, "event", entries); err != nil {
			return nil, err
		}
	}
	var answers []string
	for i := range events {
		e := &events[i]
		text := fmt.Sprintf("Event %s is a %s of %s", id, e.Kind, x.minute(e.At))
		if e.Amount != 0 {
			text += fmt.Sprintf(" over %s", x.amount(e.Amount, e.Currency))
		}
		if e.PromoterID != 0 {
			text += ", credited to " + x.owner(book.Earner{PromoterID: e.PromoterID})
		}
		answers = append(answers, text+".")
	}
	made.Answer = strings.Join(answers, "\n")
	if made.CustomerHistory == nil {
		made.CustomerHistory, err = x.historyByID(ctx, events[0].CustomerID)
	}
	return made, err
}

// click explains a click: what it was answered, and the customers that it brought.
func (x *Explainer) click(ctx context.Context, id book.ClickID) (*Explanation, error) {
	c, ok, err := x.Book.ClickByID(ctx, id.Node, id.Seq)
	if err != nil {
		return nil, err
	}
	events, err := x.Book.EventsByClick(ctx, id.String())
	if err != nil {
		return nil, err
	}
	if !ok && len(events) == 0 {
		return nil, fmt.Errorf("the book has no click %s: it may be on its way, or was let go ([gateway] keep_clicks)", id)
	}
	made := &Explanation{About: "click"}
	var s strings.Builder
	if ok {
		at := c.At.In(x.Zone).Format("2006-01-02 15:04:05 MST")
		fmt.Fprintf(&s, "Click %s of %s on %s%s was answered with %s", id, at, c.Host, c.Path, c.Outcome)
		if c.Token != "" {
			fmt.Fprintf(&s, ", of the promoter %s", c.Token)
		}
		fmt.Fprintf(&s, "; judged %s", c.Verdict)
		if c.Reason != "" {
			fmt.Fprintf(&s, " (%s)", c.Reason)
		}
		s.WriteString(".")
	}
	for i := range events {
		e := &events[i]
		fmt.Fprintf(&s, "\nIt brought a %s on %s, credited to %s.", e.Kind, x.minute(e.At), x.owner(book.Earner{PromoterID: e.PromoterID}))
	}
	if len(events) == 0 {
		s.WriteString("\nNo customer was bound by it.")
	}
	made.Answer = strings.TrimSpace(s.String())
	if len(events) == 1 {
		made.CustomerHistory, err = x.historyByID(ctx, events[0].CustomerID)
	}
	return made, err
}

// isLiveEntry says whether an event id of the ledger names one that was booked
// live: t-17, p-3.
func isLiveEntry(id string) bool {
	number, ok := strings.CutPrefix(id, "t-")
	if !ok {
		number, ok = strings.CutPrefix(id, "p-")
	}
	return ok && number != "" && strings.Trim(number, "0123456789") == ""
}
