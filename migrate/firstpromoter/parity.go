package firstpromoter

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Why a promoter's figures of a month differ.
const (
	WhyOutbox      = "in_outbox"        // still on its way to FirstPromoter
	WhyNotReferred = "not_referred"     // the customer is nobody's there
	WhyRefused     = "refused"          // FirstPromoter did not take the event
	WhyNotSent     = "never_sent"       // forwarding was off when it came
	WhyLost        = "missing_there"    // it was sent, and is not there
	WhyDeniedThere = "denied_there"     // somebody denied the commission there
	WhyDeniedHere  = "denied_here"      // and here
	WhyAmount      = "rate_differs"     // the same events, other amounts
	WhyRounding    = "rounding"         // the same events, a cent more or less
	WhyOther       = "other_promoter"   // the same event, credited to somebody else
	WhyLevel       = "second_level"     // earned there by the promoter above
	WhyUncredited  = "not_earning_here" // the event is known here and earned nothing
	WhyOnlyThere   = "only_there"       // nothing of it is known here
	WhyOnlyHere    = "only_here"        // by sums: nothing of the promoter is there
	WhyNoEventID   = "no_event_id"      // entries there that name no event
	WhyBoundary    = "month_boundary"   // their clock puts it into another month
	WhyUnknown     = "unexplained"      // by sums: none of the above accounts for it
)

// Reason is one reason, and what it does to the difference.
type Reason struct {
	Why    string `json:"reason"` // one of the Why constants
	Events int    `json:"events"`
	Amount int64  `json:"amount_cents"` // theirs - ours
	Text   string `json:"text"`
}

// Line is one promoter in one month; amounts are minor units of the program's currency.
type Line struct {
	Token      string   `json:"ref_token"` // of somebody who is nobody here: what they are called there
	Email      string   `json:"email"`
	Ours       int64    `json:"ours_cents"`
	Theirs     int64    `json:"theirs_cents"`
	Difference int64    `json:"difference_cents"` // theirs - ours
	Events     int      `json:"events"`           // that were compared one by one
	Reasons    []Reason `json:"reasons"`

	tally  map[string]*Reason
	ratios []ratio
	others map[string]bool // who has it instead
}

// Agrees says whether both ledgers say the same of the promoter.
func (l *Line) Agrees() bool {
	return l.Difference == 0 && !slices.ContainsFunc(l.Reasons, func(r Reason) bool { return r.Why != WhyBoundary })
}

// Parity is the comparison of a month.
type Parity struct {
	Month  string `json:"month"`
	Agrees bool   `json:"agrees"` // and there was something to compare
	Lines  []Line `json:"promoters"`
	Total  Line   `json:"total"`
	BySums bool   `json:"by_sums"` // theirs name no events: only sums could be compared
}

// Books are what is compared.
type Books struct {
	Month   terms.Month
	Zone    *time.Location
	Content *book.Content
	Ours    []book.EventEarning // of the month, and of a day on either side of it
	Known   []book.Event        // sales and refunds of other times that theirs name
	Theirs  []Commission        // of the month, and as far around it as forwarding may have put it
	People  []Promoter          // theirs; may be empty
}

// key names an event in both books.
type key struct {
	refund bool
	id     string
}

// side is what one book says of one event.
type side struct {
	amount int64
	denied int64
	tier   int64
	state  string
	at     time.Time
}

// Compare sets both ledgers side by side: event by event where theirs name events, else by
// sums. An event belongs to the month in which it happened here, wherever their clock puts
// it.
func Compare(b *Books) *Parity {
	c := newComparison(b)
	p := &Parity{Month: b.Month.String(), Lines: []Line{}, BySums: len(b.Theirs) > 0 && !slices.ContainsFunc(b.Theirs, func(k Commission) bool { return k.EventID != "" })}
	if p.BySums {
		c.bySums()
	} else {
		c.byEvents()
	}
	p.Total.Token, p.Total.Reasons = "total", []Reason{}
	p.Agrees = true
	for _, who := range slices.Sorted(maps.Keys(c.lines)) {
		l := c.lines[who]
		l.finish()
		if l.Ours == 0 && l.Theirs == 0 && l.Events == 0 && len(l.Reasons) == 0 {
			continue
		}
		p.Agrees = p.Agrees && l.Agrees()
		p.Total.Ours += l.Ours
		p.Total.Theirs += l.Theirs
		p.Total.Events += l.Events
		p.Lines = append(p.Lines, *l)
	}
	p.Total.Difference = p.Total.Theirs - p.Total.Ours
	p.Agrees = p.Agrees && len(p.Lines) > 0
	slices.SortStableFunc(p.Lines, func(x, y Line) int { return cmp.Compare(order(&x), order(&y)) })
	return p
}

