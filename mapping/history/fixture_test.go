package history_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"carryover/mapping/book"
	"carryover/mapping/history"
	"carryover/mapping/terms"
)

// fixture is a book of a program in Los Angeles, and who asks about it.
type fixture struct {
	*testing.T
	history.Explainer // its directory is read anew for each question
}

// newFixture is a book that holds what one import brought.
func newFixture(t *testing.T, content *book.Changes) *fixture {
	t.Helper()
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	b, err := book.Open(filepath.Join(t.TempDir(), "book.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	f := &fixture{t, history.Explainer{
		Book: b, Currency: "USD", Zone: zone, Terms: terms.DefaultConfig(), OwnerRule: terms.OwnerLatest, AsOf: "2023-03-31",
	}}
	f.apply(0, content)
	return f
}

// apply carries out an import after the one with the id base.
func (f *fixture) apply(base int64, content *book.Changes) {
	f.Helper()
	run := book.Import{PlanID: fmt.Sprintf("plan %d", base), AppliedAt: time.Unix(1_680_000_000+base, 0)}
	if _, err := f.Book.Apply(f.Context(), run, base, content, nil, func(int) {}); err != nil {
		f.Fatal(err)
	}
	f.readDirectory()
}

func (f *fixture) readDirectory() {
	f.Helper()
	var err error
	if f.Directory, err = f.Book.Directory(f.Context()); err != nil {
		f.Fatal(err)
	}
}

// instant is a minute of a day in the program's zone, 2023-01-05 09:00, or the beginning of
// a day.
func instant(text string) int64 {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		panic(err)
	}
	for _, layout := range []string{"2006-01-02 15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			return at.Unix()
		}
	}
	panic("not a time: " + text)
}

// explain answers what must be known, with every one of want in what people read.
func (f *fixture) explain(what string, want ...string) *history.Explanation {
	f.Helper()
	f.readDirectory()
	e, err := f.Explain(f.Context(), what)
	if err != nil {
		f.Fatalf("%s: %v", what, err)
	}
	text := f.text(e)
	for _, w := range want {
		if !strings.Contains(text, w) {
			f.Errorf("%s does not say %q:\n%s", what, w, text)
		}
	}
	return e
}

// refuses asks what cannot be answered. input says that it is the question's fault.
func (f *fixture) refuses(what string, input bool, want ...string) {
	f.Helper()
	f.readDirectory()
	e, err := f.Explain(f.Context(), what)
	var wrong *book.InputError
	if err == nil || errors.As(err, &wrong) != input {
		f.Errorf("%s: %+v, %v; an input error: %t", what, e, err, input)
		return
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			f.Errorf("%s: %q does not say %q", what, err, w)
		}
	}
}

// text is what people read of an explanation.
func (f *fixture) text(e *history.Explanation) string {
	lines := []string{e.Answer}
	for i := range e.Entries {
		l := &e.Entries[i]
		lines = append(lines, strings.Join([]string{l.At, l.Label(), l.RefToken, amount(l.Amount, l.Currency), l.Invoice, l.Purpose(), l.Email,
			l.Name, l.EventID}, "|"))
	}
	if h := e.CustomerHistory; h != nil {
		lines = append(lines, h.Reason)
		lines = append(lines, f.OtherOutcomes(h)...)
		for _, t := range h.Timeline {
			sum := ""
			if t.Amount != nil {
				sum = amount(*t.Amount, t.Currency)
			}
			lines = append(lines, strings.Join([]string{t.When, fmt.Sprintf("%s %d", t.Kind, t.KeapID), t.Owner, sum, t.Outcome, t.Details}, "|"))
		}
	}
	return strings.Join(lines, "\n")
}

func amount(minor int64, currency string) string {
	if currency == "USD" {
		return terms.FormatMinor(minor, currency)
	}
	return terms.FormatMoney(minor, currency)
}

