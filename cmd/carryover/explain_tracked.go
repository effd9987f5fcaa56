package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"carryover/gateway/click"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// binding is how a customer came to belong to a promoter here.
type binding struct {
	By         string            `json:"by"` // click, ref_token, coupon or history
	RefToken   string            `json:"ref_token"`
	At         string            `json:"at"` // of the sign-up, or of the first sale
	Event      string            `json:"event"`
	Click      string            `json:"click,omitempty"`
	FirstClick *firstClick       `json:"first_click,omitempty"`
	Candidates []terms.Candidate `json:"candidates"`
}

// firstClick is who would have won under first click.
type firstClick struct {
	RefToken string `json:"ref_token"`
	At       string `json:"at"`
	Click    string `json:"click,omitempty"`
}

// addTracked puts what the billing system told on the timeline of the customer with the
// given e-mail key or uid, and says who bound it.
func (x *explainer) addTracked(s *story, email, uid string) error {
	known, err := x.b.TrackedCustomers(x.ctx, email, uid)
	if err != nil {
		return err
	}
	if err := x.addUnreferred(s, email, uid); err != nil {
		return err
	}
	for _, c := range known {
		s.Email, s.UID = cmp.Or(s.Email, c.Email), cmp.Or(s.UID, c.UID)
		events, err := x.b.EventsOf(x.ctx, c.ID)
		if err != nil {
			return err
		}
		if err := x.addEvents(s, &c, events); err != nil {
			return err
		}
	}
	return nil
}

// addUnreferred puts on the timeline what was told with somebody's name and credited to
// nobody.
func (x *explainer) addUnreferred(s *story, email, uid string) error {
	list, err := x.b.UnattributedOf(x.ctx, email, uid)
	if err != nil {
		return err
	}
	for i := range list {
		u := &list[i]
		s.Email, s.UID = cmp.Or(s.Email, u.Email), cmp.Or(s.UID, u.UID)
		e := book.Event{Kind: u.Kind, ExternalID: u.ExternalID, At: u.At, Evidence: u.Evidence}
		v, err := evidence(&e)
		if err != nil {
			return err
		}
		m := x.tracked(&e, &v)
		m.Outcome = "credited to nobody"
		s.Timeline = append(s.Timeline, m)
	}
	return nil
}

func (x *explainer) addEvents(s *story, c *book.Customer, events []book.Event) error {
	ids := make([]int64, len(events))
	for i := range events {
		ids[i] = events[i].ID
	}
	lines, err := x.b.LinesOf(x.ctx, ids)
	if err != nil {
		return err
	}
	lineIDs := make([]int64, len(lines))
	for i := range lines {
		lineIDs[i] = lines[i].ID
	}
	reviews, err := x.b.ReviewsOf(x.ctx, lineIDs)
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
			x.bound(s, c, e, &v)
		}
		s.Timeline = append(s.Timeline, x.tracked(e, &v))
		for j := range lines {
			if lines[j].EventID == e.ID {
				s.Timeline = append(s.Timeline, x.line(&lines[j], under[lines[j].ID]))
			}
		}
	}
	return nil
}

func evidence(e *book.Event) (v book.Evidence, err error) {
	if err := json.Unmarshal([]byte(e.Evidence), &v); err != nil {
		return v, fmt.Errorf("the evidence of event %d cannot be read: %w", e.ID, err)
	}
	return v, nil
}