// order puts those who differ first.
func order(l *Line) int {
	if l.Agrees() {
		return 1
	}
	return 0
}

// comparison is one that is under way.
type comparison struct {
	*Books
	directory *book.Directory
	people    map[int64]*Promoter
	lines     map[string]*Line // by name
}

func newComparison(b *Books) *comparison {
	c := &comparison{Books: b, directory: book.NewDirectory(b.Content), people: map[int64]*Promoter{}, lines: map[string]*Line{}}
	for i := range b.People {
		c.people[b.People[i].ID] = &b.People[i]
	}
	return c
}

// here is the line of a promoter of ours.
func (c *comparison) here(id int64) string {
	if p := c.directory.ByID(id).Promoter; p != nil {
		return c.line(p.Token, p.Email)
	}
	return c.line(fmt.Sprintf("promoter %d", id), "")
}

// there is the line of whoever earned a commission there: the promoter of ours with one of
// its ref tokens, else with its address.
func (c *comparison) there(k *Commission) string {
	tokens, email := []string{}, k.Email
	if p := c.people[k.PromoterID]; p != nil {
		tokens, email = append(tokens, p.Tokens...), cmp.Or(email, p.Email)
	}
	if k.Token != "" {
		tokens = append(tokens, k.Token)
	}
	for _, t := range tokens {
		if p := c.directory.ByToken(t).Promoter; p != nil {
			return c.line(p.Token, p.Email)
		}
	}
	if p := c.directory.ByEmail(email).Promoter; p != nil {
		return c.line(p.Token, p.Email)
	}
	name := "(nobody here)"
	switch {
	case len(tokens) > 0:
		name = tokens[0] + " (nobody here)"
	case email == "" && k.PromoterID != 0:
		name = fmt.Sprintf("their promoter %d (nobody here)", k.PromoterID)
	case email != "":
		name = email + " (nobody here)"
	}
	return c.line(name, email)
}

func (c *comparison) line(token, email string) string {
	if c.lines[token] == nil {
		c.lines[token] = &Line{Token: token, Email: email, Reasons: []Reason{}, tally: map[string]*Reason{}, others: map[string]bool{}}
	}
	return token
}

func (c *comparison) inMonth(at time.Time) bool { return terms.MonthOf(at, c.Zone) == c.Month }

// byEvents compares event by event.
func (c *comparison) byEvents() {
	ours := map[key]map[string]*side{}
	for i := range c.Ours {
		e := &c.Ours[i]
		if at := time.Unix(e.At, 0); c.inMonth(at) {
			put(ours, key{e.Kind == book.EventRefund, e.ExternalID}, c.here(e.PromoterID), side{amount: e.Amount, denied: e.Denied, state: e.State, at: at})
		}
	}
	known := map[key]time.Time{}
	for i := range c.Known {
		e := &c.Known[i]
		known[key{e.Kind == book.EventRefund, e.ExternalID}] = time.Unix(e.At, 0)
	}
	theirs := map[key]map[string]*side{}
	for i := range c.Theirs {
		k := &c.Theirs[i]
		at := key{k.Amount < 0, k.EventID}
		_, isOurs := ours[at]
		amount, denied := k.Amount, int64(0)
		if k.Status == StatusDenied {
			amount, denied = 0, k.Amount
		}
		switch told, isKnown := known[at]; {
		case k.EventID == "":
			if c.inMonth(k.CreatedAt) && amount != 0 {
				l := c.lines[c.there(k)]
				l.Theirs += amount
				l.add(WhyNoEventID, amount)
			}
		case isOurs:
			put(theirs, at, c.there(k), side{amount: amount, denied: denied, tier: k.Tier, at: k.CreatedAt})
		case !c.inMonth(k.CreatedAt): // of another month in both books
		case isKnown && !c.inMonth(told):
			c.lines[c.there(k)].add(WhyBoundary, 0)
		case amount != 0:
			put(theirs, at, c.there(k), side{amount: amount, denied: denied, tier: k.Tier, at: k.CreatedAt, state: map[bool]string{true: WhyUncredited, false: WhyOnlyThere}[isKnown]})
		}
	}
	for at, by := range ours {
		for who, o := range by {
			c.ours(who, o, theirs[at])
		}
	}
	for at, by := range theirs {
		for who, t := range by {
			if ours[at][who] == nil {
				c.onlyThere(who, t, ours[at])
			}
		}
	}
	for _, l := range c.lines {
		l.pairUp()
	}
}

