package history

import (
	"context"
	"fmt"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Explainer answers whose a customer is and why, and what became of an order, an invoice, an
// event or a click. Its book must be open; the rest is of the moment in which it was made.
type Explainer struct {
	Book      *book.Book
	Directory *book.Directory
	Currency  string         // the program's: amounts in it are written without its name
	Zone      *time.Location // of days and times
	Terms     terms.Config
	OwnerRule string // among Keap's referrals that count: terms.OwnerLatest or terms.OwnerFirst
	AsOf      string // the day for which the newest import decided: 2023-03-31
}

// Explain answers about what a person names: a customer by e-mail address, name, Keap contact
// id (also contact:7) or uid:c-9; order:4002; invoice:70001; event:pay-55, an event of the
// billing system; a click id; an entry of the ledger. It fails with an [book.InputError] where the
// words fit nothing, or several customers.
func (x *Explainer) Explain(ctx context.Context, what string) (*Explanation, error) {
	what = strings.TrimSpace(what)
	if kind, id, ok := strings.Cut(what, ":"); ok {
		switch strings.ToLower(kind) {
		case "order":
			return x.order(ctx, id)
		case "invoice":
			return x.invoice(ctx, strings.TrimSpace(id))
		case "event":
			return x.event(ctx, strings.TrimSpace(id))
		case "uid":
			s, err := x.liveCustomer(ctx, "", strings.TrimSpace(id))
			if err == nil && s == nil {
				err = fmt.Errorf("the billing system has told of no customer uid:%s", strings.TrimSpace(id))
			}
			return &Explanation{About: "customer", CustomerHistory: s}, err
		case "contact":
			what = id
		}
	}
	if _, err := book.ParseEntryID(what); err == nil || isLiveEntry(what) {
		return x.entry(ctx, what)
	}
	if id, err := book.ParseClickID(what); err == nil && !strings.Contains(what, "@") {
		return x.click(ctx, id)
	}
	s, err := x.customer(ctx, what)
	return &Explanation{About: "customer", CustomerHistory: s}, err
}

// owner names whose a row is in a sentence.
func (x *Explainer) owner(e book.Earner) string {
	owner, name, id := x.Directory.ByEarner(e), x.Directory.Name(e), e.PartnerID
	if owner.House {
		name = "the program's own partner"
	}
	if e.PromoterID != 0 {
		id = owner.KeapID()
	}
	if e.PromoterID != 0 && id == 0 || id < 0 { // joined here
		return name
	}
	return fmt.Sprintf("%s (Keap id %d)", name, id)
}

// name is what people call the owner of a partner of Keap's.
func (x *Explainer) name(partner int64) string {
	return x.Directory.Name(book.Earner{PartnerID: partner})
}

func (x *Explainer) day(at int64) string { return terms.FormatDay(at, x.Zone) }

func (x *Explainer) minute(at int64) string {
	return time.Unix(at, 0).In(x.Zone).Format("2006-01-02 15:04")
}

// amount is an amount of minor units as people read it.
func (x *Explainer) amount(minor int64, currency string) string {
	if currency == x.Currency {
		return terms.FormatMinor(minor, currency)
	}
	return terms.FormatMoney(minor, currency)
}