// bound says by which event a customer was bound, and why.
func (x *explainer) bound(s *story, c *book.Customer, e *book.Event, v *book.Evidence) {
	b := &binding{By: v.By, RefToken: x.dir.ByID(v.Promoter).Token(), At: terms.FormatTime(e.At, x.cfg.Zone), Event: tolds(e), Candidates: v.Candidates}
	s.Bound = b
	s.RefToken, s.PartnerID, s.Rule, s.Self = b.RefToken, primaryKeapID(x.dir.ByID(v.Promoter)), v.By, strings.Contains(c.Suspicion, book.ReasonSelf)
	what := map[string]string{book.EventSignup: "sign-up", book.EventSale: "first sale"}[e.Kind] + " of " + x.minute(e.At)
	owner := x.owner(book.Earner{PromoterID: v.Promoter})
	for _, k := range v.Candidates {
		if k.Outcome != terms.OutcomeWon {
			continue
		}
		switch k.By {
		case terms.ByClick:
			b.Click = k.Click
			s.Why = fmt.Sprintf("%s belongs to %s for life: the last click before its %s was on a link of %s (%s).", s.who(), owner, what, b.RefToken, clicked(x, k))
			s.Timeline = append(s.Timeline, x.clickOf(k, "the last one"))
		case terms.ByToken:
			s.Why = fmt.Sprintf("%s belongs to %s for life: its %s named the ref token %s.", s.who(), owner, what, k.Named)
		case terms.ByCoupon:
			s.Why = fmt.Sprintf("%s belongs to %s for life: its %s named the coupon %s.", s.who(), owner, what, k.Named)
		case terms.ByHistory:
			s.Why = fmt.Sprintf("%s belongs to %s for life: nothing else was known at its %s than Keap's referral of %s.", s.who(), owner, what, x.minute(k.At))
		}
	}
	if f := v.First; f != nil && f.Promoter != 0 {
		b.FirstClick = &firstClick{x.dir.ByID(f.Promoter).Token(), terms.FormatTime(f.At, x.cfg.Zone), f.Click}
		if f.Click != b.Click || f.At != e.At && b.Click == "" {
			s.Timeline = append(s.Timeline, x.clickOf(*f, "the first one"))
		}
	}
}

func clicked(x *explainer, k terms.Candidate) string {
	text := x.minute(k.At)
	if k.Click != "" {
		text += ", click " + k.Click
	}
	return text
}

func (x *explainer) clickOf(k terms.Candidate, which string) moved {
	m := x.moved(k.At, "click", book.Earner{PromoterID: k.Promoter})
	m.EventID, m.text = k.Click, which+" that is known, "+cmp.Or(k.Click, "not recorded")
	return m
}

// who is how a person calls the customer.
func (s *story) who() string {
	switch {
	case s.Email != "":
		return s.Email
	case s.UID != "":
		return "customer uid:" + s.UID
	}
	return s.Name
}

// tolds names an event: by the billing system's id where it gave one.
func tolds(e *book.Event) string {
	if e.ExternalID != "" {
		return e.ExternalID
	}
	return fmt.Sprintf("#%d", e.ID)
}

// tracked is an event on the timeline.
func (x *explainer) tracked(e *book.Event, v *book.Evidence) moved {
	m := x.moved(e.At, e.Kind, book.Earner{PromoterID: e.PromoterID})
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
		if sale, err := x.b.EventByID(x.ctx, e.SaleEventID); err == nil {
			more = append(more, "of sale "+tolds(&sale))
		}
	}
	for _, text := range []string{e.Plan, e.ExternalID, passedOver(v), v.Rate, v.Note} {
		if text != "" {
			more = append(more, text)
		}
	}
	m.text = strings.Join(more, ", ")
	return m
}

// passedOver lists the candidates that did not win, and why.
func passedOver(v *book.Evidence) string {
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

// line is a line of an event on the timeline.
func (x *explainer) line(l *book.EventLine, review *book.Review) moved {
	m := x.moved(l.At, l.Kind, book.Earner{PromoterID: l.PromoterID})
	m.Amount, m.Currency, m.Product, m.EventID = &l.Amount, l.Currency, l.Product, fmt.Sprintf("t-%d", l.ID)
	more := []string{fmt.Sprintf("%s of %s", l.Percent, x.cfg.Amount(max(l.SaleAmount, -l.SaleAmount), l.Currency))}
	if l.Kind == book.KindDenied {
		more = []string{"a person has denied it"}
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
			m.Outcome = map[string]string{book.ReviewAccept: "accepted", book.ReviewDeny: "denied"}[d.Decision]
			why = append(why, "decided by "+d.DecidedBy)
		}
		more = append(more, strings.Join(why, ", "))
	}
	m.text = strings.Join(append(more, m.EventID), ", ")
	return m
}

