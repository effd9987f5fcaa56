package history

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Binding is how a customer came to belong to a promoter here.
type Binding struct {
	By         string            `json:"by"` // click, ref_token, promoter_id, promoter_email, coupon or history
	RefToken   string            `json:"ref_token"`
	At         string            `json:"at"` // of the sign-up, or of the first sale
	Event      string            `json:"event"`
	Click      string            `json:"click,omitempty"`
	FirstClick *FirstClick       `json:"first_click,omitempty"`
	Candidates []terms.Candidate `json:"candidates"`
}

// FirstClick is who would have won under first click.
type FirstClick struct {
	RefToken string `json:"ref_token"`
	At       string `json:"at"`
	Click    string `json:"click,omitempty"`
}

// addLive puts what the billing system reported on the timeline of the customer with the
// given e-mail key or uid, and says who bound it.
func (x *Explainer) addLive(ctx context.Context, s *CustomerHistory, email, uid string) error {
	known, err := x.Book.TrackedCustomers(ctx, email, uid)
	if err != nil {
		return err
	}
	if err := x.addUnattributed(ctx, s, email, uid); err != nil {
		return err
	}
	for _, c := range known {
		s.Email, s.UID = cmp.Or(s.Email, c.Email), cmp.Or(s.UID, c.UID)
		events, err := x.Book.EventsOf(ctx, c.ID)
		if err != nil {
			return err
		}
		if err := x.addEvents(ctx, s, &c, events); err != nil {
			return err
		}
		further, err := x.Book.EmailsOf(ctx, c.ID)
		if err != nil {
			return err
		}
		for _, e := range further {
			m := x.timelineEntry(e.At, "e-mail", book.Earner{})
			m.Details = "also known as " + e.Email
			s.OtherEmails, s.Timeline = append(s.OtherEmails, e.Email), append(s.Timeline, m)
		}
	}
	return nil
}

// addUnattributed puts on the timeline the events that were credited to nobody so far.
func (x *Explainer) addUnattributed(ctx context.Context, s *CustomerHistory, email, uid string) error {
	list, err := x.Book.RefusedOf(ctx, email, uid)
	if err != nil {
		return err
	}
	for i := range list {
		u := &list[i]
		s.Email, s.UID = cmp.Or(s.Email, u.Email), cmp.Or(s.UID, u.UID)
		e := book.Event{Kind: u.Kind, ExternalID: u.ExternalID, At: u.At, Evidence: cmp.Or(u.Evidence, "{}")}
		v, err := evidence(&e)
		if err != nil {
			return err
		}
		m := x.eventEntry(ctx, &e, &v)
		m.Outcome = "credited to nobody"
		if u.Evidence == "" {
			m.Details = strings.TrimPrefix(m.Details+", "+u.Reason, ", ")
		}
		s.Timeline = append(s.Timeline, m)
	}
	return nil
}

// addEvents puts the events of a customer and what they earned on the timeline.
func (x *Explainer) addEvents(ctx context.Context, s *CustomerHistory, c *book.Customer, events []book.Event) error {
	ids := make([]int64, len(events))
	for i := range events {
		ids[i] = events[i].ID
	}
	lines, err := x.Book.LinesOf(ctx, ids)
	if err != nil {
		return err
	}
	lineIDs := make([]int64, len(lines))
	for i := range lines {
		lineIDs[i] = lines[i].ID
	}
	reviews, err := x.Book.ReviewsOf(ctx, lineIDs)
	if err != nil {
		return err
	}
	under := map[int64]*book.Review{}
	for i := range reviews {
		under[reviews[i].Line.ID] = &reviews[i]
	}
	for i := range events {
		e := &events[i]
		v, err := evidence(e)
		if err != nil {
			return err
		}
		if c.PromoterID != 0 && s.Bound == nil && v.By != terms.ByOwner && v.By != terms.ByCarried && v.Promoter != 0 {
			x.setBinding(s, c, e, &v)
		}
		s.Timeline = append(s.Timeline, x.eventEntry(ctx, e, &v))
		for j := range lines {
			if lines[j].EventID == e.ID {
				s.Timeline = append(s.Timeline, x.lineEntry(&lines[j], under[lines[j].ID]))
			}
		}
	}
	return nil
}

