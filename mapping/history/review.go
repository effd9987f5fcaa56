package history

import (
	"context"
	"fmt"
	"slices"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Review is a commission that a person should look at, or a refund whose sale nobody has told
// of; minor units.
type Review struct {
	ID        string         `json:"id"` // of the ledger's entry: t-17; of a refund event:ID
	RefToken  string         `json:"ref_token"`
	Email     string         `json:"customer_email"`
	UID       string         `json:"customer_uid"`
	EventID   string         `json:"event_id"` // the billing system's
	At        string         `json:"at"`
	Amount    int64          `json:"amount_cents"`
	Currency  string         `json:"currency"`
	Product   string         `json:"product"`
	Reasons   []ReviewReason `json:"reasons"`
	Decision  string         `json:"decision"` // accept, trust, deny, or empty: nobody has decided
	Note      string         `json:"note"`
	DecidedAt string         `json:"decided_at"`
	DecidedBy string         `json:"decided_by"`
}

// ReviewReason is why, as one of the book's Reason constants and in words.
type ReviewReason struct {
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

// Reviews lists what a person should look at, the oldest first: with all also what was
// decided; owner, if not nil, is whose.
func (x *Explainer) Reviews(ctx context.Context, all bool, owner *book.Match) ([]Review, error) {
	reviews, err := x.Book.Reviews(ctx, all)
	if err != nil {
		return nil, err
	}
	refunds, err := x.Book.UnmatchedRefunds(ctx)
	if err != nil {
		return nil, err
	}
	if owner != nil {
		reviews = slices.DeleteFunc(reviews, func(r book.Review) bool { return x.Directory.ByID(r.Line.PromoterID) != owner.Owner })
		refunds = slices.DeleteFunc(refunds, func(e book.Event) bool { return x.Directory.ByID(e.PromoterID) != owner.Owner })
	}
	customers, err := x.reviewCustomers(ctx, reviews, refunds)
	if err != nil {
		return nil, err
	}
	list := make([]Review, 0, len(reviews)+len(refunds))
	for i := range reviews {
		r := &reviews[i]
		c := customers[r.Line.CustomerID]
		line := Review{
			ID: fmt.Sprintf("t-%d", r.Line.ID), RefToken: x.Directory.ByID(r.Line.PromoterID).Token(), Email: c.Email, UID: c.UID,
			EventID: r.Event.ExternalID, At: terms.FormatTime(r.Line.At, x.Zone), Amount: r.Line.Amount, Currency: r.Line.Currency,
			Product: r.Line.Product, Reasons: []ReviewReason{}, Decision: r.Decision.Decision, Note: r.Decision.Note,
			DecidedAt: terms.FormatTime(r.Decision.DecidedAt, x.Zone), DecidedBy: r.Decision.DecidedBy,
		}
		for _, v := range r.Reasons {
			line.Reasons = append(line.Reasons, ReviewReason{v.Reason, v.Detail})
		}
		list = append(list, line)
	}
	for i := range refunds {
		e := &refunds[i]
		v, err := evidence(e)
		if err != nil {
			return nil, err
		}
		c := customers[e.CustomerID]
		list = append(list, Review{
			ID: "event:" + e.ExternalID, RefToken: x.Directory.ByID(e.PromoterID).Token(), Email: c.Email, UID: c.UID, EventID: e.ExternalID,
			At: terms.FormatTime(e.At, x.Zone), Amount: -e.Amount, Currency: e.Currency,
			Reasons: []ReviewReason{{
				"unknown_sale", fmt.Sprintf("a refund of the sale %q, which nobody has told of: it takes back once somebody does", v.Sale),
			}},
		})
	}
	return list, nil
}

// reviewCustomers are the customers of reviews and refunds, by id.
func (x *Explainer) reviewCustomers(ctx context.Context, reviews []book.Review, refunds []book.Event) (map[int64]book.Customer, error) {
	var ids []int64
	for i := range reviews {
		ids = append(ids, reviews[i].Line.CustomerID)
	}
	for i := range refunds {
		ids = append(ids, refunds[i].CustomerID)
	}
	list, err := x.Book.CustomersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	customers := make(map[int64]book.Customer, len(list))
	for _, c := range list {
		customers[c.ID] = c
	}
	return customers, nil
}