// trackedCustomer tells the story of a customer whom only the billing system knows.
func (x *explainer) trackedCustomer(email, uid string) (*story, error) {
	known, err := x.b.TrackedCustomers(x.ctx, email, uid)
	if err != nil {
		return nil, err
	}
	if len(known) > 0 && known[0].Email != "" {
		return x.storyOf(known[0].Email)
	}
	s := &story{AsOf: x.asOf, Owner: x.cfg.Import.Owner, ContactIDs: []int64{}, Timeline: []moved{}}
	if len(known) > 0 {
		email, uid = "", known[0].UID
	}
	if err := x.addTracked(s, email, uid); err != nil {
		return nil, err
	}
	if len(s.Timeline) == 0 {
		return nil, nil
	}
	if s.Why == "" {
		s.Why = s.who() + " belongs to nobody: what was told of it named no promoter who may be credited."
	}
	slices.SortStableFunc(s.Timeline, func(a, b moved) int { return cmp.Compare(a.at, b.at) })
	return s, nil
}

// told explains what the billing system told under an id of its own.
func (x *explainer) told(id string) (*explanation, error) {
	events, err := x.b.EventsByExternalID(x.ctx, id)
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
	lines, err := x.b.LinesOf(x.ctx, ids)
	if err != nil {
		return nil, err
	}
	var entries []book.Entry
	for _, l := range lines {
		e, err := x.b.Entry(x.ctx, fmt.Sprintf("t-%d", l.ID))
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	made := &explanation{About: "event"}
	if len(entries) > 0 {
		if made, err = x.ofEntries("event", entries); err != nil {
			return nil, err
		}
	}
	var answers []string
	for i := range events {
		e := &events[i]
		text := fmt.Sprintf("Event %s is a %s of %s", id, e.Kind, x.minute(e.At))
		if e.Amount != 0 {
			text += fmt.Sprintf(" over %s", x.cfg.Amount(e.Amount, e.Currency))
		}
		if e.PromoterID != 0 {
			text += ", credited to " + x.owner(book.Earner{PromoterID: e.PromoterID})
		}
		answers = append(answers, text+".")
	}
	made.Answer = strings.Join(answers, "\n")
	if made.story == nil {
		made.story, err = x.customerStory(events[0].CustomerID)
	}
	return made, err
}

// customerStory tells of the customer with one of our ids.
func (x *explainer) customerStory(id int64) (*story, error) {
	known, err := x.b.CustomersByID(x.ctx, []int64{id})
	if err != nil || len(known) == 0 {
		return nil, err
	}
	return x.trackedCustomer(known[0].Email, known[0].UID)
}

// click explains a click: what it was answered, and the customers that it brought.
func (x *explainer) click(id click.ID) (*explanation, error) {
	c, ok, err := x.b.ClickByID(x.ctx, id.Node, id.Seq)
	if err != nil {
		return nil, err
	}
	events, err := x.b.EventsByClick(x.ctx, id.String())
	if err != nil {
		return nil, err
	}
	if !ok && len(events) == 0 {
		return nil, fmt.Errorf("the book has no click %s: it may be on its way, or was let go ([gateway] keep_clicks)", id)
	}
	made := &explanation{About: "click"}
	var s strings.Builder
	if ok {
		fmt.Fprintf(&s, "Click %s of %s on %s%s was answered with %s", id, c.At.In(x.cfg.Zone).Format("2006-01-02 15:04:05 MST"), c.Host, c.Path, c.Outcome)
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
		made.story, err = x.customerStory(events[0].CustomerID)
	}
	return made, err
}

// wasTracked says whether an event id of the ledger is one of what came since the
// migration: t-17, p-3.
func wasTracked(id string) bool {
	number, ok := strings.CutPrefix(id, "t-")
	if !ok {
		number, ok = strings.CutPrefix(id, "p-")
	}
	return ok && number != "" && strings.Trim(number, "0123456789") == ""
}