// evidence reads why an event credits whom it does.
func evidence(e *book.Event) (v book.Evidence, err error) {
	if err := json.Unmarshal([]byte(e.Evidence), &v); err != nil {
		return v, fmt.Errorf("the evidence of event %d cannot be read: %w", e.ID, err)
	}
	return v, nil
}

// setBinding says by which event a customer was bound, and why.
func (x *Explainer) setBinding(s *CustomerHistory, c *book.Customer, e *book.Event, v *book.Evidence) {
	owner := x.Directory.ByID(v.Promoter)
	b := &Binding{
		By: v.By, RefToken: owner.Token(), At: terms.FormatTime(e.At, x.Zone), Event: eventLabel(e), Candidates: v.Candidates,
	}
	s.Bound = b
	s.RefToken, s.PartnerID, s.Rule, s.Self = b.RefToken, owner.KeapID(), v.By, strings.Contains(c.Suspicion, book.ReasonSelf)
	belongs := s.label() + " belongs to " + x.owner(book.Earner{PromoterID: v.Promoter}) + " for life"
	what := map[string]string{book.EventSignup: "sign-up", book.EventSale: "first sale"}[e.Kind] + " of " + x.minute(e.At)
	for _, k := range v.Candidates {
		if k.Outcome != terms.OutcomeWon {
			continue
		}
		switch k.By {
		case terms.ByClick:
			b.Click = k.Click
			s.Reason = fmt.Sprintf("%s: the last click before its %s was on a link of %s (%s).", belongs, what, b.RefToken, x.clickLabel(k))
			s.Timeline = append(s.Timeline, x.clickEntry(k, "the last one"))
		case terms.ByToken:
			s.Reason = fmt.Sprintf("%s: its %s named the ref token %s.", belongs, what, k.Named)
		case terms.ByPromoterID:
			s.Reason = fmt.Sprintf("%s: its %s named the promoter's id %s.", belongs, what, k.Named)
		case terms.ByPromoterEmail:
			s.Reason = fmt.Sprintf("%s: its %s named the promoter's address %s.", belongs, what, k.Named)
		case terms.ByCoupon:
			s.Reason = fmt.Sprintf("%s: its %s named the coupon %s.", belongs, what, k.Named)
		case terms.ByHistory:
			s.Reason = fmt.Sprintf("%s: nothing else was known at its %s than Keap's referral of %s.", belongs, what, x.minute(k.At))
		}
	}
	if f := v.First; f != nil && f.Promoter != 0 {
		b.FirstClick = &FirstClick{x.Directory.ByID(f.Promoter).Token(), terms.FormatTime(f.At, x.Zone), f.Click}
		if f.Click != b.Click || f.At != e.At && b.Click == "" {
			s.Timeline = append(s.Timeline, x.clickEntry(*f, "the first one"))
		}
	}
}

// liveCustomer gives the history of a customer with an e-mail key or uid of whom the billing system
// has reported; nil where it has not.
func (x *Explainer) liveCustomer(ctx context.Context, email, uid string) (*CustomerHistory, error) {
	known, err := x.Book.TrackedCustomers(ctx, email, uid)
	if err != nil {
		return nil, err
	}
	if len(known) > 0 && known[0].Email != "" {
		return x.customerHistory(ctx, known[0].Email)
	}
	s := &CustomerHistory{AsOf: x.AsOf, Owner: x.OwnerRule, ContactIDs: []int64{}, Timeline: []TimelineEntry{}}
	if len(known) > 0 {
		email, uid = "", known[0].UID
	}
	if err := x.addLive(ctx, s, email, uid); err != nil {
		return nil, err
	}
	if len(s.Timeline) == 0 {
		return nil, nil
	}
	if s.Reason == "" {
		s.Reason = s.label() + " belongs to nobody: what was told of it named no promoter who may be credited."
	}
	slices.SortStableFunc(s.Timeline, func(a, b TimelineEntry) int { return cmp.Compare(a.at, b.at) })
	return s, nil
}

// historyByID gives the history of the customer with an id of the book's; nil where there is none.
func (x *Explainer) historyByID(ctx context.Context, id int64) (*CustomerHistory, error) {
	known, err := x.Book.CustomersByID(ctx, []int64{id})
	if err != nil || len(known) == 0 {
		return nil, err
	}
	return x.liveCustomer(ctx, known[0].Email, known[0].UID)
}