func put(all map[key]map[string]*side, at key, who string, s side) {
	if all[at] == nil {
		all[at] = map[string]*side{}
	}
	if had := all[at][who]; had != nil {
		had.amount += s.amount
		had.denied += s.denied
		return
	}
	all[at][who] = &s
}

// ours compares what one of our events earned a promoter with what theirs say of the event.
func (c *comparison) ours(who string, o *side, theirs map[string]*side) {
	l := c.lines[who]
	l.Ours += o.amount
	l.Events++
	if t := theirs[who]; t != nil {
		l.Theirs += t.amount
		if !c.inMonth(t.at) {
			l.add(WhyBoundary, 0)
		}
		switch d := t.amount - o.amount; {
		case d == 0:
		case t.denied != 0:
			l.add(WhyDeniedThere, d)
		case o.denied != 0 && t.amount == o.amount-o.denied:
			l.add(WhyDeniedHere, d)
		case size(d) == 1:
			l.add(WhyRounding, d)
		default:
			l.add(WhyAmount, d)
			l.ratios = append(l.ratios, ratio{o.amount, t.amount})
		}
		return
	}
	if o.amount == 0 {
		return // nothing is what an event that is not there comes to
	}
	for other, t := range theirs {
		if t.tier <= 1 {
			l.others[other] = true
		}
	}
	if direct(theirs) {
		l.add(WhyOther, -o.amount)
		return
	}
	l.add(missingBecause(o.state), -o.amount)
}

// direct says whether anybody earned of an event by having brought the customer.
func direct(theirs map[string]*side) bool {
	for _, t := range theirs {
		if t.tier <= 1 {
			return true
		}
	}
	return false
}

// missingBecause says why an event of ours may not be there, by its state in the outbox.
func missingBecause(state string) string {
	switch state {
	case book.ForwardWaiting:
		return WhyOutbox
	case book.ForwardNotReferred:
		return WhyNotReferred
	case book.ForwardRefused:
		return WhyRefused
	case "":
		return WhyNotSent
	}
	return WhyLost
}

func (c *comparison) onlyThere(who string, t *side, ours map[string]*side) {
	l := c.lines[who]
	l.Theirs += t.amount
	l.Events++
	if t.amount == 0 {
		return
	}
	switch {
	case t.tier > 1:
		l.add(WhyLevel, t.amount)
	case len(ours) > 0:
		l.add(WhyOther, t.amount)
		for other := range ours {
			l.others[other] = true
		}
	default:
		l.add(t.state, t.amount)
	}
}

func (l *Line) add(why string, amount int64) {
	r := l.tally[why]
	if r == nil {
		r = &Reason{Why: why}
		l.tally[why] = r
	}
	r.Events++
	r.Amount += amount
}

// pairUp takes entries that name no event for the events that are missing there, when they
// come to the same.
func (l *Line) pairUp() {
	entered := l.tally[WhyNoEventID]
	missing := []string{WhyOutbox, WhyNotReferred, WhyRefused, WhyNotSent, WhyLost}
	sum := int64(0)
	for _, why := range missing {
		if r := l.tally[why]; r != nil {
			sum += r.Amount
		}
	}
	if entered == nil || sum == 0 || sum+entered.Amount != 0 {
		return
	}
	for _, why := range append(missing, WhyNoEventID) {
		delete(l.tally, why)
	}
}

// finish makes the reasons readable, the largest first.
func (l *Line) finish() {
	l.Difference = l.Theirs - l.Ours
	for _, r := range l.tally {
		r.Text = l.text(r)
		l.Reasons = append(l.Reasons, *r)
	}
	slices.SortFunc(l.Reasons, func(x, y Reason) int {
		return cmp.Or(cmp.Compare(size(y.Amount), size(x.Amount)), strings.Compare(x.Why, y.Why))
	})
}

func size(n int64) int64 { return max(n, -n) }