// object is what a program reads of v.
func object(t testing.TB, v any) (o map[string]any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// names are the members of an object, sorted.
func names(o map[string]any) string {
	var list []string
	for name := range o {
		list = append(list, name)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// sorted puts the words of a text into the order of [names].
func sorted(text string) string {
	words := strings.Fields(text)
	slices.Sort(words)
	return strings.Join(words, " ")
}

// customers lists the customers of whom a word means; of everybody where it is empty.
func (f *fixture) customers(owner string, all bool) (list []history.OwnedCustomer, leftOut int) {
	f.Helper()
	f.readDirectory()
	filter := history.CustomerFilter{All: all}
	if owner != "" {
		filter.Owner = f.match(owner)
	}
	leftOut, err := history.OwnedCustomers(f.Context(), f.Book, f.Directory, filter, func(c *history.OwnedCustomer) error {
		list = append(list, *c)
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
	return list, leftOut
}

// match is whom a word means.
func (f *fixture) match(word string) *book.Match {
	f.Helper()
	m, err := f.Directory.Find(word)
	if err != nil {
		f.Fatal(err)
	}
	return &m
}

// event is something that the billing system told of a customer, with what it names.
type event struct {
	when, kind, id string
	amount         int64
	plan           string
	sale           int64 // of a refund: the event of the sale
	candidates     []terms.Candidate
	first          *terms.Candidate
	note           string
	lines          []book.EventLine
}

// track books an event as the tracking API does: who is credited [terms.Attribute] says, and
// whom it credits first the customer is bound to. It gives the book's id of the event.
func (f *fixture) track(c *book.Customer, e event) int64 {
	f.Helper()
	at := instant(e.when)
	booked := book.Event{
		Kind: e.kind, ExternalID: e.id, At: at, ReceivedAt: at, Amount: e.amount, Currency: "USD", Plan: e.plan, SaleEventID: e.sale,
	}
	err := f.Book.Track(func(t *book.Tracking) error {
		if c.ID == 0 {
			c.CreatedAt = at
			if err := t.AddCustomer(c); err != nil {
				return err
			}
		}
		candidates := e.candidates
		if c.PromoterID != 0 {
			candidates = append([]terms.Candidate{{By: terms.ByOwner, Promoter: c.PromoterID}}, candidates...)
		}
		a := terms.Attribute(at, candidates, e.first, terms.CreditPolicy{})
		if a.Promoter != 0 && c.PromoterID == 0 {
			c.PromoterID, c.BoundAt = a.Promoter, at
			if err := t.BindCustomer(c); err != nil {
				return err
			}
		}
		evidence, err := json.Marshal(book.Evidence{Attribution: a, Note: e.note})
		if err != nil {
			return err
		}
		booked.CustomerID, booked.PromoterID, booked.Evidence = c.ID, a.Promoter, string(evidence)
		for i := range e.lines {
			l := &e.lines[i]
			l.PromoterID, l.CustomerID, l.At, l.Currency, l.Quantity = a.Promoter, c.ID, at, "USD", 1
			if l.Month == 0 {
				l.Month = int32(terms.MonthOf(time.Unix(at, 0), f.Zone))
			}
		}
		return t.AddEvent(&booked, e.lines)
	})
	if err != nil {
		f.Fatal(err)
	}
	return booked.ID
}

// named is a promoter whom an event names by a ref token.
func named(token string, promoter int64) terms.Candidate {
	return terms.Candidate{By: terms.ByToken, Named: token, Promoter: promoter}
}

// earning is a commission of a quarter of a sale of a membership.
func earning(sale int64) book.EventLine {
	return book.EventLine{
		Kind: book.KindCommission, Amount: sale / 4, SaleAmount: sale, Percent: terms.OneHundredPercent / 4,
		Product: "Agency Membership", ProductKind: terms.Membership.String(),
	}
}

// clickOn is a click on a promoter's link.
func clickOn(token string, promoter int64, id, when string) terms.Candidate {
	return terms.Candidate{By: terms.ByClick, Named: token, Click: id, At: instant(when), Promoter: promoter}
}

// eventID is the id of an entry that was carried over.
func eventID(n byte) book.EntryID { return book.EntryID{15: n} }
